//! Session tokens: 32 random bytes in hex, or the 20 of a token that Django REST Framework issued, and its
//! `Authorization: Token <key>` header.
//!
//! **Invariant:** a token is stored and looked up as its SHA-256 only, and nothing that cannot be a token is looked up.

use sha2::{Digest, Sha256};

use crate::rejection::{Rejection, TokenFault};

/// How long a session lasts from login, whatever happens in between.
pub const LIFETIME: chrono::TimeDelta = chrono::TimeDelta::hours(10);

/// The random bytes of a token.
pub const BYTES: usize = 32;

/// The random bytes of one that Django REST Framework issued: `cargo xtask import-django` opens sessions for them.
const BYTES_OF_DJANGO: usize = 20;

/// A string that has a token's form.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new token from `random` bytes.
    pub fn new(random: [u8; BYTES]) -> Self {
        Self(hex(&random))
    }

    /// The token in `text`.
    ///
    /// # Errors
    /// [`Rejection::InvalidToken`] where it cannot be one, without anybody having looked.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let fault = if text.is_empty() {
            TokenFault::Missing
        } else if text.contains(' ') {
            TokenFault::Spaces
        } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            TokenFault::Characters
        } else if ![2 * BYTES, 2 * BYTES_OF_DJANGO].contains(&text.len())
            || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            TokenFault::NotValid
        } else {
            return Ok(Self(text.into()));
        };
        Err(Rejection::InvalidToken(fault))
    }

    /// What the client is given, once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored: SHA-256, in hex.
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }
}

/// Never the token itself: it must not reach a log.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Reads an `Authorization` header. The keyword is compared without regard to case; another scheme is nobody's
/// credentials, as in Django REST Framework.
///
/// # Errors
/// [`Rejection::InvalidToken`] for a `Token` header that does not hold one token.
pub fn from_authorization(header: &[u8]) -> Result<Option<Token>, Rejection> {
    let keyword = header.get(..5).unwrap_or_default();
    let rest = header.get(5..).unwrap_or_default();
    if !keyword.eq_ignore_ascii_case(b"token") || !matches!(rest.first(), None | Some(b' ' | b'\t')) {
        return Ok(None);
    }
    let text = std::str::from_utf8(rest).map_err(|_| Rejection::InvalidToken(TokenFault::Characters))?;
    Token::parse(text.trim_matches([' ', '\t'])).map(Some)
}

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(header: &[u8]) -> TokenFault {
        match from_authorization(header) {
            Err(Rejection::InvalidToken(fault)) => fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_keyword_may_be_in_any_case() {
        let token = Token::new([0xab; BYTES]);
        for keyword in ["Token", "token", "TOKEN"] {
            let header = format!("{keyword} {}", token.reveal());
            assert_eq!(from_authorization(header.as_bytes()), Ok(Some(token.clone())));
        }
    }

    #[test]
    fn another_scheme_is_nobodys_credentials() {
        for header in ["", "Bearer x", "Basic eDp5", "Tokens x", "tok"] {
            assert_eq!(from_authorization(header.as_bytes()), Ok(None), "{header}");
        }
    }

    #[test]
    fn a_malformed_token_is_refused_unseen() {
        assert_eq!(fault(b"Token"), TokenFault::Missing);
        assert_eq!(fault(b"Token   "), TokenFault::Missing);
        assert_eq!(fault(b"Token a b"), TokenFault::Spaces);
        assert_eq!(fault("Token schlüssel".as_bytes()), TokenFault::Characters);
        assert_eq!(fault(b"Token \xff\xfe"), TokenFault::Characters);
        assert_eq!(fault(format!("Token {}", "a".repeat(10_240)).as_bytes()), TokenFault::NotValid);
    }

    #[test]
    fn a_token_has_64_hexadecimal_digits_or_the_40_of_django() {
        for digits in [40, 64] {
            let token = "0123456789abcdef".repeat(4)[..digits].to_string();
            assert_eq!(Token::parse(&token).unwrap().reveal(), token);
            assert_eq!(fault(format!("Token {}", token.to_uppercase()).as_bytes()), TokenFault::NotValid);
            assert_eq!(fault(format!("Token {}g", &token[1..]).as_bytes()), TokenFault::NotValid);
        }
        for digits in [1, 39, 41, 63, 65, 80, 128] {
            assert_eq!(fault(format!("Token {}", "a".repeat(digits)).as_bytes()), TokenFault::NotValid, "{digits}");
        }
    }

    #[test]
    fn a_token_is_stored_as_its_sha256() {
        let token = Token::new([0; BYTES]);
        assert_eq!(token.reveal(), "0".repeat(64));
        assert_eq!(token.digest(), "60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55");
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    proptest! {
        #[test]
        fn any_header_is_answered(header: Vec<u8>) {
            let _ = from_authorization(&header);
        }
    }
}
