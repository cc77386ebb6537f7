//! Sessions, found by their token's SHA-256.

use rollcall_core::{
    Id, Timestamp,
    auth::Principal,
    token::{LIFETIME, Token},
    wire::Role,
};
use serde::Deserialize;
use worker::D1Database;

use super::{batch, int, statement, time};

/// Opens a session for `user_id`, and forgets those of theirs that have expired.
///
/// Returns when the new one expires.
pub async fn open(db: &D1Database, token: &Token, user_id: Id, now: Timestamp) -> worker::Result<Timestamp> {
    let expires_at = now + LIFETIME;
    let forget = "DELETE FROM sessions WHERE user_id = ?1 AND expires_ms <= ?2";
    let insert = "INSERT INTO sessions (token_sha256, user_id, created_ms, expires_ms) VALUES (?1, ?2, ?3, ?4)";
    batch(
        db,
        [
            statement(db, forget, &[int(user_id), time(now)])?,
            statement(db, insert, &[token.digest().into(), int(user_id), time(now), time(expires_at)])?,
        ],
    )
    .await?;
    Ok(expires_at)
}

/// Whom `token` speaks for: nobody once it has expired or was revoked, or the user was deactivated.
pub async fn principal(db: &D1Database, token: &Token, now: Timestamp) -> worker::Result<Option<Principal>> {
    #[derive(Deserialize)]
    struct Row {
        session_id: Id,
        user_id: Id,
        hospital_id: Id,
        role: Role,
    }
    let sql = "SELECT s.id AS session_id, u.id AS user_id, u.hospital_id, u.role
         FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.token_sha256 = ?1 AND s.expires_ms > ?2 AND u.is_active = 1";
    let row = statement(db, sql, &[token.digest().into(), time(now)])?.first::<Row>(None).await?;
    Ok(row.map(|row| Principal {
        user_id: row.user_id,
        hospital_id: row.hospital_id,
        role: row.role,
        session_id: row.session_id,
    }))
}

/// Ends a session.
pub async fn revoke(db: &D1Database, session_id: Id) -> worker::Result<()> {
    statement(db, "DELETE FROM sessions WHERE id = ?1", &[int(session_id)])?.run().await?;
    Ok(())
}
