//! Who is connected.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use rollcall_core::{
    Rejection,
    account::Name,
    audit::Outcome,
    auth::{Action, may_in},
    call::Call,
    wire::{Disconnected, Success},
};
use serde_json::value::RawValue;
use worker::send::SendFuture;

use super::{auth::SignedIn, object_call::ask_room};
use crate::{db::users, env::Bindings, error::Result};

/// Who is connected.
///
/// `GET /api/hms/active-connections`
#[cfg_attr(test, utoipa::path(
    get, path = "/api/hms/active-connections", tag = "Connections", operation_id = "active_connections",
    responses((status = 200, body = rollcall_core::wire::ActiveConnections))
))]
pub async fn list(State(bindings): State<Bindings>, caller: SignedIn) -> Result<Json<Box<RawValue>>> {
    SendFuture::new(async move {
        caller.may(&bindings, Action::ListConnections).await?;
        Ok(Json(ask_room(&bindings, caller.who.hospital_id, &Call::Registry).await?))
    })
    .await
}

/// Close somebody's sockets.
///
/// `DELETE /api/hms/active-connections/{email}`
#[cfg_attr(test, utoipa::path(
    delete, path = "/api/hms/active-connections/{email}", tag = "Connections", operation_id = "disconnect",
    params(("email" = String, Path, description = "A user of one's hospital.")),
    responses((status = 200, body = Disconnected), (status = 404))
))]
pub async fn disconnect(
    State(bindings): State<Bindings>,
    caller: SignedIn,
    email: Result<Path<String>, PathRejection>,
) -> Result<Json<Disconnected>> {
    SendFuture::new(async move {
        caller.may(&bindings, Action::Disconnect).await?;
        let Path(email) = email.map_err(|_| Rejection::field("email", "Not a valid string."))?;
        let db = bindings.db()?;
        let user = users::by_name(&db, Name::Email(email.trim())).await?.map(|account| account.user);
        let target_id = user.as_ref().map(|user| user.id);
        let decision = user
            .ok_or(Rejection::NotFound)
            .and_then(|user| may_in(&caller.who, Action::Disconnect, user.hospital_id).map(|()| user));
        let user = caller.decided(&bindings, Action::Disconnect, target_id, decision).await?;

        caller.record(Action::Disconnect, Some(user.id), Outcome::Done).save(&db).await?;
        let closed = ask_room(&bindings, user.hospital_id, &Call::Disconnect(user.id)).await?;
        Ok(Json(Disconnected { status: Success::Success, closed }))
    })
    .await
}
