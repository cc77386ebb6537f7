//! The tables of a room. Each migration runs once, in the transaction that raises the version.

use worker::Result;

use super::RoomStorage;

/// The migrations. A published one is never changed, only followed by another.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE room (
      id               INTEGER PRIMARY KEY CHECK (id = 1),
      hospital_id      INTEGER NOT NULL,
      name             TEXT NOT NULL,
      time_zone        TEXT NOT NULL,
      epoch            TEXT NOT NULL,    -- of D1, as this room knows it
      revision         INTEGER NOT NULL, -- of the hospital's users in D1, as this room has them
      first_seq        INTEGER NOT NULL, -- where this room's sequence began
      announced_seq    INTEGER NOT NULL, -- up to here everything was certainly sent
      announced_bytes  INTEGER NOT NULL, -- all that was sent up to there, in bytes on the wire
      archived_seq     INTEGER NOT NULL, -- up to here D1 has everything
      archived_security INTEGER NOT NULL,
      copied_from      INTEGER NOT NULL  -- events below are still to be copied from D1; 0: none
    );
    CREATE TABLE users (
      user_id                       INTEGER PRIMARY KEY,
      version                       INTEGER NOT NULL,
      email                         TEXT NOT NULL COLLATE NOCASE,
      username                      TEXT NOT NULL,
      first_name                    TEXT NOT NULL,
      last_name                     TEXT NOT NULL,
      role                          TEXT NOT NULL,
      is_active                     INTEGER NOT NULL,
      temporary_until_ms            INTEGER,
      consultation_hours            TEXT NOT NULL,
      specialization                TEXT NOT NULL,
      is_live                       INTEGER NOT NULL,
      is_available_for_consultation INTEGER NOT NULL,
      live_changed_ms               INTEGER
    );
    CREATE INDEX users_by_email ON users (email);
    -- Users whose change D1 has not confirmed. A user to add has no id yet, but a negative number.
    CREATE TABLE pending_users (
      user_id    INTEGER PRIMARY KEY,
      version    INTEGER NOT NULL, -- as it was before the change
      since_ms   INTEGER NOT NULL,
      actor_id   INTEGER NOT NULL, -- who makes the change, what, and from where: recorded when it is done
      action     TEXT NOT NULL,
      email      TEXT NOT NULL,    -- of a user to add
      address    TEXT NOT NULL
    );
    CREATE TABLE sessions (
      session_id   INTEGER PRIMARY KEY AUTOINCREMENT,
      token_sha256 TEXT NOT NULL UNIQUE, -- the token itself is stored nowhere
      user_id      INTEGER NOT NULL,
      created_ms   INTEGER NOT NULL,
      expires_ms   INTEGER NOT NULL,
      user_agent   TEXT NOT NULL,
      imported     INTEGER NOT NULL,     -- its end is to be written to D1
      ended_ms     INTEGER               -- of an imported one, until D1 knows it; others are deleted
    );
    CREATE INDEX sessions_by_user ON sessions (user_id);
    CREATE INDEX ended_sessions ON sessions (ended_ms) WHERE ended_ms IS NOT NULL;
    CREATE TABLE tickets (
      ticket_sha256 TEXT PRIMARY KEY,
      session_id    INTEGER NOT NULL,
      path          TEXT NOT NULL,
      expires_ms    INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX tickets_by_session ON tickets (session_id);
    CREATE TABLE events (
      seq                           INTEGER PRIMARY KEY,
      at_ms                         INTEGER NOT NULL,
      utc_offset_s                  INTEGER NOT NULL,
      action                        TEXT NOT NULL,
      reason                        TEXT,
      actor_id                      INTEGER,
      doctor_id                     INTEGER NOT NULL,
      username                      TEXT NOT NULL,
      first_name                    TEXT NOT NULL,
      last_name                     TEXT NOT NULL,
      is_available_for_consultation INTEGER NOT NULL,
      is_live                       INTEGER NOT NULL,
      consultation_hours            TEXT NOT NULL,
      specialization                TEXT NOT NULL,
      hospital                      TEXT NOT NULL
    );
    CREATE TABLE connectivity (
      doctor_id       INTEGER PRIMARY KEY,
      since_ms        INTEGER NOT NULL, -- when the latest socket was opened
      disconnected_ms INTEGER           -- when the last one was closed; null while one is open
    );
    -- One row for the same attempt within a minute. Sealed, and archived, when that minute is over.
    CREATE TABLE security_events (
      number    INTEGER PRIMARY KEY, -- also those that are archived and forgotten count
      at_ms     INTEGER NOT NULL,
      actor_id  INTEGER,
      action    TEXT NOT NULL,
      target_id INTEGER,
      result    TEXT NOT NULL,
      address   TEXT NOT NULL,
      times     INTEGER NOT NULL
    );
    -- Samples as JSON, as D1 has those of the Worker.
    CREATE TABLE counters (id INTEGER PRIMARY KEY CHECK (id = 1), samples TEXT NOT NULL, stored_ms INTEGER NOT NULL);
"];

impl RoomStorage {
    /// Whether a hospital was taken over. Reading this writes nothing.
    pub fn is_initialized(&self) -> Result<bool> {
        self.has_table("room")
    }

    /// Brings the tables up to date: each migration that is missing, in order.
    pub fn migrate(&self) -> Result<()> {
        self.exec_all("CREATE TABLE IF NOT EXISTS schema (version INTEGER NOT NULL)")?;
        let version: i64 =
            self.query_one("SELECT json(COALESCE(MAX(version), 0)) AS json FROM schema", vec![])?.unwrap_or_default();
        for (number, migration) in (1_i64..).zip(MIGRATIONS).filter(|(number, _)| *number > version) {
            self.exec_all(migration)?;
            self.exec("INSERT INTO schema (version) VALUES (?)", vec![number.into()])?;
        }
        Ok(())
    }

    /// Takes over how long doctors have been away from the tables of 1.0, if there are any, and drops those.
    pub fn take_over_presence(&self) -> Result<()> {
        if self.has_table("stays")? {
            self.exec_all(
                "INSERT OR IGNORE INTO connectivity SELECT doctor_id, since_ms, gone_ms FROM stays;
                 DROP TABLE stays; DROP TABLE IF EXISTS checkpoint; DROP TABLE IF EXISTS ended_sessions;",
            )?;
        }
        Ok(())
    }

    fn has_table(&self, name: &str) -> Result<bool> {
        let sql = "SELECT json(1) AS json FROM sqlite_master WHERE type = 'table' AND name = ?";
        Ok(self.query_one::<i64>(sql, vec![name.into()])?.is_some())
    }
}
