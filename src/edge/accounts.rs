//! Changes to users: the Worker hashes passwords, the hospital's room decides and stores.

use ::http::StatusCode;
use rollcall_core::{
    ApiError, HospitalId,
    account::{NewUser, UserEdit, new_password},
    auth::{Permission, Principal},
    error::TokenFault,
    internal::{Authorized, Caller, RoomCall},
    password,
    wire::{TemporaryPassword, User},
};

use super::{
    request::Request,
    room_calls::call,
    sign_in::{new_session, signed_in},
    verification::{hash, verified},
};
use crate::{
    d1::users,
    platform::{clock, random},
    telemetry::{
        context,
        error::{Error, Result},
        response::{Response, json},
    },
};

/// Choose another password: ends every session, and opens a new one.
///
/// `POST /api/users/password`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/password/", tag = "Signing in", operation_id = "change_password",
    request_body = rollcall_core::request::PasswordChange,
    responses((status = 200, body = rollcall_core::wire::Login), (status = 429))
))]
pub async fn change_password(request: Request) -> Result<Response> {
    let bindings = &request.bindings;
    let (hospital_id, by, who) = authorized(&request, Permission::ChangePassword).await?;
    let fields = request.fields().await?;
    let current = fields.text("current_password")?;
    let new = new_password(&fields, "new_password")?;
    if current == new {
        return Err(ApiError::field("new_password", "Choose another password than the current one.").into());
    }
    let account = users::by_id(&bindings.db()?, who.user_id).await?;
    let email = account.ok_or(ApiError::InvalidToken(TokenFault::NotValid))?.user.email;
    let name = rollcall_core::account::LoginName::Email(&email);
    let account = match verified(bindings, request.headers(), name, current).await {
        Err(Error::Api(ApiError::InvalidCredentials)) => {
            return Err(ApiError::field("current_password", "Invalid password.").into());
        }
        verified => verified?,
    };
    let (token, session) = new_session(bindings, hospital_id, request.headers())?;
    let version = account.user.version;
    let change = RoomCall::ChangePassword { by, version, password_hash: hash(&new)?, session };
    let opened = call(bindings, hospital_id, &change).await?;
    signed_in(&token, opened, request.uri())
}

/// Give a user a temporary password, which is good for choosing another one.
///
/// `POST /api/users/{id}/reset-password`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/{id}/reset-password/", tag = "Users", operation_id = "reset_password",
    params(("id" = i64, Path, minimum = 1, maximum = 2147483647_i64, description = "A user of one's hospital.")),
    responses((status = 200, body = TemporaryPassword), (status = 404))
))]
pub async fn reset_password(request: Request) -> Result<Response> {
    let bindings = &request.bindings;
    let (hospital_id, by, _) = authorized(&request, Permission::ResetPassword).await?;
    let user_id = request.user_id()?;
    let temporary_password = password::temporary(random::bytes()?);
    let expires_at = clock::now() + password::TEMPORARY_LIFETIME;
    let password_hash = hash(&temporary_password)?;
    let reset = RoomCall::ResetPassword { by, user_id, password_hash, until: expires_at };
    call::<()>(bindings, hospital_id, &reset).await?;
    Ok(json(&TemporaryPassword { temporary_password, expires_at })?)
}

/// Add a user.
///
/// `POST /api/users`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/", tag = "Users", operation_id = "create_user",
    request_body = NewUser,
    responses((status = 201, body = User), (status = 404), (status = 409))
))]
pub async fn create(request: Request) -> Result<Response> {
    let bindings = &request.bindings;
    let (hospital_id, by, _) = authorized(&request, Permission::CreateUser).await?;
    let user = NewUser::parse(&request.fields().await?)?;
    let password_hash = hash(&user.password)?;
    let create = RoomCall::CreateUser { by, user, password_hash };
    let mut response = json(&call::<User>(bindings, hospital_id, &create).await?)?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// Change a user.
///
/// `PATCH /api/users/{id}`
#[cfg_attr(test, utoipa::path(
    patch, path = "/api/users/{id}/", tag = "Users", operation_id = "edit_user",
    params(("id" = i64, Path, minimum = 1, maximum = 2147483647_i64, description = "A user of one's hospital.")),
    request_body = UserEdit,
    responses((status = 200, body = User), (status = 404), (status = 409))
))]
pub async fn edit(request: Request) -> Result<Response> {
    let bindings = &request.bindings;
    let (hospital_id, by, _) = authorized(&request, Permission::EditUser).await?;
    let (user_id, edit) = (request.user_id()?, UserEdit::parse(&request.fields().await?)?);
    let password_hash = edit.password.as_deref().map(hash).transpose()?;
    let change = RoomCall::EditUser { by, user_id, edit, password_hash };
    Ok(json(&call::<User>(bindings, hospital_id, &change).await?)?)
}

/// Asks the room whether the caller may do this. Returns the hospital, the caller as its room looks them up, and the
/// principal.
async fn authorized(request: &Request, permission: Permission) -> Result<(HospitalId, Caller, Principal)> {
    let (hospital_id, by) = request.caller().await?;
    let authorize = RoomCall::Authorize { by: by.clone(), permission };
    let Authorized { who } = call(&request.bindings, hospital_id, &authorize).await?;
    context::set_principal(&who);
    Ok((hospital_id, by, who))
}
