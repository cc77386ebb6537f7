//! Doctors coming, going, and becoming free.

use axum::{Json, extract::State};
use rollcall_core::{
    auth::may_set_state_of,
    body::Fields,
    call::Call,
    event::Change,
    wire::{DoctorInfo, StateAnswer},
};
use worker::send::SendFuture;

use super::{auth::SignedIn, body, room_call};
use crate::{db::doctors, env::Bindings, error::Result};

/// `POST /api/users/login-status/`
pub async fn login(
    State(bindings): State<Bindings>,
    who: SignedIn,
    body::OptionalJson(fields): body::OptionalJson,
) -> Result<Json<StateAnswer>> {
    record(bindings, who, fields, Change::Login).await
}

/// `POST /api/users/logout-status/`
pub async fn logout(
    State(bindings): State<Bindings>,
    who: SignedIn,
    body::OptionalJson(fields): body::OptionalJson,
) -> Result<Json<StateAnswer>> {
    record(bindings, who, fields, Change::Logout).await
}

/// `POST /api/users/availability-status/`
pub async fn availability(
    State(bindings): State<Bindings>,
    who: SignedIn,
    body::Json(fields): body::Json,
) -> Result<Json<StateAnswer>> {
    let available = fields.flag("is_available_for_consultation")?;
    record(bindings, who, fields, Change::Availability(available)).await
}

/// `GET /api/users/online-doctors/`
pub async fn online_doctors(
    State(bindings): State<Bindings>,
    SignedIn(who): SignedIn,
) -> Result<Json<Vec<DoctorInfo>>> {
    SendFuture::new(async move { Ok(Json(doctors::online(&bindings.db()?, who.hospital_id).await?)) }).await
}

async fn record(
    bindings: Bindings,
    SignedIn(by): SignedIn,
    fields: Fields,
    change: Change,
) -> Result<Json<StateAnswer>> {
    let doctor_id = may_set_state_of(&by, fields.optional_id("doctor_id")?)?;
    let hospital_id = by.hospital_id;
    let call = Call::Record { by, doctor_id, change };
    SendFuture::new(async move { Ok(Json(room_call::ask(&bindings, hospital_id, &call).await?)) }).await
}
