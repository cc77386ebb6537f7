//! The two WebSocket paths: who may join, and which room they join.

use ::http::{HeaderMap, header, request::Parts};
use axum::{
    extract::{FromRequestParts, State},
    response::Response,
};
use rollcall_core::{
    Id, Rejection,
    auth::may_watch,
    call::Call,
    query::Query,
    socket::Opener,
    wire::{Role, SUBPROTOCOL},
};
use worker::{console_error, send::SendFuture};

use super::{
    auth::{Credentials, has_our_origin},
    room_call,
};
use crate::{
    db::users::{self, Name},
    env::{Bindings, SocketAuth},
    error::{Error, Result},
    room,
};

/// `GET /ws/doctor-status/`
pub async fn watch(State(bindings): State<Bindings>, handshake: Handshake) -> Result<Response> {
    SendFuture::new(async move {
        let admitted = watcher(&bindings, &handshake).await;
        join(&bindings, admitted, handshake.v1).await
    })
    .await
}

/// `GET /ws/connect/?email=`
pub async fn connect(State(bindings): State<Bindings>, handshake: Handshake) -> Result<Response> {
    SendFuture::new(async move {
        let admitted = person(&bindings, &handshake).await;
        join(&bindings, admitted, handshake.v1).await
    })
    .await
}

/// An upgrade that may be accepted, though perhaps only to be closed with the reason.
pub struct Handshake {
    auth: SocketAuth,
    credentials: Result<Option<Credentials>, Rejection>,
    query: Query,
    /// The client offers `rollcall.v1`.
    v1: bool,
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
            console_error!("SOCKET_AUTH=open is refused where ENVIRONMENT=production: set it to strict");
            Rejection::Unavailable
        })?;
        let origin_needed = headers.contains_key(header::ORIGIN) || headers.contains_key(header::COOKIE);
        if auth == SocketAuth::Strict && origin_needed && !has_our_origin(headers, &parts.uri, bindings) {
            return Err(Rejection::OriginDenied.into());
        }
        Ok(Self {
            auth,
            credentials: Credentials::of(headers),
            query: Query::parse(parts.uri.query().unwrap_or_default()),
            v1: offers_v1(headers),
        })
    }
}

/// Who may watch, and where. A session that is given decides, also where sockets are open.
async fn watcher(bindings: &Bindings, handshake: &Handshake) -> Result<(Id, Call)> {
    let (v1, since) = (handshake.v1, handshake.query.resume());
    let by = match (&handshake.credentials, handshake.auth) {
        (Err(rejection), _) => return Err(rejection.clone().into()),
        (Ok(Some(credentials)), _) => credentials.principal(bindings).await?,
        (Ok(None), SocketAuth::Open) => {
            return Ok((bindings.default_hospital(), Call::Watch { opener: Opener::default(), v1, since }));
        }
        (Ok(None), SocketAuth::Strict) => return Err(Rejection::NotAuthenticated.into()),
    };
    may_watch(&by)?;
    Ok((by.hospital_id, Call::Watch { opener: Opener::from(&by), v1, since }))
}

/// Whose connection it is, and where. Every cause of a refusal reads the same.
async fn person(bindings: &Bindings, handshake: &Handshake) -> Result<(Id, Call)> {
    let email = handshake.query.email()?;
    let by = match (&handshake.credentials, handshake.auth) {
        (Ok(Some(credentials)), _) => match credentials.principal(bindings).await {
            Ok(by) => Some(by),
            Err(Error::Rejection(_)) => return Err(Rejection::EmailNotAccepted.into()),
            Err(platform) => return Err(platform),
        },
        (Ok(None), SocketAuth::Open) => None,
        (Ok(None), SocketAuth::Strict) | (Err(_), _) => return Err(Rejection::EmailNotAccepted.into()),
    };
    let user = users::by_name(&bindings.db()?, Name::Email(email))
        .await?
        .map(|account| account.user)
        .filter(|user| user.is_active && by.as_ref().is_none_or(|by| by.user_id == user.id))
        .ok_or(Rejection::EmailNotAccepted)?;
    let opener = by.as_ref().map_or(Opener::named(user.id), Opener::from);
    let doctor = user.role == Role::Doctor;
    Ok((user.hospital_id, Call::Connect { opener, email: user.email, doctor }))
}

/// Joins the room, or is accepted and closed with the reason: a browser cannot read a refused handshake.
async fn join(bindings: &Bindings, admitted: Result<(Id, Call)>, v1: bool) -> Result<Response> {
    let joined = match admitted {
        Ok((hospital_id, call)) => room_call::upgrade(bindings, hospital_id, &call, v1).await,
        Err(refused) => Err(refused),
    };
    match joined {
        Ok(response) => Ok(response.into()),
        Err(error) => Ok(room::refuse(&error.into_rejection(), v1)?.into()),
    }
}

fn offers_v1(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offered| offered.trim() == SUBPROTOCOL)
}
