//! Sessions, found by their token's SHA-256.
//!
//! **Invariant:** a session is good while it is neither ended nor expired, and its user active; nothing makes it good
//! again.

use std::sync::LazyLock;

use chrono::TimeDelta;
use rollcall_core::{
    HospitalId, SessionId, Timestamp, UserId, auth::Principal, internal::NewSession, token::LIFETIME, user::UserRecord,
    wire::SessionEntry,
};
use serde::Deserialize;
use worker::Result;

use super::{RoomStorage, time, users};
use crate::{d1::imported_tokens::ImportedToken, platform::clock};

/// How far the clocks of two machines may be apart. A session from further in the future does not count: the clock was
/// set back, and what expired meanwhile must not come alive.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

/// The longest name of a browser or program that is kept, in characters.
const USER_AGENT_LIMIT: usize = 200;

/// The sessions that one user may have at once: the oldest gives way.
const LIMIT: usize = 50;

/// A session and its user, if both are good, by the digest of the session's token.
static BY_TOKEN: LazyLock<String> = LazyLock::new(|| good_session("token_sha256 = ?"));

/// The same, by the session's id.
static BY_ID: LazyLock<String> = LazyLock::new(|| good_session("session_id = ?"));

fn good_session(condition: &str) -> String {
    format!(
        "SELECT json_object('session_id', session_id, 'created_ms', created_ms, 'expires_ms', expires_ms,
          'user', {}) AS json
        FROM sessions JOIN users USING (user_id) WHERE ended_ms IS NULL AND is_active = 1 AND {condition}",
        users::record()
    )
}

/// Somebody whom a good session speaks for.
pub struct SessionUser {
    /// Who, and for how long.
    pub who: Principal,
    /// Their row.
    pub user: UserRecord,
}

#[derive(Deserialize)]
struct SessionRow {
    session_id: SessionId,
    created_ms: i64,
    expires_ms: i64,
    user: UserRecord,
}

impl SessionRow {
    fn good_at(self, now: Timestamp, hospital_id: HospitalId) -> Option<SessionUser> {
        let session_ends = clock::from_millis(self.expires_ms);
        let is_good = now < session_ends && clock::from_millis(self.created_ms) <= now + CLOCK_SKEW;
        let Self { session_id, user, .. } = self;
        let who = Principal {
            user_id: user.user_id,
            hospital_id,
            role: user.role,
            session_id,
            session_ends,
            must_change_password: user.temporary_until_ms.is_some(),
        };
        is_good.then_some(SessionUser { who, user })
    }
}

impl RoomStorage {
    /// Whom the token with that digest speaks for: nobody once it has expired or ended, or its user was deactivated.
    pub fn session_user(&self, digest: &str, now: Timestamp, hospital_id: HospitalId) -> Result<Option<SessionUser>> {
        let row = self.query_one::<SessionRow>(&BY_TOKEN, vec![digest.into()])?;
        let Some(row) = row else { return Ok(None) };
        let id = row.session_id;
        let good = row.good_at(now, hospital_id);
        if good.is_none() {
            // Over for good, wherever the clock goes.
            self.end_session(id, now)?;
        }
        Ok(good)
    }

    /// The same for a session that is known by its id.
    pub fn session_user_of(
        &self,
        id: SessionId,
        now: Timestamp,
        hospital_id: HospitalId,
    ) -> Result<Option<SessionUser>> {
        let row = self.query_one::<SessionRow>(&BY_ID, vec![id.get().into()])?;
        Ok(row.and_then(|row| row.good_at(now, hospital_id)))
    }

    /// Whether this room has ever known a token with that digest and not forgotten it.
    pub fn knows_token(&self, digest: &str) -> Result<bool> {
        let sql = "SELECT json(1) AS json FROM sessions WHERE token_sha256 = ?";
        Ok(self.query_one::<i64>(sql, vec![digest.into()])?.is_some())
    }

    /// Opens a session, forgets the user's sessions that are over, and returns the sessions that have to end because
    /// there are too many.
    pub fn open_session(
        &self,
        user_id: UserId,
        new: &NewSession,
        now: Timestamp,
    ) -> Result<(SessionId, Vec<SessionId>)> {
        let over = "DELETE FROM sessions WHERE user_id = ? AND expires_ms <= ? AND imported = 0";
        self.exec(over, vec![user_id.get().into(), time(now)])?;
        let user_agent: String = new.user_agent.chars().take(USER_AGENT_LIMIT).collect();
        let insert = "INSERT INTO sessions (token_sha256, user_id, created_ms, expires_ms, user_agent, imported)
             VALUES (?, ?, ?, ?, ?, 0) RETURNING json(session_id) AS json";
        let values = vec![
            new.token_digest.as_str().into(),
            user_id.get().into(),
            time(now),
            time(now + LIFETIME),
            user_agent.into(),
        ];
        let opened: Vec<SessionId> = self.query(insert, values)?;
        let id = opened.first().copied().ok_or_else(|| worker::Error::RustError("no session was opened".into()))?;
        let too_many = format!(
            "SELECT json(session_id) AS json FROM sessions WHERE user_id = ?1 AND ended_ms IS NULL AND session_id NOT IN
               (SELECT session_id FROM sessions WHERE user_id = ?1 AND ended_ms IS NULL ORDER BY session_id DESC LIMIT {LIMIT})"
        );
        Ok((id, self.query(&too_many, vec![user_id.get().into()])?))
    }

