//! Every error that a caller may see: its code, HTTP status, close code and sentence, in one exhaustive enum.
//!
//! **Invariant:** a caller sees no error in any other words, and no sentence contains a stack trace, SQL, or another
//! person's text. If Django REST Framework has a sentence for an error, that is the one.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::wire::ErrorBody;

/// An error that the caller may see.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiError {
    /// The body is not JSON.
    #[error("JSON parse error - {0}")]
    ParseError(String),
    /// The body or query is readable, but a field is missing or of another type.
    #[error("{detail}")]
    InvalidRequest {
        /// What is wrong.
        detail: String,
        /// The field at fault, where there is one.
        field: Option<String>,
    },
    /// The body is not `application/json`.
    #[error("Unsupported media type \"{0}\" in request.")]
    UnsupportedMediaType(String),
    /// A body or a frame over its limit.
    #[error("The request is larger than {0} bytes.")]
    TooLarge(usize),
    /// No credentials, or another scheme.
    #[error("Authentication credentials were not provided.")]
    NotAuthenticated,
    /// A token or session that is malformed, unknown, expired or revoked.
    #[error("{}", .0.sentence())]
    InvalidToken(TokenFault),
    /// Wrong password, unknown or deactivated account: one answer for all.
    #[error("Unable to log in with provided credentials.")]
    InvalidCredentials,
    /// Too many tries to sign in; the same for any account, existing or not.
    #[error("Request was throttled. Expected available in {seconds} seconds.")]
    Throttled {
        /// When to try again, in seconds.
        seconds: u32,
    },
    /// Signed in with a temporary password, which is good for choosing another one only.
    #[error("Choose a new password first.")]
    PasswordChangeRequired,
    /// Somebody has that email or username already.
    #[error("A user with this {0} already exists.")]
    Conflict(String),
    /// Known, but not allowed.
    #[error("You do not have permission to perform this action.")]
    PermissionDenied,
    /// A cookie-authenticated change from an origin that is not ours.
    #[error("CSRF Failed: Origin checking failed.")]
    Csrf,
    /// A socket from an origin that is not ours.
    #[error("This origin may not open a socket.")]
    OriginDenied,
    /// No such path, or nothing there that the caller may know of.
    #[error("Not found.")]
    NotFound,
    /// The path exists, the method does not.
    #[error("Method \"{0}\" not allowed.")]
    MethodNotAllowed(String),
    /// A WebSocket path without an upgrade.
    #[error("This path speaks WebSocket: send an Upgrade header.")]
    UpgradeRequired,
    /// The database or the room cannot answer now.
    #[error("Service temporarily unavailable, try again later.")]
    Unavailable,
    /// `/ws/connect/` without an email.
    #[error("No email provided")]
    NoEmail,
    /// A join with an email, a session or a ticket that is not accepted: one answer for every cause.
    #[error("Email or credentials not accepted")]
    JoinNotAccepted,
    /// The session behind a socket has ended.
    #[error("The session ended")]
    SessionEnded,
    /// An administrator closed it.
    #[error("Disconnected by an administrator")]
    Disconnected,
    /// A binary frame; both sockets speak text.
    #[error("Text frames only")]
    BinaryFrame,
    /// One user has too many sockets open, of both kinds together.
    #[error("Too many sockets")]
    TooManySockets,
    /// Too many messages on one socket.
    #[error("Too many messages")]
    TooManyMessages,
    /// Several messages in a row that were not understood.
    #[error("Too many messages that were not understood")]
    Malformed,
    /// A dashboard that does not keep up; it may come back and resume.
    #[error("Too slow: reconnect and resume")]
    TooSlow,
    /// The room holds as many sockets as it can.
    #[error("The room is full: reconnect later")]
    RoomFull,
    /// A client that used to ping has gone silent.
    #[error("No heartbeat")]
    NoHeartbeat,
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenFault {
    /// `Token` and nothing behind it.
    Missing,
    /// `Token a b`.
    Spaces,
    /// Characters that no token has.
    Characters,
    /// Unknown, expired, revoked, or of a deactivated user.
    NotValid,
}

impl TokenFault {
    fn sentence(self) -> &'static str {
        match self {
            Self::Missing => "Invalid token header. No credentials provided.",
            Self::Spaces => "Invalid token header. Token string should not contain spaces.",
            Self::Characters => "Invalid token header. Token string should not contain invalid characters.",
            Self::NotValid => "Invalid token.",
        }
    }
}

impl ApiError {
    /// A field that is missing or of another type.
    pub fn field(field: &str, detail: impl Into<String>) -> Self {
        Self::InvalidRequest { detail: detail.into(), field: Some(field.into()) }
    }

