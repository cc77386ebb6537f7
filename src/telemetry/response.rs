//! What a handler answers, before it is handed to the runtime.

use ::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use wasm_bindgen::JsValue;
use worker::WebSocket;

/// An answer, before it is handed to the runtime.
pub type Response = ::http::Response<Body>;

/// What an answer consists of besides its head.
#[derive(Debug, Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// Bytes.
    Bytes(Vec<u8>),
    /// The client's end of a socket.
    Socket(WebSocket),
    /// Whatever this room answers, head and all.
    OfRoom(JsValue),
}

/// An answer with a status and nothing else.
pub fn empty(status: StatusCode) -> Response {
    with_body(status, Body::Empty)
}

/// An answer with a status and a body.
pub fn with_body(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// An answer in JSON.
///
/// # Errors
/// That the value cannot be written as JSON.
pub fn json(value: &impl Serialize) -> worker::Result<Response> {
    Ok(typed("application/json", with_body(StatusCode::OK, Body::Bytes(serde_json::to_vec(value)?))))
}

/// An answer of a media type.
pub fn typed(media_type: &'static str, mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
