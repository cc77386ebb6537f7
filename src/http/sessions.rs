//! Signing in and out.

use ::http::{HeaderMap, StatusCode, Uri, header};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use rollcall_core::{
    Rejection,
    body::Fields,
    call::Call,
    password,
    rejection::TokenFault,
    token::{self, Token},
    wire::{Login, User},
};
use worker::send::SendFuture;

use super::{
    auth::{SignedIn, no_cookie, session_cookie},
    body::Json,
    room_call,
};
use crate::{
    clock,
    db::{
        sessions,
        users::{self, Name},
    },
    env::Bindings,
    error::Result,
};

/// `POST /api/users/login/`
pub async fn login(State(bindings): State<Bindings>, uri: Uri, Json(fields): Json) -> Result<Response> {
    SendFuture::new(async move {
        let db = bindings.db()?;
        let name = name(&fields)?;
        let password = fields.text("password")?;
        let account = users::by_name(&db, name).await?;
        // Verified in any case, so that the answer's time does not tell whether the account exists.
        let stored = account.as_ref().map_or(password::DUMMY, |account| account.password_hash.as_str());
        let verified = password::verify(password, stored);
        let user =
            account.filter(|account| verified && account.user.is_active).ok_or(Rejection::InvalidCredentials)?.user;

        let token = new_token()?;
        let expires_at = sessions::open(&db, &token, user.id, clock::now()).await?;
        let cookie = session_cookie(&token, &uri);
        let mut response = axum::Json(Login { token: token.reveal().into(), expires_at, user }).into_response();
        if let Some(cookie) = cookie {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        Ok(response)
    })
    .await
}

/// `POST /api/users/logout/`
pub async fn logout(State(bindings): State<Bindings>, SignedIn(who): SignedIn, uri: Uri) -> Result<Response> {
    SendFuture::new(async move {
        sessions::revoke(&bindings.db()?, who.session_id).await?;
        room_call::ask::<()>(&bindings, who.hospital_id, &Call::EndSession { session_id: who.session_id }).await?;
        let cookie = no_cookie(&uri).map(|cookie| HeaderMap::from_iter([(header::SET_COOKIE, cookie)]));
        Ok((StatusCode::NO_CONTENT, cookie.unwrap_or_default()).into_response())
    })
    .await
}

/// `GET /api/users/me/`
pub async fn me(State(bindings): State<Bindings>, SignedIn(who): SignedIn) -> Result<axum::Json<User>> {
    SendFuture::new(async move {
        let user = users::by_id(&bindings.db()?, who.user_id).await?;
        // Gone since the session was looked up.
        Ok(axum::Json(user.ok_or(Rejection::InvalidToken(TokenFault::NotValid))?))
    })
    .await
}

/// `email`, or `username` where there is none.
fn name(fields: &Fields) -> Result<Name<'_>, Rejection> {
    match (fields.optional_text("email")?, fields.optional_text("username")?) {
        (None, Some(username)) => Ok(Name::Username(username)),
        (email, _) => {
            let email = email.ok_or_else(|| Rejection::field("email", "This field is required."))?;
            Ok(Name::Email(email.trim()))
        }
    }
}

fn new_token() -> Result<Token> {
    let mut random = [0; token::BYTES];
    getrandom::fill(&mut random).map_err(|error| worker::Error::RustError(error.to_string()))?;
    Ok(Token::new(random))
}
