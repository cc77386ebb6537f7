//! Sessions, found by their token's SHA-256.
//!
//! **Invariant:** a session is good while it is neither revoked nor expired, and its user active; nothing makes it
//! good again.

use chrono::TimeDelta;
use rollcall_core::{
    Id, Timestamp,
    auth::Principal,
    ticket::{self, SocketPath},
    token::{LIFETIME, Token},
    wire::{Role, SessionEntry},
};
use serde::Deserialize;
use wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result};

use super::{all, batch, flag, int, nullable, statement, time};
use crate::clock;

/// How far the clocks of two machines may be apart. A session from further in the future is not one: the clock was
/// set back, and what expired meanwhile must not come alive.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

/// The longest name of a browser or program that is kept, in characters.
const USER_AGENT_LIMIT: usize = 200;

/// The sessions that one user may have at once: the oldest gives way.
const LIMIT: u32 = 50;

/// For how long a revoked session keeps its row: a call that was given up before it told the room may be repeated.
const REPEATABLE: TimeDelta = TimeDelta::minutes(10);

/// The statements that open a session for `user_id`, if that is still their password's hash and they are active; that
/// end the oldest where there are too many, returning its id; and that forget those that are over.
pub(super) fn open(
    db: &D1Database,
    token: &Token,
    (user_id, password_hash): (Id, &str),
    user_agent: &str,
    now: Timestamp,
) -> worker::Result<[D1PreparedStatement; 3]> {
    let forget = "DELETE FROM sessions WHERE user_id = ?1 AND (expires_ms <= ?2 OR revoked_ms <= ?3)";
    let insert = "INSERT INTO sessions (token_sha256, user_id, user_agent, created_ms, expires_ms)
         SELECT ?1, id, ?3, ?4, ?5 FROM users WHERE id = ?2 AND is_active = 1 AND password_hash = ?6 RETURNING id";
    let end = format!(
        "UPDATE sessions SET revoked_ms = ?2 WHERE user_id = ?1 AND revoked_ms IS NULL AND id NOT IN
           (SELECT id FROM sessions WHERE user_id = ?1 AND revoked_ms IS NULL ORDER BY id DESC LIMIT {LIMIT})
         RETURNING id"
    );
    let user_agent: String = user_agent.chars().take(USER_AGENT_LIMIT).collect();
    Ok([
        statement(db, forget, &[int(user_id), time(now), time(now - REPEATABLE)])?,
        statement(
            db,
            insert,
            &[
                token.digest().into(),
                int(user_id),
                user_agent.into(),
                time(now),
                time(now + LIFETIME),
                password_hash.into(),
            ],
        )?,
        statement(db, &end, &[int(user_id), time(now)])?,
    ])
}

/// The statement that forgets everybody's sessions that are over. Those of people who were imported are forgotten when they
/// sign in: until then importing again must see which tokens it took over, or it would revive them.
pub(super) fn forget(db: &D1Database, now: Timestamp) -> worker::Result<D1PreparedStatement> {
    let sql = "DELETE FROM sessions WHERE (expires_ms <= ?1 OR revoked_ms <= ?1)
         AND user_id NOT IN (SELECT id FROM users WHERE follows_import IS NOT NULL)";
    statement(db, sql, &[time(now - REPEATABLE)])
}

/// A session and its user, where they are good; `expired` sessions are found too.
const PRINCIPAL: &str = "SELECT s.id AS session_id, s.created_ms, s.expires_ms, u.id AS user_id, u.hospital_id, u.role,
            u.temporary_until_ms IS NOT NULL AS must_change_password
     FROM sessions s JOIN users u ON u.id = s.user_id
     WHERE s.revoked_ms IS NULL AND u.is_active = 1 AND";

#[derive(Deserialize)]
struct PrincipalRow {
    session_id: Id,
    created_ms: i64,
    expires_ms: i64,
    user_id: Id,
    hospital_id: Id,
    role: Role,
    #[serde(deserialize_with = "flag")]
    must_change_password: bool,
}

/// Whom `token` speaks for: nobody once it has expired or was revoked, or the user was deactivated.
pub async fn principal(db: &D1Database, token: &Token, now: Timestamp) -> worker::Result<Option<Principal>> {
    let sql = format!("{PRINCIPAL} s.token_sha256 = ?1");
    let found = all(statement(db, &sql, &[token.digest().into()])?).await?;
    good(db, &found, now).await
}

/// Whether a principal that was looked up before is still true: an SQL expression with the parameters `?1` (their
/// hospital), `?2` (now) and, from `?3` on, those of [`claim`].
pub(super) fn still_true() -> String {
    let skew = CLOCK_SKEW.num_milliseconds();
    format!(
        "(?3 IS NULL OR EXISTS (
            SELECT 1 FROM sessions s JOIN users caller ON caller.id = s.user_id
            WHERE s.id = ?3 AND s.revoked_ms IS NULL AND s.expires_ms > ?2 AND s.created_ms <= ?2 + {skew}
              AND caller.id = ?4 AND caller.hospital_id = ?1 AND caller.is_active = 1 AND caller.role = ?5
              AND (caller.temporary_until_ms IS NOT NULL) = ?6))"
    )
}