    /// The word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ParseError(_) => "parse_error",
            Self::InvalidRequest { .. } => "invalid_request",
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
            Self::TooLarge(_) => "too_large",
            Self::NotAuthenticated => "not_authenticated",
            Self::InvalidToken(_) => "invalid_token",
            Self::InvalidCredentials => "invalid_credentials",
            Self::Throttled { .. } => "throttled",
            Self::PasswordChangeRequired => "password_change_required",
            Self::Conflict(_) => "conflict",
            Self::PermissionDenied => "permission_denied",
            Self::Csrf => "csrf",
            Self::OriginDenied => "origin_denied",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::UpgradeRequired => "upgrade_required",
            Self::Unavailable => "unavailable",
            Self::NoEmail => "no_email",
            Self::JoinNotAccepted => "join_not_accepted",
            Self::SessionEnded => "session_ended",
            Self::Disconnected => "disconnected",
            Self::BinaryFrame => "binary_frame",
            Self::TooManySockets => "too_many_sockets",
            Self::TooManyMessages => "too_many_messages",
            Self::Malformed => "malformed",
            Self::TooSlow => "too_slow",
            Self::RoomFull => "room_full",
            Self::NoHeartbeat => "no_heartbeat",
        }
    }

    /// The status where it is an HTTP answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::ParseError(_) | Self::InvalidRequest { .. } | Self::NoEmail | Self::BinaryFrame | Self::Malformed => {
                400
            }
            Self::NotAuthenticated
            | Self::InvalidToken(_)
            | Self::InvalidCredentials
            | Self::JoinNotAccepted
            | Self::SessionEnded => 401,
            Self::PermissionDenied
            | Self::PasswordChangeRequired
            | Self::Csrf
            | Self::OriginDenied
            | Self::Disconnected => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed(_) => 405,
            Self::TooLarge(_) => 413,
            Self::UnsupportedMediaType(_) => 415,
            Self::NoHeartbeat => 408,
            Self::Conflict(_) => 409,
            Self::UpgradeRequired => 426,
            Self::Throttled { .. } | Self::TooManySockets | Self::TooManyMessages => 429,
            Self::TooSlow | Self::RoomFull | Self::Unavailable => 503,
        }
    }

    /// The code where it closes a socket.
    pub fn close_code(&self) -> u16 {
        match self {
            Self::BinaryFrame => 1003,
            Self::ParseError(_)
            | Self::InvalidRequest { .. }
            | Self::UnsupportedMediaType(_)
            | Self::NotFound
            | Self::MethodNotAllowed(_)
            | Self::UpgradeRequired
            | Self::Conflict(_)
            | Self::TooManySockets
            | Self::TooManyMessages
            | Self::Malformed => 1008,
            Self::TooLarge(_) => 1009,
            Self::Unavailable => 1011,
            Self::TooSlow | Self::RoomFull | Self::Throttled { .. } => 1013,
            Self::NoEmail => 4000,
            Self::NotAuthenticated | Self::InvalidToken(_) | Self::InvalidCredentials | Self::JoinNotAccepted => 4001,
            Self::SessionEnded => 4002,
            Self::PermissionDenied | Self::PasswordChangeRequired | Self::Csrf | Self::OriginDenied => 4003,
            Self::Disconnected => 4004,
            Self::NoHeartbeat => 4008,
        }
    }

    /// The body where it is an HTTP answer.
    pub fn body(&self) -> ErrorBody {
        let field = match self {
            Self::InvalidRequest { field, .. } => field.clone(),
            Self::Conflict(field) => Some(field.clone()),
            _ => None,
        };
        ErrorBody { detail: self.to_string(), code: self.code().into(), field }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_field_at_fault_and_nothing_else() {
        let body = |error: ApiError| serde_json::to_string(&error.body()).unwrap();
        assert_eq!(
            body(ApiError::field("email", "This field is required.")),
            r#"{"detail":"This field is required.","code":"invalid_request","field":"email"}"#
        );
        assert_eq!(
            body(ApiError::InvalidToken(TokenFault::NotValid)),
            r#"{"detail":"Invalid token.","code":"invalid_token"}"#
        );
    }

    #[test]
    fn the_entry_point_which_is_javascript_refuses_in_the_same_words() {
        let entry = include_str!("../src/entry.js").replace("${DETAIL}", &ApiError::Unavailable.to_string());
        let body = serde_json::to_string(&ApiError::Unavailable.body()).unwrap();
        assert!(entry.contains(&body), "{body}");
        assert!(entry.contains(&format!("close({}, DETAIL)", ApiError::Unavailable.close_code())));
    }

    #[test]
    fn the_originals_close_codes() {
        assert_eq!(ApiError::NoEmail.close_code(), 4000);
        assert_eq!(ApiError::JoinNotAccepted.close_code(), 4001);
    }

    #[test]
    fn an_error_crosses_from_the_room_to_the_worker() {
        let error = ApiError::field("doctor_id", "This field is required.");
        let json = serde_json::to_string(&error).unwrap();
        assert_eq!(serde_json::from_str::<ApiError>(&json).unwrap(), error);
    }
}