    /// Takes an imported token over: from now on the room says whether it is good.
    pub fn adopt_token(&self, digest: &str, token: &ImportedToken) -> Result<()> {
        self.exec(
            "INSERT OR IGNORE INTO sessions (token_sha256, user_id, created_ms, expires_ms, user_agent, imported)
             VALUES (?, ?, ?, ?, 'Django', 1)",
            vec![digest.into(), token.user_id.get().into(), token.created_ms.into(), token.expires_ms.into()],
        )
    }

    /// A user's good sessions, newest first.
    pub fn sessions_of(&self, who: &Principal, now: Timestamp) -> Result<Vec<SessionEntry>> {
        #[derive(Deserialize)]
        struct Row {
            id: SessionId,
            created_ms: i64,
            expires_ms: i64,
            user_agent: String,
        }
        let sql = "SELECT json_object('id', session_id, 'created_ms', created_ms, 'expires_ms', expires_ms,
               'user_agent', user_agent) AS json
             FROM sessions WHERE user_id = ? AND ended_ms IS NULL AND expires_ms > ? ORDER BY session_id DESC";
        let rows = self.query::<Row>(sql, vec![who.user_id.get().into(), time(now)])?;
        let entry = |row: Row| SessionEntry {
            id: row.id,
            created_at: clock::from_millis(row.created_ms),
            expires_at: clock::from_millis(row.expires_ms),
            user_agent: row.user_agent,
            current: row.id == who.session_id,
        };
        Ok(rows.into_iter().map(entry).collect())
    }

    /// The ids of a user's sessions that have not ended.
    pub fn session_ids_of(&self, user_id: UserId) -> Result<Vec<SessionId>> {
        let sql = "SELECT json(session_id) AS json FROM sessions WHERE user_id = ? AND ended_ms IS NULL";
        self.query(sql, vec![user_id.get().into()])
    }

    /// The ids of every session that has not ended.
    pub fn all_session_ids(&self) -> Result<Vec<SessionId>> {
        self.query("SELECT json(session_id) AS json FROM sessions WHERE ended_ms IS NULL", vec![])
    }

    /// Ends a session, with its tickets. An imported one stays until D1 knows that it has ended.
    pub fn end_session(&self, id: SessionId, now: Timestamp) -> Result<()> {
        self.exec("DELETE FROM tickets WHERE session_id = ?", vec![id.get().into()])?;
        self.exec("DELETE FROM sessions WHERE session_id = ? AND imported = 0", vec![id.get().into()])?;
        let sql = "UPDATE sessions SET ended_ms = ? WHERE session_id = ? AND ended_ms IS NULL";
        self.exec(sql, vec![time(now), id.get().into()])
    }

    /// Forgets sessions and tickets that are over.
    pub fn forget_sessions(&self, now: Timestamp) -> Result<()> {
        self.exec("DELETE FROM sessions WHERE expires_ms <= ?", vec![time(now)])?;
        self.exec("DELETE FROM tickets WHERE expires_ms <= ?", vec![time(now)])
    }

    /// The imported tokens that have not ended, with their sessions.
    pub fn imported_tokens(&self) -> Result<Vec<(String, SessionId)>> {
        let sql =
            "SELECT json_array(token_sha256, session_id) AS json FROM sessions WHERE imported = 1 AND ended_ms IS NULL";
        self.query(sql, vec![])
    }

    /// Imported tokens that have ended, and when: for D1 to learn.
    pub fn ended_tokens(&self, limit: usize) -> Result<Vec<(String, i64)>> {
        let sql = format!(
            "SELECT json_array(token_sha256, ended_ms) AS json FROM sessions WHERE ended_ms IS NOT NULL LIMIT {limit}"
        );
        self.query(&sql, vec![])
    }

    /// D1 knows that an imported token has ended.
    pub fn forget_token(&self, digest: &str) -> Result<()> {
        self.exec("DELETE FROM sessions WHERE token_sha256 = ? AND ended_ms IS NOT NULL", vec![digest.into()])
    }
}
