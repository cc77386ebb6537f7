//! WebSockets, as any client speaks them.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rollcall_core::wire::SUBPROTOCOL;
use serde_json::Value;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderValue, Request, Response, header::SEC_WEBSOCKET_PROTOCOL},
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use crate::Server;

/// How long to wait for a message that must come.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait to believe that none comes.
const SILENCE: Duration = Duration::from_millis(300);

/// A WebSocket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The subprotocol that the server chose, empty if none.
    pub protocol: String,
}

/// How a socket was closed.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed {
    /// The close code; 1005 where there was none.
    pub code: u16,
    /// The reason.
    pub reason: String,
}

impl Socket {
    /// Opens a socket, offering `rollcall.v1` if `v1`.
    pub async fn open(server: &Server, path: &str, headers: &[(&str, &str)], v1: bool) -> Self {
        Self::try_open(server, path, headers, v1).await.unwrap_or_else(|refused| panic!("{path}: {refused:?}"))
    }

    /// Opens a socket at another address than the server's own.
    pub async fn open_at(address: &str, path: &str) -> Self {
        let request = format!("{}{path}", address.replacen("http", "ws", 1)).into_client_request().unwrap();
        Self::connect(request).await.unwrap_or_else(|refused| panic!("{path}: {refused:?}"))
    }

    /// Opens a socket, or returns the HTTP answer that refused it.
    pub async fn try_open(
        server: &Server,
        path: &str,
        headers: &[(&str, &str)],
        v1: bool,
    ) -> Result<Self, Box<Response<Option<Vec<u8>>>>> {
        let mut request = server.socket_address(path).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(
                name.to_string().parse::<tokio_tungstenite::tungstenite::http::HeaderName>().unwrap(),
                value.parse().unwrap(),
            );
        }
        if v1 {
            request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        }
        Self::connect(request).await
    }

    async fn connect(request: Request<()>) -> Result<Self, Box<Response<Option<Vec<u8>>>>> {
        match timeout(PATIENCE, connect_async(request)).await.expect("no handshake in time") {
            Ok((stream, response)) => {
                let protocol = response.headers().get(SEC_WEBSOCKET_PROTOCOL);
                let protocol = protocol.map_or("", |value| value.to_str().unwrap()).to_string();
                Ok(Self { stream, protocol })
            }
            Err(Error::Http(response)) => Err(response),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends a text frame.
    pub async fn send(&mut self, text: impl Into<String>) {
        self.send_frame(Message::text(text.into())).await;
    }

    /// Sends a text frame on a socket that the server may have closed.
    pub async fn try_send(&mut self, text: &str) {
        let _ = self.stream.send(Message::text(text)).await;
    }

    /// Sends a binary frame.
    pub async fn send_binary(&mut self, bytes: Vec<u8>) {
        self.send_frame(Message::binary(bytes)).await;
    }

    async fn send_frame(&mut self, frame: Message) {
        self.stream.send(frame).await.unwrap();
    }

    /// The next text frame.
    pub async fn text(&mut self) -> String {
        self.text_or_close().await.unwrap_or_else(|closed| panic!("expected text, got {closed:?}"))
    }

    /// The next text frame, or the server's close.
    pub async fn text_or_close(&mut self) -> Result<String, Closed> {
        match self.frame().await {
            Message::Text(text) => Ok(text.to_string()),
            Message::Close(Some(CloseFrame { code, reason })) => {
                Err(Closed { code: code.into(), reason: reason.to_string() })
            }
            Message::Close(None) => Err(Closed { code: 1005, reason: String::new() }),
            other => panic!("expected text or a close, got {other:?}"),
        }
    }

    /// The next text frame, as JSON.
    pub async fn json(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Waits for the server's close.
    pub async fn closed(&mut self) -> Closed {
        match self.text_or_close().await {
            Ok(text) => panic!("expected a close, got {text}"),
            Err(closed) => closed,
        }
    }

    /// Closes with `code`, and waits for the server's answer.
    pub async fn close(mut self, code: u16, reason: &str) -> Closed {
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason.to_string().into() };
        self.stream.send(Message::Close(Some(frame))).await.unwrap();
        self.closed().await
    }

    /// Closes with a frame that has exactly this payload, allowed or not, and waits for the server's answer.
    pub async fn close_with(mut self, payload: &[u8]) -> Closed {
        self.send_raw(0x8, payload).await;
        self.closed().await
    }

    /// Sends a text frame that is not UTF-8.
    pub async fn send_broken_text(&mut self, payload: &[u8]) {
        self.send_raw(0x1, payload).await;
    }

    /// Sends a frame past the library, which would refuse to.
    async fn send_raw(&mut self, opcode: u8, payload: &[u8]) {
        let MaybeTlsStream::Plain(stream) = self.stream.get_mut() else { panic!("not plain") };
        // The last frame of its message, masked with zeros.
        let header = [0x80 | opcode, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
        stream.write_all(&[&header, payload].concat()).await.unwrap();
    }

    /// Asserts that nothing comes.
    pub async fn hears_nothing(&mut self) {
        if let Ok(Some(Ok(frame))) = timeout(SILENCE, self.stream.next()).await {
            panic!("expected silence, got {frame:?}");
        }
    }

    async fn frame(&mut self) -> Message {
        let frame = timeout(PATIENCE, self.stream.next()).await.expect("nothing came in time");
        frame.expect("the stream ended").unwrap()
    }
}
