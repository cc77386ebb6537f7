//! Tokens that `cargo xtask import-django` took over: whose hospital each is for, until its room has taken it over.

use rollcall_core::{HospitalId, Timestamp, UserId};
use serde::Deserialize;
use worker::D1Database;

use super::{all, from_json, statement, time};

/// An imported token that is still good.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ImportedToken {
    /// The user's hospital.
    pub hospital_id: HospitalId,
    /// Whom it speaks for.
    pub user_id: UserId,
    /// When it was imported, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it ends, in milliseconds since 1970.
    pub expires_ms: i64,
}

/// The imported token with that digest, if it is good at `now`.
pub async fn find(db: &D1Database, digest: &str, now: Timestamp) -> worker::Result<Option<ImportedToken>> {
    let sql = "SELECT json_object('hospital_id', u.hospital_id, 'user_id', t.user_id, 'created_ms', t.created_ms,
             'expires_ms', t.expires_ms) AS json
         FROM imported_tokens t JOIN users u ON u.id = t.user_id
         WHERE t.token_sha256 = ?1 AND t.ended_ms IS NULL AND t.expires_ms > ?2";
    Ok(from_json(&all(statement(db, sql, &[digest.into(), time(now)])?).await?)?.pop())
}

/// Which of these tokens have ended in D1, for example because an import changed the password.
pub async fn ended(db: &D1Database, digests: &[String]) -> worker::Result<Vec<String>> {
    let sql = "SELECT json_quote(token_sha256) AS json FROM imported_tokens
         WHERE ended_ms IS NOT NULL AND token_sha256 IN (SELECT value FROM json_each(?1))";
    from_json(&all(statement(db, sql, &[serde_json::to_string(digests)?.into()])?).await?)
}
