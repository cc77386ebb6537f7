//! Signing in: the Worker verifies the password, the hospital's room opens the session.

use ::http::{HeaderMap, Uri, header};
use rollcall_core::{
    ApiError, HospitalId,
    account::LoginName,
    body::{Fields, required},
    internal::{NewSession, Opened, RoomCall, VerifiedAccount},
    token::{Token, TokenKind},
    wire::Login,
};

use super::{
    hospital::token_key,
    request::{Request, user_agent},
    room_calls,
    verification::verified,
};
use crate::{
    platform::{env::Bindings, random},
    room::{cookies::session_cookie, request::address},
    telemetry::{
        error::Result,
        response::{Response, json},
    },
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
pub async fn login(request: Request) -> Result<Response> {
    let (bindings, headers) = (&request.bindings, request.headers());
    let fields = request.fields().await?;
    let (name, password) = (name(&fields)?, fields.text("password")?);
    let account = verified(bindings, headers, name, password).await?;
    let (token, session) = new_session(bindings, account.hospital_id, headers)?;
    let (hospital_id, address) = (account.hospital_id, address(headers).into());
    let account = VerifiedAccount { user: account.user, revision: account.revision, epoch: account.epoch };
    let call = RoomCall::OpenSession { account, session, address };
    let opened = room_calls::call(bindings, hospital_id, &call).await?;
    signed_in(&token, opened, request.uri())
}

/// A session to open, and its token.
///
/// # Errors
/// That no token can be issued.
pub fn new_session(bindings: &Bindings, hospital_id: HospitalId, headers: &HeaderMap) -> Result<(Token, NewSession)> {
    let token = Token::issue(TokenKind::Session, hospital_id, random::bytes()?, &token_key(bindings)?);
    let session = NewSession { token_digest: token.digest(), user_agent: user_agent(headers) };
    Ok((token, session))
}

/// The answer to a user who has signed in.
///
/// # Errors
/// None that input can cause.
pub fn signed_in(token: &Token, opened: Opened, uri: &Uri) -> Result<Response> {
    let Opened { expires_at, user, .. } = opened;
    let mut response = json(&Login { token: token.reveal().into(), expires_at, user })?;
    if let Some(cookie) = session_cookie(token, uri) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The email, or the username if there is no email.
fn name(fields: &Fields) -> Result<LoginName<'_>, ApiError> {
    match (fields.optional_text("email")?, fields.optional_text("username")?) {
        (None, Some(username)) => Ok(LoginName::Username(username)),
        (email, _) => {
            let email = email.ok_or_else(|| required("email"))?;
            Ok(LoginName::Email(email.trim()))
        }
    }
}
