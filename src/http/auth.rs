//! Who is asking: the `Authorization` header first, then the cookie that login set.

use ::http::{HeaderMap, HeaderValue, Method, Uri, header, request::Parts};
use axum::extract::FromRequestParts;
use cookie::{Cookie, SameSite};
use rollcall_core::{
    Rejection,
    auth::{Principal, is_our_origin},
    rejection::TokenFault,
    token::{LIFETIME, Token, from_authorization},
};
use worker::send::SendFuture;

use crate::{
    clock,
    db::sessions,
    env::Bindings,
    error::{Error, Result},
};

const COOKIE: &str = "rollcall_session";

/// A session token, and how it came.
pub enum Credentials {
    /// In the `Authorization` header, which no page can be tricked into sending.
    Header(Token),
    /// In the cookie, which a browser sends by itself: a change needs an `Origin` of ours beside it.
    Cookie(Token),
}

impl Credentials {
    /// The credentials of a request, if it has any.
    ///
    /// # Errors
    /// [`Rejection::InvalidToken`] for some that cannot be a token.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, Rejection> {
        if let Some(value) = headers.get(header::AUTHORIZATION)
            && let Some(token) = from_authorization(value.as_bytes())?
        {
            return Ok(Some(Self::Header(token)));
        }
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .find(|cookie| cookie.name() == COOKIE)
            .map(|cookie| Token::parse(cookie.value()).map(Self::Cookie))
            .transpose()
    }

    fn token(&self) -> &Token {
        match self {
            Self::Header(token) | Self::Cookie(token) => token,
        }
    }

    /// Whom they speak for.
    ///
    /// # Errors
    /// [`Rejection::InvalidToken`] where nobody.
    pub async fn principal(&self, bindings: &Bindings) -> Result<Principal> {
        let principal = sessions::principal(&bindings.db()?, self.token(), clock::now()).await?;
        Ok(principal.ok_or(Rejection::InvalidToken(TokenFault::NotValid))?)
    }
}

/// Whether the request's `Origin` is this Worker's own, or a listed one. Absent is not.
pub fn has_our_origin(headers: &HeaderMap, uri: &Uri, bindings: &Bindings) -> bool {
    let own = format!(
        "{}://{}",
        uri.scheme_str().unwrap_or_default(),
        uri.authority().map_or("", |authority| authority.as_str())
    );
    headers
        .get(header::ORIGIN)
        .and_then(|origin| origin.to_str().ok())
        .is_some_and(|origin| is_our_origin(origin, &own, &bindings.allowed_origins()))
}

/// A handler that takes a [`Principal`] is for signed-in callers.
pub struct SignedIn(pub Principal);

impl FromRequestParts<Bindings> for SignedIn {
    type Rejection = Error;

    fn from_request_parts(parts: &mut Parts, bindings: &Bindings) -> impl Future<Output = Result<Self>> + Send {
        SendFuture::new(async move {
            let credentials = Credentials::of(&parts.headers)?.ok_or(Rejection::NotAuthenticated)?;
            let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
            if changes
                && matches!(credentials, Credentials::Cookie(_))
                && !has_our_origin(&parts.headers, &parts.uri, bindings)
            {
                return Err(Rejection::Csrf.into());
            }
            Ok(Self(credentials.principal(bindings).await?))
        })
    }
}

/// The `Set-Cookie` of a login.
pub fn session_cookie(token: &Token, uri: &Uri) -> Option<HeaderValue> {
    set_cookie(token.reveal(), LIFETIME.num_seconds(), uri)
}

/// The `Set-Cookie` of a logout.
pub fn no_cookie(uri: &Uri) -> Option<HeaderValue> {
    set_cookie("", 0, uri)
}

fn set_cookie(value: &str, seconds: i64, uri: &Uri) -> Option<HeaderValue> {
    let cookie = Cookie::build((COOKIE, value))
        .http_only(true)
        .max_age(cookie::time::Duration::seconds(seconds))
        .path("/")
        .same_site(SameSite::Strict)
        .secure(uri.scheme_str() == Some("https"));
    HeaderValue::from_str(&cookie.to_string()).ok()
}
