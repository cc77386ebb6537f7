//! One error for the whole Worker, and its one way into a response.
//!
//! **Invariant:** what the platform says goes to the log; the caller sees a [`Rejection`].

use ::http::{HeaderValue, header};
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use rollcall_core::Rejection;

use crate::log;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A refusal the caller may see.
    #[error(transparent)]
    Rejection(#[from] Rejection),
    /// The database, a room or the runtime failed. Unknown failures are taken for passing ones.
    #[error("{0}")]
    Platform(#[from] worker::Error),
}

/// A result of the Worker.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The refusal that the caller sees. A platform failure is logged here, once.
    pub fn into_rejection(self) -> Rejection {
        match self {
            Self::Rejection(rejection) => rejection,
            Self::Platform(error) => {
                log::error(format_args!("platform failure: {error}"));
                Rejection::Unavailable
            }
        }
    }
}

/// The code of a refusal, on its response: for the log, and for counting.
#[derive(Clone, Copy)]
pub struct Refusal(pub &'static str);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let rejection = self.into_rejection();
        let body = serde_json::to_vec(&rejection.refusal()).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = ::http::StatusCode::from_u16(rejection.status()).unwrap_or_default();
        response.extensions_mut().insert(Refusal(rejection.code()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match rejection.status() {
            401 => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Token")),
            426 => headers.insert(header::UPGRADE, HeaderValue::from_static("websocket")),
            503 => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1")),
            _ => None,
        };
        if let Rejection::Throttled { seconds } = rejection {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
