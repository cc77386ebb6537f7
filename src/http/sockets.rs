//! The two WebSocket paths: who may join, and which room they join.

use ::http::{HeaderMap, HeaderValue, header, request::Parts};
use axum::{
    extract::{FromRequestParts, State},
    response::Response,
};
use rollcall_core::{
    Rejection,
    account::Name,
    call::{Call, Place},
    query::Query,
    socket::Opener,
    ticket::{self, SocketPath},
    token::Token,
    wire::{Role, SUBPROTOCOL},
};
use worker::send::SendFuture;

use super::{
    auth::{Credentials, SignedIn, address, has_our_origin},
    object_call,
};
use crate::{
    clock,
    db::{sessions, users},
    env::{Bindings, SocketAuth},
    error::{Error, Refusal, Result},
    log, random, room,
};

/// `GET /ws/doctor-status/`
pub async fn watch(State(bindings): State<Bindings>, handshake: Handshake) -> Result<Response> {
    SendFuture::new(async move {
        let admitted = watcher(&bindings, &handshake).await;
        join(&bindings, admitted, &handshake).await
    })
    .await
}

/// `GET /ws/connect/?email=`
pub async fn connect(State(bindings): State<Bindings>, handshake: Handshake) -> Result<Response> {
    SendFuture::new(async move {
        let admitted = person(&bindings, &handshake).await;
        join(&bindings, admitted, &handshake).await
    })
    .await
}

/// An upgrade that may be accepted, though perhaps only to be closed with the reason.
pub struct Handshake {
    auth: SocketAuth,
    proof: Result<Option<Proof>, Rejection>,
    query: Query,
    /// The client offers `rollcall.v1`.
    v1: bool,
    /// The subprotocol to confirm: browsers drop a socket that confirms none of those they offered.
    protocol: Option<HeaderValue>,
    address: String,
}

/// What somebody shows to be let in.
enum Proof {
    Session(Credentials),
    Ticket(Token),
}

impl FromRequestParts<Bindings> for Handshake {
    type Rejection = Error;

    /// What is refused here is refused before a socket is accepted.
    async fn from_request_parts(parts: &mut Parts, bindings: &Bindings) -> Result<Self> {
        let headers = &parts.headers;
        if !headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket")) {
            return Err(Rejection::UpgradeRequired.into());
        }
        let auth = bindings.socket_auth().ok_or_else(|| {
            log::error("SOCKET_AUTH=open is refused where ENVIRONMENT=production: set it to strict");
            Rejection::Unavailable
        })?;
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        // A browser sends cookies by itself; the `Origin` tells for which page.
        let (proof, by_cookie) = match shown(headers, &query) {
            Ok(None) => {
                let cookie = Credentials::in_cookie(headers);
                let sent = !matches!(cookie, Ok(None));
                (cookie.map(|credentials| credentials.map(Proof::Session)), sent)
            }
            shown => (shown, false),
        };
        let origin_needed = headers.contains_key(header::ORIGIN) || by_cookie;
        if auth == SocketAuth::Strict && origin_needed && !has_our_origin(headers, &parts.uri, bindings) {
            return Err(Rejection::OriginDenied.into());
        }
        let v1 = offered(headers).any(|protocol| protocol == SUBPROTOCOL);
        let first = offered(headers).next().and_then(|first| HeaderValue::from_str(first).ok());
        let protocol = if v1 { Some(HeaderValue::from_static(SUBPROTOCOL)) } else { first };
        Ok(Self { auth, proof, query, v1, protocol, address: address(headers).into() })
    }
}

/// What a client shows by itself, the header before the ticket; the cookie comes after both.
fn shown(headers: &HeaderMap, query: &Query) -> Result<Option<Proof>, Rejection> {
    if let Some(credentials) = Credentials::in_header(headers)? {
        return Ok(Some(Proof::Session(credentials)));
    }
    let ticket = match ticket::offered(offered(headers)) {
        Some(ticket) => Some(ticket),
        None => query.one("ticket")?,
    };
    ticket.map(|ticket| Token::parse(ticket).map(Proof::Ticket)).transpose()
}

