//! One token of Django REST Framework.

use rollcall_core::{Id, token::Token};
use serde_json::Value;

use super::dump::Row;

/// A token that may become a session.
pub struct UserToken {
    /// What is stored of it.
    pub digest: String,
    pub user_id: Id,
}

impl UserToken {
    /// Checks a token.
    ///
    /// # Errors
    /// Why it cannot be imported.
    pub fn check(row: &Row) -> Result<Self, &'static str> {
        let token = row.pk.as_str().and_then(|key| Token::parse(key).ok());
        let token = token.ok_or("it has neither 40 nor 64 hexadecimal digits")?;
        let user_id = Self::user(row).ok_or("its user is not named by a number")?;
        Ok(Self { digest: token.digest(), user_id })
    }

    /// Whose it is, as the dump says.
    pub fn user(row: &Row) -> Option<Id> {
        row.fields.get("user").and_then(Value::as_i64)
    }
}
