//! Signing in and out, and one's own sessions.

use ::http::{HeaderMap, StatusCode, Uri, header};
use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use rollcall_core::{
    Id, Rejection, Timestamp,
    account::Name,
    audit::Outcome,
    auth::Action,
    body::{Fields, required},
    call::Call,
    rejection::TokenFault,
    token::{self, LIFETIME, Token},
    wire::{Login, Sessions, User},
};
use worker::send::SendFuture;

use super::{
    auth::{SignedIn, address, no_cookie, session_cookie},
    body,
    object_call::ask_room,
    verification::{sign_in, verified},
};
use crate::{
    clock,
    db::{
        accounts::{self, SignIn},
        security_events::Record,
        sessions, users,
    },
    env::Bindings,
    error::{Error, Result},
    random,
};

/// Sign in.
///
/// `POST /api/users/login`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/login/", tag = "Signing in", operation_id = "login",
    request_body = rollcall_core::request::LoginRequest,
    responses((status = 200, body = Login), (status = 401), (status = 429)),
    security(())
))]
pub async fn login(
    State(bindings): State<Bindings>,
    uri: Uri,
    headers: HeaderMap,
    body::Json(fields): body::Json,
) -> Result<Response> {
    SendFuture::new(async move {
        let (name, password) = (name(&fields)?, fields.text("password")?);
        let account = verified(&bindings, &headers, name, password).await?;
        let token = new_token()?;
        let record = Record {
            event: sign_in(Some(&account.user), Outcome::Done),
            address: address(&headers),
            now: clock::now(),
        };
        let expires_at = record.now + LIFETIME;
        let shown = SignIn {
            user_id: account.user.id,
            password_hash: &account.password_hash,
            token: &token,
            user_agent: user_agent(&headers),
        };
        let ended = accounts::sign_in(&bindings.db()?, shown, record).await?.ok_or(Rejection::InvalidCredentials)?;
        if !ended.is_empty() {
            // The session is open by now: the caller has to learn its token.
            let call = Call::EndSessions { user_id: account.user.id, session_ids: ended };
            let _ = ask_room::<()>(&bindings, account.user.hospital_id, &call).await.map_err(Error::into_rejection);
        }
        Ok(signed_in(&token, expires_at, account.user, &uri))
    })
    .await
}

/// Sign out.
///
/// `POST /api/users/logout`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/logout/", tag = "Signing in", operation_id = "logout",
    responses((status = 204, description = "The session is ended, its sockets are closed."))
))]
pub async fn logout(State(bindings): State<Bindings>, caller: SignedIn, uri: Uri) -> Result<Response> {
    SendFuture::new(async move {
        caller.may(&bindings, Action::SignOut).await?;
        end_session(&bindings, &caller, caller.who.session_id).await?;
        let cookie = no_cookie(&uri).map(|cookie| HeaderMap::from_iter([(header::SET_COOKIE, cookie)]));
        Ok((StatusCode::NO_CONTENT, cookie.unwrap_or_default()).into_response())
    })
    .await
}

/// Who is signed in.
///
/// `GET /api/users/me`
#[cfg_attr(test, utoipa::path(
    get, path = "/api/users/me/", tag = "Signing in", operation_id = "me",
    responses((status = 200, body = User))
))]
pub async fn me(State(bindings): State<Bindings>, caller: SignedIn) -> Result<Json<User>> {
    SendFuture::new(async move {
        caller.may(&bindings, Action::ReadSelf).await?;
        let account = users::by_id(&bindings.db()?, caller.who.user_id).await?;
        // Gone since the session was looked up.
        Ok(Json(account.ok_or(Rejection::InvalidToken(TokenFault::NotValid))?.user))
    })
    .await
}

/// One's own sessions.
///
/// `GET /api/users/sessions`
#[cfg_attr(test, utoipa::path(
    get, path = "/api/users/sessions/", tag = "Signing in", operation_id = "list_sessions",
    responses((status = 200, body = Sessions))
))]
pub async fn list(State(bindings): State<Bindings>, caller: SignedIn) -> Result<Json<Sessions>> {
    SendFuture::new(async move {
        caller.may(&bindings, Action::ListSessions).await?;
        Ok(Json(Sessions { sessions: sessions::list(&bindings.db()?, &caller.who, clock::now()).await? }))
    })
    .await
}

/// End one of one's own sessions.
///
/// `DELETE /api/users/sessions/{id}`
#[cfg_attr(test, utoipa::path(
    delete, path = "/api/users/sessions/{id}/", tag = "Signing in", operation_id = "revoke_session",
    params(("id" = i64, Path, minimum = 1, maximum = 2147483647_i64, description = "A session of one's own.")),
    responses((status = 204, description = "The session is ended, its sockets are closed."), (status = 404))
))]
pub async fn revoke(
    State(bindings): State<Bindings>,
    caller: SignedIn,
    session_id: Result<Path<Id>, axum::extract::rejection::PathRejection>,
) -> Result<StatusCode> {
    SendFuture::new(async move {
        caller.may(&bindings, Action::RevokeSession).await?;
        let session_id = body::id(session_id)?;
        let own = sessions::list(&bindings.db()?, &caller.who, clock::now()).await?;
        if !own.iter().any(|session| session.id == session_id) {
            return Err(Rejection::NotFound.into());
        }
        end_session(&bindings, &caller, session_id).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// The room first, which lets in nobody with that session from then on: if either cannot be reached, the session is
/// still there to try again with.
async fn end_session(bindings: &Bindings, caller: &SignedIn, session_id: Id) -> Result<()> {
    let ended = Call::EndSessions { user_id: caller.who.user_id, session_ids: vec![session_id] };
    ask_room::<()>(bindings, caller.who.hospital_id, &ended).await?;
    Ok(sessions::revoke(&bindings.db()?, &caller.who, session_id, clock::now()).await?)
}

/// A token that nobody has.
pub fn new_token() -> Result<Token> {
    Ok(Token::new(random::bytes::<{ token::BYTES }>()?))
}

/// What a browser or program calls itself.
pub fn user_agent(headers: &HeaderMap) -> &str {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The answer to who has signed in.
pub fn signed_in(token: &Token, expires_at: Timestamp, user: User, uri: &Uri) -> Response {
    let mut response = Json(Login { token: token.reveal().into(), expires_at, user }).into_response();
    if let Some(cookie) = session_cookie(token, uri) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// `email`, or `username` where there is none.
fn name(fields: &Fields) -> Result<Name<'_>, Rejection> {
    match (fields.optional_text("email")?, fields.optional_text("username")?) {
        (None, Some(username)) => Ok(Name::Username(username)),
        (email, _) => {
            let email = email.ok_or_else(|| required("email"))?;
            Ok(Name::Email(email.trim()))
        }
    }
}
