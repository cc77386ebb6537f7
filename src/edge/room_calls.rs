//! Calls of a hospital's room by its RPC method, which only the Worker reaches.

use rollcall_core::{ApiError, HospitalId, internal::RoomCall};
use serde::de::DeserializeOwned;

use crate::{
    platform::{env::Bindings, js},
    telemetry::{context, error::Result},
};

/// Calls a room.
///
/// # Errors
/// The room's own error, or that it could not be reached.
pub async fn call<T: DeserializeOwned>(bindings: &Bindings, hospital_id: HospitalId, call: &RoomCall) -> Result<T> {
    let json = serde_json::to_string(call).map_err(worker::Error::from)?;
    let answer = js::call(&bindings.room(hospital_id)?, &json, context::current().request_id()).await?;
    Ok(serde_json::from_str::<Result<T, ApiError>>(&answer).map_err(worker::Error::from)??)
}
