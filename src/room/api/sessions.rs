//! Signing out, and one's own sessions.

use ::http::{StatusCode, header};
use rollcall_core::{ApiError, auth::Permission, wire::Sessions};

use crate::{
    platform::clock,
    room::{cookies::no_cookie, request::Request},
    telemetry::{
        error::Result,
        response::{Response, empty, json},
    },
};

/// Sign out.
///
/// `POST /api/users/logout`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/logout/", tag = "Signing in", operation_id = "logout",
    responses((status = 204, description = "The session is ended, its sockets are closed."))
))]
pub async fn logout(request: Request) -> Result<Response> {
    let caller = request.permitted(Permission::SignOut)?;
    request.room.end_sessions(&[caller.who.session_id], clock::now())?;
    let mut response = empty(StatusCode::NO_CONTENT);
    if let Some(cookie) = no_cookie(request.uri()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// One's own sessions.
///
/// `GET /api/users/sessions`
#[cfg_attr(test, utoipa::path(
    get, path = "/api/users/sessions/", tag = "Signing in", operation_id = "list_sessions",
    responses((status = 200, body = Sessions))
))]
pub async fn list(request: Request) -> Result<Response> {
    let caller = request.permitted(Permission::ListSessions)?;
    Ok(json(&Sessions { sessions: request.room.storage.sessions_of(&caller.who, clock::now())? })?)
}

/// End one of one's own sessions.
///
/// `DELETE /api/users/sessions/{id}`
#[cfg_attr(test, utoipa::path(
    delete, path = "/api/users/sessions/{id}/", tag = "Signing in", operation_id = "revoke_session",
    params(("id" = i64, Path, minimum = 1, maximum = 2147483647_i64, description = "A session of one's own.")),
    responses((status = 204, description = "The session is ended, its sockets are closed."), (status = 404))
))]
pub async fn revoke(request: Request) -> Result<Response> {
    let caller = request.permitted(Permission::RevokeSession)?;
    let session_id = request.session_id()?;
    let own = request.room.storage.sessions_of(&caller.who, clock::now())?;
    if !own.iter().any(|session| session.id == session_id) {
        return Err(ApiError::NotFound.into());
    }
    request.room.end_sessions(&[session_id], clock::now())?;
    Ok(empty(StatusCode::NO_CONTENT))
}
