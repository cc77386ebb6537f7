//! Who is connected.

use axum::{Json, extract::State};
use rollcall_core::{
    auth::may_list_connections,
    call::Call,
    wire::{ActiveConnection, ActiveConnections, Success},
};
use worker::send::SendFuture;

use super::{auth::SignedIn, room_call};
use crate::{env::Bindings, error::Result};

/// `GET /api/hms/active-connections`
pub async fn list(State(bindings): State<Bindings>, SignedIn(who): SignedIn) -> Result<Json<ActiveConnections>> {
    may_list_connections(&who)?;
    SendFuture::new(async move {
        let active_connections: Vec<ActiveConnection> =
            room_call::ask(&bindings, who.hospital_id, &Call::Registry).await?;
        let count = active_connections.len();
        Ok(Json(ActiveConnections { status: Success::Success, count, active_connections }))
    })
    .await
}