/// The parameters of [`still_true`]; without a principal it holds.
pub(super) fn claim(who: Option<&Principal>) -> [JsValue; 4] {
    [
        nullable(who, |who| int(who.session_id)),
        nullable(who, |who| int(who.user_id)),
        nullable(who, |who| who.role.as_str().into()),
        nullable(who, |who| int(who.must_change_password.into())),
    ]
}

/// Issues a ticket of a session, and forgets those of it that were not used in time. Says when it expires.
pub async fn issue_ticket(
    db: &D1Database,
    ticket: &Token,
    session_id: Id,
    path: SocketPath,
    now: Timestamp,
) -> worker::Result<Timestamp> {
    let expires_at = now + ticket::LIFETIME;
    let forget = "DELETE FROM tickets WHERE session_id = ?1 AND expires_ms <= ?2";
    let insert = "INSERT INTO tickets (ticket_sha256, session_id, path, expires_ms) VALUES (?1, ?2, ?3, ?4)";
    let parameters = [ticket.digest().into(), int(session_id), path.as_str().into(), time(expires_at)];
    batch(db, [statement(db, forget, &[int(session_id), time(now)])?, statement(db, insert, &parameters)?]).await?;
    Ok(expires_at)
}

/// Whom `ticket` speaks for at `path`. It is used up, whatever comes of it.
pub async fn use_ticket(
    db: &D1Database,
    ticket: &Token,
    path: SocketPath,
    now: Timestamp,
) -> worker::Result<Option<Principal>> {
    let sql = format!(
        "{PRINCIPAL} s.id = (SELECT session_id FROM tickets WHERE ticket_sha256 = ?1 AND path = ?2 AND expires_ms > ?3)"
    );
    let digest = ticket.digest();
    let find = statement(db, &sql, &[digest.as_str().into(), path.as_str().into(), time(now)])?;
    let forget = statement(db, "DELETE FROM tickets WHERE ticket_sha256 = ?1", &[digest.into()])?;
    let [found, _] = batch(db, [find, forget]).await?;
    good(db, &found, now).await
}

/// The principal of a session that is found. An expired one is revoked, so that it stays expired if the clock is set
/// back.
async fn good(db: &D1Database, found: &D1Result, now: Timestamp) -> worker::Result<Option<Principal>> {
    let Some(row) = found.results::<PrincipalRow>()?.pop() else { return Ok(None) };
    let principal = Principal {
        user_id: row.user_id,
        hospital_id: row.hospital_id,
        role: row.role,
        session_id: row.session_id,
        session_ends: clock::from_millis(row.expires_ms),
        must_change_password: row.must_change_password,
    };
    if principal.session_ends <= now {
        revoke(db, &principal, row.session_id, now).await?;
        return Ok(None);
    }
    Ok((clock::from_millis(row.created_ms) <= now + CLOCK_SKEW).then_some(principal))
}

#[derive(Deserialize)]
struct SessionRow {
    id: Id,
    created_ms: i64,
    expires_ms: i64,
    user_agent: String,
}

/// A user's good sessions, newest first.
pub async fn list(db: &D1Database, who: &Principal, now: Timestamp) -> worker::Result<Vec<SessionEntry>> {
    let sql = "SELECT id, created_ms, expires_ms, user_agent FROM sessions
         WHERE user_id = ?1 AND revoked_ms IS NULL AND expires_ms > ?2 ORDER BY id DESC";
    let rows = all(statement(db, sql, &[int(who.user_id), time(now)])?).await?.results::<SessionRow>()?;
    let entry = |row: SessionRow| SessionEntry {
        id: row.id,
        created_at: clock::from_millis(row.created_ms),
        expires_at: clock::from_millis(row.expires_ms),
        user_agent: row.user_agent,
        current: row.id == who.session_id,
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// Ends one of somebody's own sessions.
pub async fn revoke(db: &D1Database, who: &Principal, session_id: Id, now: Timestamp) -> worker::Result<()> {
    let sql = "UPDATE sessions SET revoked_ms = COALESCE(revoked_ms, ?3) WHERE id = ?1 AND user_id = ?2";
    all(statement(db, sql, &[int(session_id), int(who.user_id), time(now)])?).await?;
    Ok(())
}

/// The statement that ends every session of `user_id` if `condition` holds, an SQL expression with the parameter `?4`.
/// Returns the ids of all that have ended of late, also before: so a call that was given up before it told the room is
/// completed by its repetition.
pub(super) fn revoke_all(
    db: &D1Database,
    user_id: Id,
    now: Timestamp,
    (condition, parameter): (&str, JsValue),
) -> worker::Result<D1PreparedStatement> {
    let sql = format!(
        "UPDATE sessions SET revoked_ms = COALESCE(revoked_ms, ?2)
         WHERE user_id = ?1 AND (revoked_ms > ?3 OR revoked_ms IS NULL AND {condition}) RETURNING id"
    );
    statement(db, &sql, &[int(user_id), time(now), time(now - REPEATABLE), parameter])
}

/// The ids that a statement returned.
pub(super) fn ids(result: &D1Result) -> worker::Result<Vec<Id>> {
    #[derive(Deserialize)]
    struct Row {
        id: Id,
    }
    Ok(result.results::<Row>()?.into_iter().map(|row| row.id).collect())
}
