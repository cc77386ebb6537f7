//! What a client shows to say who it is: the `Authorization` header first, then the cookie that login set.

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
    /// The credentials of a request whose headers `header` returns, if it has any.
    ///
    /// # Errors
    /// [`ApiError::InvalidToken`] for some that cannot be a token.
    pub fn of(header: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ApiError> {
        match Self::in_header(&header)? {
            Some(credentials) => Ok(Some(credentials)),
            None => Self::in_cookie(header),
        }
    }

    /// Those of the `Authorization` header.
    ///
    /// # Errors
    /// [`ApiError::InvalidToken`] for some that cannot be a token.
    pub fn in_header(header: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ApiError> {
        let Some(value) = header("authorization") else { return Ok(None) };
        Ok(from_authorization(value.as_bytes())?.map(Self::Header))
    }

    /// Those of the cookie.
    ///
    /// # Errors
    /// [`ApiError::InvalidToken`] for some that cannot be a token.
    pub fn in_cookie(header: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ApiError> {
        let cookies = header("cookie").unwrap_or_default();
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
