//! Responses, as handlers make them.

use ::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use wasm_bindgen::JsValue;
use worker::WebSocket;

/// A response that was not handed to the runtime yet.
pub type Response = ::http::Response<Body>;

/// The body of a response.
#[derive(Debug, Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// Bytes.
    Bytes(Vec<u8>),
    /// The client's end of a socket.
    Socket(WebSocket),
    /// This room gives the whole response, its head too.
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
    Ok(typed("application/json", serde_json::to_vec(value)?))
}

/// An answer of a media type.
pub fn typed(media_type: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::Bytes(bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
