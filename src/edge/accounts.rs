//! Changes to users: the Worker hashes passwords, the hospital's room decides and stores.

use ::http::{HeaderMap, Method, StatusCode, Uri};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    response::Response,
};
use rollcall_core::{
    ApiError,
    account::{NewUser, UserEdit, new_password},
    auth::Permission,
    error::TokenFault,
    internal::{Authorized, RoomCall},
    password,
    wire::{TemporaryPassword, User},
};
use worker::send::SendFuture;

use super::{
    request::{self, caller, user_id},
    room_calls::call,
    sign_in::{new_session, signed_in},
    verification::{hash, verified},
};
use crate::{
    d1::users,
    platform::{clock, env::Bindings, random},
    telemetry::{
        context,
        error::{Error, Result},
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
pub async fn change_password(
    State(bindings): State<Bindings>,
    (method, uri, headers): (Method, Uri, HeaderMap),
    body: Result<request::Json>,
) -> Result<Response> {
    SendFuture::new(async move {
        let (hospital_id, by) = caller(&headers, &uri, &method, &bindings).await?;
        let authorize = RoomCall::Authorize { by: by.clone(), permission: Permission::ChangePassword };
        let Authorized { who } = call(&bindings, hospital_id, &authorize).await?;
        context::set_principal(&who);
        let request::Json(fields) = body?;
        let current = fields.text("current_password")?;
        let new = new_password(&fields, "new_password")?;
        if current == new {
            return Err(ApiError::field("new_password", "Choose another password than the current one.").into());
        }
        let account = users::by_id(&bindings.db()?, who.user_id).await?;
        let email = account.ok_or(ApiError::InvalidToken(TokenFault::NotValid))?.user.email;
        let name = rollcall_core::account::LoginName::Email(&email);
        let account = match verified(&bindings, &headers, name, current).await {
            Err(Error::Api(ApiError::InvalidCredentials)) => {
                return Err(ApiError::field("current_password", "Invalid password.").into());
            }
            verified => verified?,
        };
        let (token, session) = new_session(&bindings, hospital_id, &headers)?;
        let version = account.user.version;
        let change = RoomCall::ChangePassword { by, version, password_hash: hash(&new)?, session };
        let opened = call(&bindings, hospital_id, &change).await?;
        Ok(signed_in(&token, opened, &uri))
    })
    .await
}

/// Give a user a temporary password, which is good for choosing another one.
///
/// `POST /api/users/{id}/reset-password`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/{id}/reset-password/", tag = "Users", operation_id = "reset_password",
    params(("id" = i64, Path, minimum = 1, maximum = 2147483647_i64, description = "A user of one's hospital.")),
    responses((status = 200, body = TemporaryPassword), (status = 404))
))]
pub async fn reset_password(
    State(bindings): State<Bindings>,
    (method, uri, headers): (Method, Uri, HeaderMap),
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<TemporaryPassword>> {
    SendFuture::new(async move {
        let (hospital_id, by) = caller(&headers, &uri, &method, &bindings).await?;
        let authorize = RoomCall::Authorize { by: by.clone(), permission: Permission::ResetPassword };
        let Authorized { who } = call(&bindings, hospital_id, &authorize).await?;
        context::set_principal(&who);
        let user_id = user_id(id)?;
        let temporary_password = password::temporary(random::bytes()?);
        let expires_at = clock::now() + password::TEMPORARY_LIFETIME;
        let password_hash = hash(&temporary_password)?;
        let reset = RoomCall::ResetPassword { by, user_id, password_hash, until: expires_at };
        call::<()>(&bindings, hospital_id, &reset).await?;
        Ok(Json(TemporaryPassword { temporary_password, expires_at }))
    })
    .await
}

/// Add a user.
///
/// `POST /api/users`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/", tag = "Users", operation_id = "create_user",
    request_body = NewUser,
    responses((status = 201, body = User), (status = 404), (status = 409))
))]
pub async fn create(
    State(bindings): State<Bindings>,
    (method, uri, headers): (Method, Uri, HeaderMap),
    body: Result<request::Json>,
) -> Result<(StatusCode, Json<User>)> {
    SendFuture::new(async move {
        let (hospital_id, by) = caller(&headers, &uri, &method, &bindings).await?;
        let authorize = RoomCall::Authorize { by: by.clone(), permission: Permission::CreateUser };
        let Authorized { who } = call(&bindings, hospital_id, &authorize).await?;
        context::set_principal(&who);
        let user = NewUser::parse(&body?.0)?;
        let password_hash = hash(&user.password)?;
        let created = call(&bindings, hospital_id, &RoomCall::CreateUser { by, user, password_hash }).await?;
        Ok((StatusCode::CREATED, Json(created)))
    })
    .await
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
pub async fn edit(
    State(bindings): State<Bindings>,
    (method, uri, headers): (Method, Uri, HeaderMap),
    id: Result<Path<String>, PathRejection>,
    body: Result<request::Json>,
) -> Result<Json<User>> {
    SendFuture::new(async move {
        let (hospital_id, by) = caller(&headers, &uri, &method, &bindings).await?;
        let authorize = RoomCall::Authorize { by: by.clone(), permission: Permission::EditUser };
        let Authorized { who } = call(&bindings, hospital_id, &authorize).await?;
        context::set_principal(&who);
        let (user_id, edit) = (user_id(id)?, UserEdit::parse(&body?.0)?);
        let password_hash = edit.password.as_deref().map(hash).transpose()?;
        let change = RoomCall::EditUser { by, user_id, edit, password_hash };
        Ok(Json(call(&bindings, hospital_id, &change).await?))
    })
    .await
}
