//! Who is asking: the `Authorization` header first, then the cookie that login set.
//!
//! **Invariant:** a handler that takes a [`SignedIn`] asks it before it does anything, and what it is denied is
//! recorded.

use ::http::{HeaderMap, HeaderValue, Method, Uri, header, request::Parts};
use axum::extract::FromRequestParts;
use rollcall_core::{
    Id, Rejection,
    audit::{Outcome, SecurityEvent},
    auth::{self, Action, Principal, is_our_origin},
    rejection::TokenFault,
    token::{LIFETIME, Token, from_authorization},
};
use worker::send::SendFuture;

use super::known;
use crate::{
    clock,
    db::{security_events::Record, sessions},
    env::Bindings,
    error::{Error, Result},
    log,
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
        match Self::in_header(headers)? {
            Some(credentials) => Ok(Some(credentials)),
            None => Self::in_cookie(headers),
        }
    }

    /// Those of the `Authorization` header.
    ///
    /// # Errors
    /// [`Rejection::InvalidToken`] for some that cannot be a token.
    pub fn in_header(headers: &HeaderMap) -> Result<Option<Self>, Rejection> {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
        Ok(from_authorization(value.as_bytes())?.map(Self::Header))
    }

    /// Those of the cookie.
    ///
    /// # Errors
    /// [`Rejection::InvalidToken`] for some that cannot be a token.
    pub fn in_cookie(headers: &HeaderMap) -> Result<Option<Self>, Rejection> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.split_once('='))
            .find(|(name, _)| name.trim() == COOKIE)
            .map(|(_, token)| Token::parse(token.trim()).map(Self::Cookie))
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
        known::remember(self.token(), principal.as_ref());
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

/// Where a request comes from. The platform sets this header itself; absent it is only in a runtime of one's own.
pub fn address(headers: &HeaderMap) -> &str {
    headers.get("CF-Connecting-IP").and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A caller with credentials that nobody has looked at yet.
pub struct Caller {
    credentials: Credentials,
    address: String,
}

impl FromRequestParts<Bindings> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, bindings: &Bindings) -> Result<Self> {
        let credentials = Credentials::of(&parts.headers)?.ok_or(Rejection::NotAuthenticated)?;
        let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if changes
            && matches!(credentials, Credentials::Cookie(_))
            && !has_our_origin(&parts.headers, &parts.uri, bindings)
        {
            return Err(Rejection::Csrf.into());
        }
        Ok(Self { credentials, address: address(&parts.headers).into() })
    }
}

impl Caller {
    /// Who they were when they were last looked up here, if they were. That nothing has changed since is for the
    /// database to say.
    pub fn was(&self) -> Option<Principal> {
        known::recall(self.credentials.token()).inspect(log::is_by)
    }

    /// Who they are.
    ///
    /// # Errors
    /// [`Rejection::InvalidToken`] where nobody.
    pub async fn look_up(self, bindings: &Bindings) -> Result<SignedIn> {
        let who = self.credentials.principal(bindings).await?;
        log::is_by(&who);
        Ok(SignedIn { who, address: self.address })
    }
}

/// A signed-in caller.
pub struct SignedIn {
    /// Who.
    pub who: Principal,
    /// Where from.
    pub address: String,
}

impl FromRequestParts<Bindings> for SignedIn {
    type Rejection = Error;

    fn from_request_parts(parts: &mut Parts, bindings: &Bindings) -> impl Future<Output = Result<Self>> + Send {
        SendFuture::new(async move { Caller::from_request_parts(parts, bindings).await?.look_up(bindings).await })
    }
}

impl SignedIn {
    /// May they do it?
    ///
    /// # Errors
    /// As [`auth::may`] decides.
    pub async fn may(&self, bindings: &Bindings, action: Action) -> Result<()> {
        self.decided(bindings, action, None, auth::may(&self.who, action)).await
    }

    /// Passes on what `core/auth.rs` has decided, recorded where it is a security event.
    ///
    /// # Errors
    /// The decision's.
    pub async fn decided<T>(
        &self,
        bindings: &Bindings,
        action: Action,
        target_id: Option<Id>,
        decision: Result<T, Rejection>,
    ) -> Result<T> {
        let outcome = match &decision {
            Ok(_) => action.is_recorded().then_some(Outcome::Done),
            Err(Rejection::PermissionDenied | Rejection::NotFound) => Some(Outcome::Denied),
            Err(_) => None,
        };
        if let Some(outcome) = outcome {
            self.record(action, target_id, outcome).save(&bindings.db()?).await?;
        }
        Ok(decision?)
    }

    /// The record of something that they do.
    pub fn record(&self, action: Action, target_id: Option<Id>, outcome: Outcome) -> Record<'_> {
        let event = SecurityEvent::of(&self.who, action, target_id, outcome);
        Record { event, address: &self.address, now: clock::now() }
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
    let secure = if uri.scheme_str() == Some("https") { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&cookie).ok()
}
