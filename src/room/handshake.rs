//! An upgrade to a WebSocket: what the client shows and offers, as the Worker and the room both read it.

use ::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use rollcall_core::{
    ApiError, HospitalId,
    auth::is_our_origin,
    query::Query,
    ticket,
    token::{Token, TokenKind},
    wire::SUBPROTOCOL,
};
use worker::WebSocket;

use super::{credentials::Credentials, parts::sockets};
use crate::{
    platform::env::{Bindings, SocketAuth},
    telemetry::{
        error::{ErrorCode, Result},
        log,
        response::{Body, Response, with_body},
    },
};

/// What a client shows to be let in.
pub enum Proof {
    /// A session.
    Session(Credentials),
    /// A ticket.
    Ticket(Token),
}

impl Proof {
    /// Reads the proof that a client shows to open a socket. The header goes before the ticket, the ticket before the cookie.
    ///
    /// # Errors
    /// [`ApiError::InvalidToken`] for what cannot be a token.
    pub fn of(headers: &HeaderMap, query: &Query) -> Result<Option<Self>, ApiError> {
        match Self::not_by_itself(headers, query)? {
            Some(proof) => Ok(Some(proof)),
            None => Ok(Credentials::in_cookie(headers)?.map(Self::Session)),
        }
    }

    /// What a browser does not send by itself.
    fn not_by_itself(headers: &HeaderMap, query: &Query) -> Result<Option<Self>, ApiError> {
        if let Some(credentials) = Credentials::in_header(headers)? {
            return Ok(Some(Self::Session(credentials)));
        }
        let ticket = match ticket::offered(offered(headers)) {
            Some(ticket) => Some(ticket),
            None => query.one("ticket")?,
        };
        ticket.map(|ticket| Token::parse(ticket).map(Self::Ticket)).transpose()
    }

    /// The hospital that the token names, if it was issued here.
    pub fn hospital_id(&self, key: &str) -> Option<HospitalId> {
        match self {
            Self::Session(credentials) => credentials.token().hospital_id(TokenKind::Session, key),
            Self::Ticket(ticket) => ticket.hospital_id(TokenKind::Ticket, key),
        }
    }

    /// The token, if Django REST Framework issued it.
    pub fn imported_token(&self) -> Option<&Token> {
        match self {
            Self::Session(credentials) => Some(credentials.token()).filter(|token| token.is_imported()),
            Self::Ticket(_) => None,
        }
    }
}

/// An upgrade that may be accepted, though perhaps only to be closed with the reason.
pub struct Handshake {
    /// Whether a socket needs a session.
    pub auth: SocketAuth,
    /// What the client shows.
    pub proof: Result<Option<Proof>, ApiError>,
    /// The parameters of the URL.
    pub query: Query,
    /// The client offers `rollcall.v1`.
    pub v1: bool,
    /// The subprotocol to confirm: browsers drop a socket that confirms none of those they offered.
    protocol: Option<HeaderValue>,
}

impl Handshake {
    /// Reads an upgrade.
    ///
    /// # Errors
    /// Those that are answered before a socket is accepted.
    pub fn read(headers: &HeaderMap, uri: &Uri, bindings: &Bindings) -> Result<Self> {
        if !headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket")) {
            return Err(ApiError::UpgradeRequired.into());
        }
        let auth = bindings.socket_auth().ok_or_else(|| {
            log::error("SOCKET_AUTH=open is refused if ENVIRONMENT=production: set it to strict");
            ApiError::Unavailable
        })?;
        let query = Query::parse(uri.query().unwrap_or_default());
        // A browser sends cookies by itself; the `Origin` tells for which page.
        let by_cookie = matches!(Proof::not_by_itself(headers, &query), Ok(None)) && has_cookie(headers);
        let proof = Proof::of(headers, &query);
        let origin_needed = headers.contains_key(header::ORIGIN) || by_cookie;
        if auth == SocketAuth::Strict && origin_needed && !has_our_origin(headers, uri, bindings) {
            return Err(ApiError::OriginDenied.into());
        }
        let v1 = offered(headers).any(|protocol| protocol == SUBPROTOCOL);
        let first = offered(headers).next().and_then(|first| HeaderValue::from_str(first).ok());
        let protocol = if v1 { Some(HeaderValue::from_static(SUBPROTOCOL)) } else { first };
        Ok(Self { auth, proof, query, v1, protocol })
    }

    /// Whether the client shows nothing, and need not.
    pub fn is_open(&self) -> bool {
        self.auth == SocketAuth::Open && matches!(self.proof, Ok(None))
    }

    /// The answer to an upgrade: the socket that joined, or one that is closed with the reason, because a browser cannot
    /// read a handshake that was not accepted.
    ///
    /// # Errors
    /// The runtime's.
    pub fn answer(&self, joined: Result<WebSocket>) -> Result<Response> {
        let accepted = |socket| with_body(StatusCode::SWITCHING_PROTOCOLS, Body::Socket(socket));
        let mut response = match joined {
            Ok(socket) => accepted(socket),
            Err(error) => {
                let error = error.into_api_error();
                let mut response = accepted(sockets::reject(&error)?);
                response.extensions_mut().insert(ErrorCode(error.code()));
                response
            }
        };
        if let Some(protocol) = &self.protocol {
            response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol.clone());
        }
        Ok(response)
    }
}

/// Whether the request's `Origin` is this Worker's own, or a listed one. A missing `Origin` is not accepted.
pub fn has_our_origin(headers: &HeaderMap, uri: &Uri, bindings: &Bindings) -> bool {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let own = format!("{}://{authority}", uri.scheme_str().unwrap_or_default());
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    origin.is_some_and(|origin| is_our_origin(origin, &own, &bindings.allowed_origins()))
}

/// Whether a browser sent the cookie of a session by itself, whatever is in it.
fn has_cookie(headers: &HeaderMap) -> bool {
    !matches!(Credentials::in_cookie(headers), Ok(None))
}

/// The subprotocols that a client offers.
fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}
