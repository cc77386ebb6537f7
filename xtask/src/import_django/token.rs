//! One token of Django REST Framework.

use rollcall_core::{UserId, token::Token};
use serde_json::Value;

use super::dump::Row;

/// A token that may be imported.
pub struct UserToken {
    /// The SHA-256 that is stored of it.
    pub digest: String,
    pub user_id: UserId,
}

impl UserToken {
    /// Checks a token.
    ///
    /// # Errors
    /// Why it cannot be imported.
    pub fn check(row: &Row) -> Result<Self, &'static str> {
        // Those with 64 digits are Rollcall's own, and name their hospital.
        let token = row.pk.as_str().and_then(|key| Token::parse(key).ok()).filter(Token::is_imported);
        let token = token.ok_or("it does not have 40 hexadecimal digits")?;
        let user_id = Self::user(row).ok_or("its user is not named by a number")?;
        Ok(Self { digest: token.digest(), user_id })
    }

    /// Its user, as the dump says.
    pub fn user(row: &Row) -> Option<UserId> {
        row.fields.get("user").and_then(Value::as_i64).map(UserId::new)
    }
}
