//! New passwords: one's own, and those that an administrator gives.

use ::http::{HeaderMap, Uri};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    response::Response,
};
use rollcall_core::{
    Id, Rejection,
    account::{Name, new_password},
    audit::Outcome,
    auth::{Action, may_reset_password},
    call::Call,
    password,
    rejection::TokenFault,
    token::LIFETIME,
    wire::{TemporaryPassword, User},
};
use worker::send::SendFuture;

use super::{
    auth::SignedIn,
    body,
    object_call::ask_room,
    sessions::{new_token, signed_in, user_agent},
    users::target,
    verification::verified,
};
use crate::{
    clock,
    db::{
        accounts::{self, SignIn},
        sessions, users,
    },
    env::Bindings,
    error::{Error, Result},
    random,
};

/// Choose another password: ends every session, and opens a new one.
///
/// `POST /api/users/password`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/password/", tag = "Signing in", operation_id = "change_password",
    request_body = rollcall_core::request::PasswordChange,
    responses((status = 200, body = rollcall_core::wire::Login), (status = 429))
))]
pub async fn change(
    State(bindings): State<Bindings>,
    caller: SignedIn,
    uri: Uri,
    headers: HeaderMap,
    body::Json(fields): body::Json,
) -> Result<Response> {
    SendFuture::new(async move {
        caller.may(&bindings, Action::ChangePassword).await?;
        let current = fields.text("current_password")?;
        let new = new_password(&fields, "new_password")?;
        if current == new {
            return Err(Rejection::field("new_password", "Choose another password than the current one.").into());
        }
        let (db, who) = (bindings.db()?, &caller.who);
        let invalid_token = Rejection::InvalidToken(TokenFault::NotValid);
        let email = users::by_id(&db, who.user_id).await?.ok_or(invalid_token.clone())?.user.email;
        let account = match verified(&bindings, &headers, Name::Email(&email), current).await {
            Err(Error::Rejection(Rejection::InvalidCredentials)) => {
                return Err(Rejection::field("current_password", "Invalid password.").into());
            }
            verified => verified?,
        };
        let end = async |session_ids| {
            ask_room::<()>(&bindings, who.hospital_id, &Call::EndSessions { user_id: who.user_id, session_ids }).await
        };
        // The room first: if it cannot be reached, nothing has happened yet, and the caller can try again.
        end(sessions::list(&db, who, clock::now()).await?.iter().map(|session| session.id).collect()).await?;
        let token = new_token()?;
        let shown = SignIn {
            user_id: who.user_id,
            password_hash: &account.password_hash,
            token: &token,
            user_agent: user_agent(&headers),
        };
        let record = caller.record(Action::ChangePassword, None, Outcome::Done);
        let expires_at = record.now + LIFETIME;
        let ended = accounts::change_password(&db, shown, &hash(&new)?, record).await?.ok_or(invalid_token)?;
        // Those that were opened in between, too. The password is changed by now: the caller has to learn their token.
        let _ = end(ended).await.map_err(Error::into_rejection);
        Ok(signed_in(&token, expires_at, User { must_change_password: false, ..account.user }, &uri))
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
pub async fn reset(
    State(bindings): State<Bindings>,
    caller: SignedIn,
    user_id: Result<Path<Id>, PathRejection>,
) -> Result<Json<TemporaryPassword>> {
    SendFuture::new(async move {
        caller.may(&bindings, Action::ResetPassword).await?;
        let user_id = body::id(user_id)?;
        let may = |user: &User| may_reset_password(&caller.who, user);
        let user = target(&bindings, &caller, Action::ResetPassword, user_id, may).await?;

        let temporary_password = password::temporary(random::bytes()?);
        let record = caller.record(Action::ResetPassword, Some(user.id), Outcome::Done);
        let expires_at = record.now + password::TEMPORARY_LIFETIME;
        let hash = hash(&temporary_password)?;
        let session_ids = accounts::reset_password(&bindings.db()?, user.id, &hash, expires_at, record).await?;
        ask_room::<()>(&bindings, user.hospital_id, &Call::EndSessions { user_id: user.id, session_ids }).await?;
        Ok(Json(TemporaryPassword { temporary_password, expires_at }))
    })
    .await
}

/// The stored form of a password.
pub fn hash(password: &str) -> Result<String> {
    let hash = password::hash(password, random::bytes()?);
    Ok(hash.ok_or_else(|| worker::Error::RustError("no memory to hash a password".into()))?)
}
