//! Tickets: what a page shows at a socket in place of a header, which browsers cannot set there.
//!
//! **Invariant:** a ticket is good once, for thirty seconds, for one user and one path; it is stored as its SHA-256 only.

use crate::{ApiError, auth::Permission, body::Fields};

/// How long a ticket may be used.
pub const LIFETIME: chrono::TimeDelta = chrono::TimeDelta::seconds(30);

/// What a ticket is offered as, beside the other subprotocols: `ticket.<value>`.
const PREFIX: &str = "ticket.";

/// The two paths that speak WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketPath {
    /// Dashboards.
    DoctorStatus,
    /// Everybody's own connection.
    Connect,
}

impl SocketPath {
    /// The path that a body names, with or without the trailing slash.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] naming the field.
    pub fn parse(fields: &Fields) -> Result<Self, ApiError> {
        let path = fields.text("path")?;
        [Self::DoctorStatus, Self::Connect]
            .into_iter()
            .find(|known| path.strip_suffix('/').unwrap_or(path) == known.as_str())
            .ok_or_else(|| ApiError::field("path", "A path that speaks WebSocket is required."))
    }

    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DoctorStatus => "/ws/doctor-status",
            Self::Connect => "/ws/connect",
        }
    }

    /// What a caller needs to join there.
    pub fn permission(self) -> Permission {
        match self {
            Self::DoctorStatus => Permission::Watch,
            Self::Connect => Permission::Connect,
        }
    }
}

/// The ticket among the offered subprotocols.
pub fn offered<'a>(mut protocols: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    protocols.find_map(|protocol| protocol.strip_prefix(PREFIX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::token::Token;

    fn path(body: &str) -> Result<SocketPath, ApiError> {
        SocketPath::parse(&Fields::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn a_ticket_is_for_a_path_that_speaks_websocket() {
        assert_eq!(path(r#"{"path":"/ws/doctor-status/"}"#), Ok(SocketPath::DoctorStatus));
        assert_eq!(path(r#"{"path":"/ws/connect"}"#), Ok(SocketPath::Connect));
        for other in
            ["{}", r#"{"path":"/"}"#, r#"{"path":7}"#, r#"{"path":"/ws/connect//"}"#, r#"{"path":"ws/connect"}"#]
        {
            assert_eq!(path(other).unwrap_err().body().field.as_deref(), Some("path"), "{other}");
        }
    }

    #[test]
    fn a_ticket_stands_beside_the_other_subprotocols() {
        assert_eq!(offered(["rollcall.v1", "ticket.abc"].into_iter()), Some("abc"));
        assert_eq!(offered(["rollcall.v1"].into_iter()), None);
    }

    proptest! {
        #[test]
        fn any_offer_is_read(text: String) {
            let _ = offered(text.split(',')).map(Token::parse);
        }
    }
}
