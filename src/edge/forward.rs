//! Requests for a room: handed on to it, or refused.

use ::http::{HeaderMap, StatusCode};
use rollcall_core::{ApiError, error::TokenFault, query::Query, ticket::SocketPath};
use wasm_bindgen::JsValue;

use super::{
    hospital::{self, socket_path},
    request::Request,
};
use crate::{
    room::{credentials::Credentials, handshake::Handshake},
    telemetry::{
        error::{Error, Result},
        response::{Body, Response, with_body},
    },
};

/// Finds the room of the hospital that a request names: it is handed the request untouched, and its answer is returned as
/// it is.
///
/// # Errors
/// That the request names no hospital, or that this could not be found out; a join is accepted, and closed instead.
pub async fn to_room(request: Request) -> Result<Response> {
    match room_of(&request).await {
        Ok(room) => Ok(with_body(StatusCode::OK, Body::OfRoom(room))),
        Err(error) => refuse(&request, error),
    }
}

/// Answers a request whose room could not be found or reached, or that names none.
///
/// # Errors
/// `error`, if it is not a join.
pub fn refuse(request: &Request, error: Error) -> Result<Response> {
    match socket_path(request.uri().path()) {
        Some(_) => Handshake::read(request.headers(), request.uri(), &request.bindings)?.answer(Err(error)),
        None => Err(error),
    }
}

async fn room_of(request: &Request) -> Result<JsValue> {
    let hospital_id = hospital::of_request(request.headers(), request.uri(), &request.bindings).await?;
    Ok(request.bindings.room(hospital_id.ok_or_else(|| why_not(request))?)?)
}

/// Why a request names no hospital.
fn why_not(request: &Request) -> ApiError {
    match socket_path(request.uri().path()) {
        Some(path) => why_not_joined(path, &Query::parse(request.uri().query().unwrap_or_default())),
        None => why_not_signed_in(request.headers()),
    }
}

fn why_not_joined(path: SocketPath, query: &Query) -> ApiError {
    let email = if path == SocketPath::Connect { query.email().map(drop) } else { Ok(()) };
    email.err().unwrap_or(ApiError::JoinNotAccepted)
}

fn why_not_signed_in(headers: &HeaderMap) -> ApiError {
    match Credentials::of(headers) {
        Err(error) => error,
        Ok(None) => ApiError::NotAuthenticated,
        Ok(Some(_)) => ApiError::InvalidToken(TokenFault::NotValid),
    }
}
