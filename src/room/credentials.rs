//! What a client shows to say who it is: the `Authorization` header first, then the cookie that login set.

use ::http::{
    HeaderMap, HeaderName,
    header::{AUTHORIZATION, COOKIE as COOKIE_HEADER},
};
use rollcall_core::{
    ApiError,
    token::{Token, from_authorization},
};

/// The cookie that holds a session's token.
pub const COOKIE: &str = "rollcall_session";

/// A session token, and how it came.
pub enum Credentials {
    /// In the `Authorization` header, which no page can be tricked into sending.
    Header(Token),
    /// In the cookie, which a browser sends by itself: a change needs an `Origin` of ours besides it.
    Cookie(Token),
}

impl Credentials {
    /// The credentials of a request, if it has any.
    ///
    /// # Errors
    /// [`ApiError::InvalidToken`] for some that cannot be a token.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        match Self::in_header(headers)? {
            Some(credentials) => Ok(Some(credentials)),
            None => Self::in_cookie(headers),
        }
    }

    /// Those of the `Authorization` header.
    ///
    /// # Errors
    /// [`ApiError::InvalidToken`] for some that cannot be a token.
    pub fn in_header(headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        let Some(value) = text(headers, AUTHORIZATION) else { return Ok(None) };
        Ok(from_authorization(value.as_bytes())?.map(Self::Header))
    }

    /// Those of the cookie.
    ///
    /// # Errors
    /// [`ApiError::InvalidToken`] for some that cannot be a token.
    pub fn in_cookie(headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        let cookies = text(headers, COOKIE_HEADER).unwrap_or_default();
        let session = cookie::Cookie::split_parse(cookies.as_str()).flatten().find(|cookie| cookie.name() == COOKIE);
        session.map(|cookie| Token::parse(cookie.value()).map(Self::Cookie)).transpose()
    }

    /// The token.
    pub fn token(&self) -> &Token {
        match self {
            Self::Header(token) | Self::Cookie(token) => token,
        }
    }
}

/// The text of a header. A client may send several of one name, for example cookies; this joins them.
pub fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let values: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!values.is_empty()).then(|| values.join("; "))
}
