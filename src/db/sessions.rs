//! Sessions, found by their token's SHA-256.

use chrono::TimeDelta;
use rollcall_core::{
    Id, Timestamp,
    auth::Principal,
    token::{LIFETIME, Token},
    wire::Role,
};
use serde::Deserialize;
use worker::D1Database;

use super::{all, batch, int, statement, time};
use crate::clock;

/// How far the clocks of two machines may be apart. A session from further in the future is not one: the clock was
/// set back, and what expired meanwhile must not come alive.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

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
///
/// A session that is found expired is revoked, so that it stays expired if the clock is set back.
pub async fn principal(db: &D1Database, token: &Token, now: Timestamp) -> worker::Result<Option<Principal>> {
    #[derive(Deserialize)]
    struct Row {
        session_id: Id,
        created_ms: i64,
        expires_ms: i64,
        user_id: Id,
        hospital_id: Id,
        role: Role,
    }
    let sql = "SELECT s.id AS session_id, s.created_ms, s.expires_ms, u.id AS user_id, u.hospital_id, u.role
         FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.token_sha256 = ?1 AND u.is_active = 1";
    let found = all(statement(db, sql, &[token.digest().into()])?).await?.results::<Row>()?.pop();
    let Some(row) = found else { return Ok(None) };
    let principal = Principal {
        user_id: row.user_id,
        hospital_id: row.hospital_id,
        role: row.role,
        session_id: row.session_id,
        session_ends: clock::from_millis(row.expires_ms),
    };
    if principal.session_ends <= now {
        revoke(db, row.session_id).await?;
        return Ok(None);
    }
    Ok((clock::from_millis(row.created_ms) <= now + CLOCK_SKEW).then_some(principal))
}

/// Ends a session.
pub async fn revoke(db: &D1Database, session_id: Id) -> worker::Result<()> {
    all(statement(db, "DELETE FROM sessions WHERE id = ?1", &[int(session_id)])?).await?;
    Ok(())
}
