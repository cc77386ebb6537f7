//! The cookie of the pages: a session's token, for this origin only, out of scripts' reach.

use ::http::{HeaderValue, Uri};
use cookie::{Cookie, SameSite, time::Duration};
use rollcall_core::token::{LIFETIME, Token};

use super::credentials::COOKIE;
use crate::telemetry::http::is_secure;

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
        .same_site(SameSite::Strict)
        .path("/")
        .max_age(Duration::seconds(seconds))
        .secure(is_secure(uri));
    HeaderValue::from_str(&cookie.to_string()).ok()
}