/// The subprotocols that a client offers.
fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

impl Handshake {
    /// Who joins at `path`: somebody whom a session or a ticket speaks for, which decides also where sockets are open;
    /// or nobody in particular, where they are.
    ///
    /// # Errors
    /// [`Rejection::JoinNotAccepted`] for every cause.
    async fn caller(&self, bindings: &Bindings, path: SocketPath) -> Result<Option<SignedIn>> {
        let who = match (&self.proof, self.auth) {
            (Ok(Some(Proof::Session(credentials))), _) => match credentials.principal(bindings).await {
                Err(Error::Rejection(_)) => None,
                who => Some(who?),
            },
            (Ok(Some(Proof::Ticket(ticket))), _) => {
                sessions::use_ticket(&bindings.db()?, ticket, path, clock::now()).await?
            }
            (Ok(None), SocketAuth::Open) => return Ok(None),
            (Ok(None), SocketAuth::Strict) | (Err(_), _) => None,
        };
        let who = who.ok_or(Rejection::JoinNotAccepted)?;
        log::is_by(&who);
        let caller = SignedIn { who, address: self.address.clone() };
        caller.may(bindings, path.action()).await?;
        Ok(Some(caller))
    }
}

/// Who watches, and where. All dashboards of a user watch in the same place, which counts them.
async fn watcher(bindings: &Bindings, handshake: &Handshake) -> Result<(Place, Call)> {
    let caller = handshake.caller(bindings, SocketPath::DoctorStatus).await?;
    let (hospital_id, opener) = match caller {
        Some(SignedIn { who, .. }) => (who.hospital_id, Opener::from(&who)),
        None => (bindings.default_hospital(), Opener::default()),
    };
    let Handshake { v1, query, .. } = handshake;
    let (since, connections) = (query.resume(), *v1 && query.asks_for_connections());
    let relays = bindings.watch_relays();
    let place = match opener.user_id {
        Some(user_id) => Place::watched_by(user_id, hospital_id, relays),
        None => Place::to_watch(hospital_id, relays, &random::bytes::<8>()?),
    };
    Ok((place, Call::Watch { opener, v1: *v1, since, connections }))
}

/// Whose connection it is, and where.
async fn person(bindings: &Bindings, handshake: &Handshake) -> Result<(Place, Call)> {
    let email = handshake.query.email()?;
    let by = handshake.caller(bindings, SocketPath::Connect).await?.map(|caller| caller.who);
    let user = users::by_name(&bindings.db()?, Name::Email(email))
        .await?
        .map(|account| account.user)
        .filter(|user| user.is_active && by.as_ref().is_none_or(|by| by.user_id == user.id))
        .ok_or(Rejection::JoinNotAccepted)?;
    let opener = by.as_ref().map_or(Opener::named(user.id), Opener::from);
    let doctor = user.role == Role::Doctor;
    Ok((Place::room(user.hospital_id), Call::Connect { opener, email: user.email, doctor, v1: handshake.v1 }))
}

/// Joins the room, or is accepted and closed with the reason: a browser cannot read a refused handshake.
async fn join(bindings: &Bindings, admitted: Result<(Place, Call)>, handshake: &Handshake) -> Result<Response> {
    let joined = match admitted {
        Ok((place, call)) => object_call::upgrade(bindings, place, &call).await,
        Err(refused) => Err(refused),
    };
    let mut response: Response = match joined {
        Ok(response) => response.into(),
        Err(error) => {
            let rejection = error.into_rejection();
            let mut response: Response = room::refuse(&rejection)?.into();
            response.extensions_mut().insert(Refusal(rejection.code()));
            response
        }
    };
    if let Some(protocol) = &handshake.protocol {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol.clone());
    }
    Ok(response)
}
