//! Who is connected.

use rollcall_core::{
    ApiError,
    audit::Outcome,
    auth::{Permission, may_in},
    wire::{ActiveConnections, Disconnected, Success},
};

use crate::{
    room::request::Request,
    telemetry::{
        error::Result,
        response::{Response, json},
    },
};

/// Who is connected.
///
/// `GET /api/hms/active-connections`
#[cfg_attr(test, utoipa::path(
    get, path = "/api/hms/active-connections", tag = "Connections", operation_id = "active_connections",
    responses((status = 200, body = rollcall_core::wire::ActiveConnections))
))]
pub async fn list(request: Request) -> Result<Response> {
    request.permitted(Permission::ListConnections)?;
    let active_connections = request.room.sockets.registry();
    Ok(json(&ActiveConnections { status: Success::Success, count: active_connections.len(), active_connections })?)
}

/// Close somebody's sockets.
///
/// `DELETE /api/hms/active-connections/{email}`
#[cfg_attr(test, utoipa::path(
    delete, path = "/api/hms/active-connections/{email}", tag = "Connections", operation_id = "disconnect",
    params(("email" = String, Path, description = "A user of one's hospital.")),
    responses((status = 200, body = Disconnected), (status = 404))
))]
pub async fn disconnect(request: Request) -> Result<Response> {
    let caller = request.permitted(Permission::Disconnect)?;
    let email = request.path_text("email")?.trim();
    let user = request.room.storage.user_by_email(email)?;
    let target_id = user.as_ref().map(|user| user.user_id);
    let decision = user
        .ok_or(ApiError::NotFound)
        .and_then(|user| may_in(&caller.who, Permission::Disconnect, request.room.hospital_id()).map(|()| user));
    let user = caller.decided(Permission::Disconnect, target_id, decision)?;
    caller.record(Permission::Disconnect, Some(user.user_id), Outcome::Done)?;
    let closed = request.room.close_sockets_of(user.user_id, &ApiError::Disconnected)?;
    Ok(json(&Disconnected { status: Success::Success, closed })?)
}
