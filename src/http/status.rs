//! Doctors coming, going, and becoming free.

use axum::{Json, extract::State};
use rollcall_core::{
    Id, Rejection,
    auth::{Action, Principal, may_set_state_of},
    body::Fields,
    call::Call,
    event::Change,
    wire::DoctorInfo,
};
use serde_json::value::RawValue;
use worker::send::SendFuture;

use super::{
    auth::{Caller, SignedIn},
    body,
    object_call::ask_room,
};
use crate::{
    db::doctors,
    env::Bindings,
    error::{Error, Result},
};

/// Come on duty.
///
/// `POST /api/users/login-status/`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/login-status/", tag = "Doctors", operation_id = "login_status",
    request_body = rollcall_core::request::StateChange,
    responses((status = 200, body = rollcall_core::wire::StateAnswer), (status = 404))
))]
pub async fn login(
    State(bindings): State<Bindings>,
    caller: Caller,
    fields: Result<body::OptionalJson>,
) -> Result<Json<Box<RawValue>>> {
    record(bindings, caller, fields.map(|body| body.0), |_| Ok(Change::Login)).await
}

/// Leave duty.
///
/// `POST /api/users/logout-status/`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/logout-status/", tag = "Doctors", operation_id = "logout_status",
    request_body = rollcall_core::request::StateChange,
    responses((status = 200, body = rollcall_core::wire::StateAnswer), (status = 404))
))]
pub async fn logout(
    State(bindings): State<Bindings>,
    caller: Caller,
    fields: Result<body::OptionalJson>,
) -> Result<Json<Box<RawValue>>> {
    record(bindings, caller, fields.map(|body| body.0), |_| Ok(Change::Logout)).await
}

/// Become free for a consultation, or busy.
///
/// `POST /api/users/availability-status/`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/availability-status/", tag = "Doctors", operation_id = "availability_status",
    request_body = rollcall_core::request::AvailabilityChange,
    responses((status = 200, body = rollcall_core::wire::StateAnswer), (status = 404))
))]
pub async fn availability(
    State(bindings): State<Bindings>,
    caller: Caller,
    fields: Result<body::Json>,
) -> Result<Json<Box<RawValue>>> {
    let change = |fields: &Fields| Ok(Change::Availability(fields.flag("is_available_for_consultation")?));
    record(bindings, caller, fields.map(|body| body.0), change).await
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

/// Asks the room for a change. Whoever was here before is not looked up first: the room asks the database with the change
/// itself, in one go, whether they are still who they were. Only if not, or if they are to be refused, are they looked up.
async fn record(
    bindings: Bindings,
    caller: Caller,
    fields: Result<Fields>,
    change: impl Fn(&Fields) -> Result<Change, Rejection>,
) -> Result<Json<Box<RawValue>>> {
    SendFuture::new(async move {
        if let (Some(who), Ok(fields)) = (caller.was(), &fields)
            && let (Ok(named), Ok(change)) = (fields.optional_id("doctor_id"), change(fields))
            && let Ok(doctor_id) = may_set_state_of(&who, named)
        {
            match ask(&bindings, who, doctor_id, change).await {
                Err(Error::Rejection(Rejection::InvalidToken(_))) => {}
                answer => return answer,
            }
        }
        let caller = caller.look_up(&bindings).await?;
        let fields = fields?;
        let (change, named) = (change(&fields)?, fields.optional_id("doctor_id")?);
        let decision = may_set_state_of(&caller.who, named);
        let doctor_id = caller.decided(&bindings, Action::SetState, named, decision).await?;
        ask(&bindings, caller.who, doctor_id, change).await
    })
    .await
}

/// The room's answer, as it wrote it.
async fn ask(bindings: &Bindings, by: Principal, doctor_id: Id, change: Change) -> Result<Json<Box<RawValue>>> {
    let hospital_id = by.hospital_id;
    Ok(Json(ask_room(bindings, hospital_id, &Call::Record { by, doctor_id, change }).await?))
}
