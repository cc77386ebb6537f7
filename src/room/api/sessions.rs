//! Signing out, and one's own sessions.

use ::http::{HeaderMap, StatusCode, header};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use rollcall_core::{ApiError, auth::Permission, wire::Sessions};

use crate::{
    platform::clock,
    room::{cookies::no_cookie, request::Request},
    telemetry::error::Result,
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
    let cookie = no_cookie(&request.uri).map(|cookie| HeaderMap::from_iter([(header::SET_COOKIE, cookie)]));
    Ok((StatusCode::NO_CONTENT, cookie.unwrap_or_default()).into_response())
}

/// One's own sessions.
///
/// `GET /api/users/sessions`
#[cfg_attr(test, utoipa::path(
    get, path = "/api/users/sessions/", tag = "Signing in", operation_id = "list_sessions",
    responses((status = 200, body = Sessions))
))]
pub async fn list(request: Request) -> Result<Json<Sessions>> {
    let caller = request.permitted(Permission::ListSessions)?;
    Ok(Json(Sessions { sessions: request.room.storage.sessions_of(&caller.who, clock::now())? }))
}

/// End one of one's own sessions.
///
/// `DELETE /api/users/sessions/{id}`
#[cfg_attr(test, utoipa::path(
    delete, path = "/api/users/sessions/{id}/", tag = "Signing in", operation_id = "revoke_session",
    params(("id" = i64, Path, minimum = 1, maximum = 2147483647_i64, description = "A session of one's own.")),
    responses((status = 204, description = "The session is ended, its sockets are closed."), (status = 404))
))]
pub async fn revoke(request: Request) -> Result<StatusCode> {
    let caller = request.permitted(Permission::RevokeSession)?;
    let session_id = request.session_id()?;
    let own = request.room.storage.sessions_of(&caller.who, clock::now())?;
    if !own.iter().any(|session| session.id == session_id) {
        return Err(ApiError::NotFound.into());
    }
    request.room.end_sessions(&[session_id], clock::now())?;
    Ok(StatusCode::NO_CONTENT)
}
