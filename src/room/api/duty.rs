//! Doctors coming on duty, going off it, and becoming free.

use rollcall_core::{
    ApiError, UserId,
    auth::{Permission, may_set_state_of},
    body::Fields,
    event::DutyChange,
    metrics::Count,
    user::UserRecord,
};

use crate::{
    room::{duty::Change, request::Request},
    telemetry::{
        error::Result,
        metrics,
        response::{Response, json},
    },
};

/// Come on duty.
///
/// `POST /api/users/login-status/`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/login-status/", tag = "Doctors", operation_id = "login_status",
    request_body = rollcall_core::request::StateChange,
    responses((status = 200, body = rollcall_core::wire::StateAnswer), (status = 404))
))]
pub async fn login(request: Request) -> Result<Response> {
    set_state(&request, request.optional_fields(), |_| Ok(DutyChange::GoOnDuty))
}

/// Leave duty.
///
/// `POST /api/users/logout-status/`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/logout-status/", tag = "Doctors", operation_id = "logout_status",
    request_body = rollcall_core::request::StateChange,
    responses((status = 200, body = rollcall_core::wire::StateAnswer), (status = 404))
))]
pub async fn logout(request: Request) -> Result<Response> {
    set_state(&request, request.optional_fields(), |_| Ok(DutyChange::GoOffDuty))
}

/// Become free for a consultation, or busy.
///
/// `POST /api/users/availability-status/`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/availability-status/", tag = "Doctors", operation_id = "availability_status",
    request_body = rollcall_core::request::AvailabilityChange,
    responses((status = 200, body = rollcall_core::wire::StateAnswer), (status = 404))
))]
pub async fn availability(request: Request) -> Result<Response> {
    let change = |fields: &Fields| Ok(DutyChange::SetAvailability(fields.bool("is_available_for_consultation")?));
    set_state(&request, request.fields(), change)
}

/// The doctors who are on duty and free.
///
/// `GET /api/users/online-doctors/`
#[cfg_attr(test, utoipa::path(
    get, path = "/api/users/online-doctors/", tag = "Doctors", operation_id = "online_doctors",
    responses((status = 200, body = Vec<rollcall_core::wire::DoctorInfo>))
))]
pub async fn online_doctors(request: Request) -> Result<Response> {
    request.permitted(Permission::ListOnlineDoctors)?;
    let doctors: Vec<_> = request.room.board().online().cloned().collect();
    Ok(json(&doctors)?)
}

/// A state call, from who asks to the answer, without an await.
fn set_state(
    request: &Request,
    fields: Result<Fields, ApiError>,
    change: impl Fn(&Fields) -> Result<DutyChange, ApiError>,
) -> Result<Response> {
    let caller = request.signed_in()?;
    let fields = fields?;
    let (change, named) = (change(&fields)?, fields.optional_id("doctor_id")?.map(UserId::new));
    let doctor_id = caller.decided(Permission::SetState, named, may_set_state_of(&caller.who, named))?;
    let doctor = match doctor_id == caller.who.user_id {
        true => Some(caller.user),
        false => request.room.storage.user(doctor_id)?,
    };
    let doctor = doctor.filter(UserRecord::is_active_doctor).ok_or(ApiError::NotFound)?;
    let answer = request.room.change_duty(&Change::by(&caller.who, doctor, change))?;
    if answer.changed {
        metrics::count(Count::Announced(request.age()));
    }
    Ok(json(&answer)?)
}
