//! The two WebSocket paths: who may join.

use rollcall_core::{
    ApiError,
    auth::{self, Principal},
    socket::SocketOwner,
    ticket::SocketPath,
};
use worker::WebSocket;

use crate::{
    platform::clock,
    room::{
        handshake::{Handshake, Proof},
        join::Watcher,
        request::Request,
    },
    telemetry::{error::Result, response::Response},
};

/// `GET /ws/doctor-status/`
pub async fn watch(request: Request) -> Result<Response> {
    let handshake = Handshake::read(request.headers(), request.uri(), request.room.bindings())?;
    handshake.answer(join_as_watcher(&request, &handshake))
}

/// `GET /ws/connect/?email=`
pub async fn connect(request: Request) -> Result<Response> {
    let handshake = Handshake::read(request.headers(), request.uri(), request.room.bindings())?;
    handshake.answer(join_as_person(&request, &handshake))
}

fn join_as_watcher(request: &Request, handshake: &Handshake) -> Result<WebSocket> {
    let who = caller(request, handshake, SocketPath::DoctorStatus)?;
    if who.is_none() && request.room.hospital_id() != request.room.bindings().default_hospital() {
        return Err(ApiError::JoinNotAccepted.into());
    }
    let (v1, query) = (handshake.v1, &handshake.query);
    let owner = who.as_ref().map(SocketOwner::from).unwrap_or_default();
    let connections = v1 && query.asks_for_connections();
    request.room.join_as_watcher(Watcher { owner, v1, since: query.resume(), connections })
}

fn join_as_person(request: &Request, handshake: &Handshake) -> Result<WebSocket> {
    let email = handshake.query.email()?;
    let who = caller(request, handshake, SocketPath::Connect)?;
    let user = request.room.storage.user_by_email(email)?;
    let user = user.filter(|user| user.is_active && who.as_ref().is_none_or(|who| who.user_id == user.user_id));
    let user = user.ok_or(ApiError::JoinNotAccepted)?;
    let owner = who.as_ref().map_or(SocketOwner::named(user.user_id), SocketOwner::from);
    request.room.join_as_person(owner, &user, handshake.v1)
}

/// Who joins at `path`: somebody whom a session or a ticket speaks for, which decides also if sockets are open; or nobody
/// in particular, if they are.
///
/// # Errors
/// [`ApiError::JoinNotAccepted`] for every cause.
fn caller(request: &Request, handshake: &Handshake, path: SocketPath) -> Result<Option<Principal>> {
    request.check_in_time().map_err(|error| match error {
        // There is no such hospital.
        ApiError::InvalidToken(_) => ApiError::JoinNotAccepted,
        error => error,
    })?;
    if handshake.is_open() {
        return Ok(None);
    }
    let (room, now) = (&request.room, clock::now());
    let found = match &handshake.proof {
        Ok(Some(Proof::Session(credentials))) => room.session_user(&credentials.token().digest())?,
        Ok(Some(Proof::Ticket(ticket))) => room.storage.use_ticket(&ticket.digest(), path, now, room.hospital_id())?,
        Ok(None) | Err(_) => None,
    };
    let caller = request.as_caller(found.ok_or(ApiError::JoinNotAccepted)?);
    caller.decided(path.permission(), None, auth::may(&caller.who, path.permission()))?;
    Ok(Some(caller.who))
}
