//! Tokens of sessions and tickets: 64 hexadecimal digits that name a hospital; and the 40 of a token that Django REST
//! Framework issued. And the `Authorization: Token <key>` header.
//!
//! The first 14 digits are the hospital, the next 40 are random, and the last 10 a keyed check over both, by which the
//! Worker drops invented tokens without asking anybody. The check is a filter, never a proof: whether a token is good,
//! only the hospital's room knows.
//!
//! **Invariant:** a token is stored and looked up as its SHA-256 only, and nothing that cannot be a token is looked up.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::{
    HospitalId,
    error::{ApiError, TokenFault},
};

/// How long a session lasts from login, whatever happens in between.
pub const LIFETIME: chrono::TimeDelta = chrono::TimeDelta::hours(10);

/// The bytes of a token: the hospital, the random part, and the check.
const BYTES: usize = HOSPITAL_BYTES + RANDOM_BYTES + CHECK_BYTES;

/// Enough for every id that JavaScript can hold.
const HOSPITAL_BYTES: usize = 7;

/// The random bytes of a token.
pub const RANDOM_BYTES: usize = 20;

const CHECK_BYTES: usize = 5;

/// The bytes of a token that Django REST Framework issued and `cargo xtask import-django` took over.
const BYTES_OF_DJANGO: usize = 20;

/// What a token is for. One kind never passes for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A session, for ten hours.
    Session,
    /// A ticket for one socket.
    Ticket,
}

/// A string that has a token's form.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new token of a hospital, from `random` bytes, checked by `key`.
    pub fn issue(kind: TokenKind, hospital_id: HospitalId, random: [u8; RANDOM_BYTES], key: &str) -> Self {
        let [_, hospital @ ..] = hospital_id.get().to_be_bytes();
        let mut bytes = [&hospital[..], &random].concat();
        if let Some(mac) = mac(kind, &bytes, key) {
            bytes.extend(mac.finalize().into_bytes().iter().take(CHECK_BYTES));
        }
        Self(hex::encode(bytes))
    }

    /// The token in `text`.
    ///
    /// # Errors
    /// [`ApiError::InvalidToken`] if it cannot be one, whoever knows it.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
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
        Err(ApiError::InvalidToken(fault))
    }

    /// Whether Django REST Framework issued it: such a token names no hospital.
    pub fn is_imported(&self) -> bool {
        self.0.len() == 2 * BYTES_OF_DJANGO
    }

    /// The hospital that it names, if it was issued with `key` for that.
    pub fn hospital_id(&self, kind: TokenKind, key: &str) -> Option<HospitalId> {
        let bytes = hex::decode(&self.0).ok()?;
        let (named, check) = bytes.split_at_checked(HOSPITAL_BYTES + RANDOM_BYTES)?;
        mac(kind, named, key)?.verify_truncated_left(check).ok()?;
        let mut hospital = [0; 8];
        hospital.get_mut(1..)?.copy_from_slice(named.get(..HOSPITAL_BYTES)?);
        Some(HospitalId::new(i64::from_be_bytes(hospital)))
    }

    /// What the client is given, once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored: SHA-256, in hex.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.0.as_bytes()))
    }
}

/// The check of a token, before it is shortened. An HMAC takes a key of any length.
fn mac(kind: TokenKind, named: &[u8], key: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(match kind {
        TokenKind::Session => b"session",
        TokenKind::Ticket => b"ticket",
    });
    mac.update(named);
    Some(mac)
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
/// [`ApiError::InvalidToken`] for a `Token` header that does not hold one token.
pub fn from_authorization(header: &[u8]) -> Result<Option<Token>, ApiError> {
    let keyword = header.get(..5).unwrap_or_default();
    let rest = header.get(5..).unwrap_or_default();
    if !keyword.eq_ignore_ascii_case(b"token") || !matches!(rest.first(), None | Some(b' ' | b'\t')) {
        return Ok(None);
    }
    let text = std::str::from_utf8(rest).map_err(|_| ApiError::InvalidToken(TokenFault::Characters))?;
    Token::parse(text.trim_matches([' ', '\t'])).map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(header: &[u8]) -> TokenFault {
        match from_authorization(header) {
            Err(ApiError::InvalidToken(fault)) => fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_keyword_may_be_in_any_case() {
        let token = Token::issue(TokenKind::Session, HospitalId::new(7), [0xab; RANDOM_BYTES], "key");
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
        let token = Token::parse(&"0".repeat(64)).unwrap();
        assert_eq!(token.digest(), "60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55");
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn a_token_names_its_hospital_to_those_who_have_the_key() {
        for hospital_id in [1, 100, (1 << 53) - 1].map(HospitalId::new) {
            let token = Token::issue(TokenKind::Session, hospital_id, [0xab; RANDOM_BYTES], "key");
            assert_eq!(token.reveal().len(), 64);
            assert_eq!(token.hospital_id(TokenKind::Session, "key"), Some(hospital_id));
            assert_eq!(token.hospital_id(TokenKind::Session, "another key"), None);
            assert_eq!(token.hospital_id(TokenKind::Ticket, "key"), None, "a session is no ticket");
        }
    }

    #[test]
    fn a_token_with_another_digit_anywhere_names_no_hospital() {
        let token = Token::issue(TokenKind::Session, HospitalId::new(7), [1; RANDOM_BYTES], "key");
        for at in 0..64 {
            let mut text = token.reveal().to_string();
            let other = if &text[at..=at] == "0" { "1" } else { "0" };
            text.replace_range(at..=at, other);
            assert_eq!(Token::parse(&text).unwrap().hospital_id(TokenKind::Session, "key"), None, "{at}");
        }
        assert_eq!(Token::parse(&"a".repeat(40)).unwrap().hospital_id(TokenKind::Session, "key"), None);
    }

    proptest! {
        #[test]
        fn any_header_is_answered(header: Vec<u8>) {
            let _ = from_authorization(&header);
        }
    }
}
