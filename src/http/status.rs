//! Doctors coming, going, and becoming free.

use axum::{Json, extract::State};
use rollcall_core::{
    auth::{Action, may_set_state_of},
    body::Fields,
    call::Call,
    event::Change,
    wire::{DoctorInfo, StateAnswer},
};
use worker::send::SendFuture;

use super::{auth::SignedIn, body, object_call::ask_room};
use crate::{db::doctors, env::Bindings, error::Result};

/// Come on duty.
///
/// `POST /api/users/login-status/`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/login-status/", tag = "Doctors", operation_id = "login_status",
    request_body = rollcall_core::request::StateChange,
    responses((status = 200, body = StateAnswer), (status = 404))
))]
pub async fn login(
    State(bindings): State<Bindings>,
    who: SignedIn,
    body::OptionalJson(fields): body::OptionalJson,
) -> Result<Json<StateAnswer>> {
    record(bindings, who, fields, Change::Login).await
}

/// Leave duty.
///
/// `POST /api/users/logout-status/`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/logout-status/", tag = "Doctors", operation_id = "logout_status",
    request_body = rollcall_core::request::StateChange,
    responses((status = 200, body = StateAnswer), (status = 404))
))]
pub async fn logout(
    State(bindings): State<Bindings>,
    who: SignedIn,
    body::OptionalJson(fields): body::OptionalJson,
) -> Result<Json<StateAnswer>> {
    record(bindings, who, fields, Change::Logout).await
}

/// Become free for a consultation, or busy.
///
/// `POST /api/users/availability-status/`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/availability-status/", tag = "Doctors", operation_id = "availability_status",
    request_body = rollcall_core::request::AvailabilityChange,
    responses((status = 200, body = StateAnswer), (status = 404))
))]
pub async fn availability(
    State(bindings): State<Bindings>,
    who: SignedIn,
    body::Json(fields): body::Json,
) -> Result<Json<StateAnswer>> {
    let available = fields.flag("is_available_for_consultation")?;
    record(bindings, who, fields, Change::Availability(available)).await
}

/// The doctors who are on duty and free.
///
/// `GET /api/users/online-doctors/`
#[cfg_attr(test, utoipa::path(
    get, path = "/api/users/online-doctors/", tag = "Doctors", operation_id = "online_doctors",
    responses((status = 200, body = Vec<DoctorInfo>))
))]
pub async fn online_doctors(State(bindings): State<Bindings>, caller: SignedIn) -> Result<Json<Vec<DoctorInfo>>> {
    SendFuture::new(async move {
        caller.may(&bindings, Action::ListOnlineDoctors).await?;
        Ok(Json(doctors::online(&bindings.db()?, caller.who.hospital_id).await?))
    })
    .await
}

async fn record(bindings: Bindings, caller: SignedIn, fields: Fields, change: Change) -> Result<Json<StateAnswer>> {
    SendFuture::new(async move {
        let named = fields.optional_id("doctor_id")?;
        let decision = may_set_state_of(&caller.who, named);
        let doctor_id = caller.decided(&bindings, Action::SetState, named, decision).await?;
        let hospital_id = caller.who.hospital_id;
        let call = Call::Record { by: caller.who, doctor_id, change };
        Ok(Json(ask_room(&bindings, hospital_id, &call).await?))
    })
    .await
}
