//! One error for the whole Worker, and its one way into a response.
//!
//! **Invariant:** the platform's own words go to the log; the caller sees an [`ApiError`].

use ::http::{HeaderValue, StatusCode, header};
use rollcall_core::ApiError;

use super::{
    log,
    response::{Response, typed},
};

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An error that the caller may see.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The database, a room or the runtime failed. Unknown failures count as temporary.
    #[error("{0}")]
    Platform(#[from] worker::Error),
}

/// A result of the Worker.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The error that the caller sees. A platform failure is logged here, once.
    pub fn into_api_error(self) -> ApiError {
        match self {
            Self::Api(error) => error,
            Self::Platform(error) => {
                log::error(format_args!("platform failure: {error}"));
                ApiError::Unavailable
            }
        }
    }

    /// The answer that the caller gets.
    pub fn into_response(self) -> Response {
        let error = self.into_api_error();
        let mut response = typed("application/json", serde_json::to_vec(&error.body()).unwrap_or_default());
        *response.status_mut() = StatusCode::from_u16(error.status()).unwrap_or_default();
        response.extensions_mut().insert(ErrorCode(error.code()));
        let headers = response.headers_mut();
        match error.status() {
            401 => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Token")),
            426 => headers.insert(header::UPGRADE, HeaderValue::from_static("websocket")),
            503 => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1")),
            _ => None,
        };
        if let ApiError::Throttled { seconds } = error {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// The code of an error, on its response: for the log and the counters.
#[derive(Clone, Copy)]
pub struct ErrorCode(pub &'static str);
