//! A room's ledger: the little that it must know after a crash, in the Durable Object's own storage.
//!
//! Unlike D1 it answers at once, so nothing can come between a look and the change that follows from it.

use rollcall_core::{Id, Seq, Timestamp, presence::Stay};
use serde::Deserialize;
use worker::{Result, SqlStorage, SqlStorageValue, Storage};

use crate::clock;

/// The object's own tables.
pub struct Ledger(SqlStorage);

/// Up to where events have certainly been announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// The latest of them.
    pub seq: Seq,
    /// A time after its announcement.
    pub at: Timestamp,
    /// All that was ever announced, in bytes on the wire.
    pub bytes: i64,
}

impl Ledger {
    /// Opens the ledger, and creates it the first time.
    pub fn open(storage: &Storage) -> Result<Self> {
        let sql = storage.sql();
        sql.exec(
            "CREATE TABLE IF NOT EXISTS stays (doctor_id INTEGER PRIMARY KEY, since_ms INTEGER NOT NULL, gone_ms INTEGER);
             CREATE TABLE IF NOT EXISTS checkpoint (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL,
               at_ms INTEGER NOT NULL, bytes INTEGER NOT NULL);
             CREATE TABLE IF NOT EXISTS ended_sessions (session_id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL);",
            None,
        )?;
        Ok(Self(sql))
    }

    /// Every doctor's stay.
    pub fn stays(&self) -> Result<Vec<(Id, Stay)>> {
        #[derive(Deserialize)]
        struct Row {
            doctor_id: Id,
            since_ms: i64,
            gone_ms: Option<i64>,
        }
        let rows = self.0.exec("SELECT doctor_id, since_ms, gone_ms FROM stays", None)?.to_array::<Row>()?;
        let stay =
            |row: Row| Stay { since: clock::from_millis(row.since_ms), gone: row.gone_ms.map(clock::from_millis) };
        Ok(rows.into_iter().map(|row| (row.doctor_id, stay(row))).collect())
    }

    /// Stores a doctor's stay, or its end.
    pub fn store_stay(&self, doctor_id: Id, stay: Option<Stay>) -> Result<()> {
        match stay {
            Some(Stay { since, gone }) => self.0.exec(
                "INSERT OR REPLACE INTO stays (doctor_id, since_ms, gone_ms) VALUES (?, ?, ?)",
                vec![
                    doctor_id.into(),
                    since.timestamp_millis().into(),
                    gone.map(|gone| gone.timestamp_millis()).into(),
                ],
            )?,
            None => self.0.exec("DELETE FROM stays WHERE doctor_id = ?", vec![doctor_id.into()])?,
        };
        Ok(())
    }

    /// The checkpoint; a room that never announced anything has none.
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        #[derive(Deserialize)]
        struct Row {
            seq: Seq,
            at_ms: i64,
            bytes: i64,
        }
        let rows = self.0.exec("SELECT seq, at_ms, bytes FROM checkpoint", None)?.to_array::<Row>()?;
        let checkpoint = |row: Row| Checkpoint { seq: row.seq, at: clock::from_millis(row.at_ms), bytes: row.bytes };
        Ok(rows.into_iter().next().map(checkpoint))
    }

    /// Whether a session ended a short while ago.
    pub fn has_ended(&self, session_id: Id) -> Result<bool> {
        #[derive(Deserialize)]
        struct Row {}
        let sql = "SELECT session_id FROM ended_sessions WHERE session_id = ?";
        Ok(!self.0.exec(sql, vec![session_id.into()])?.to_array::<Row>()?.is_empty())
    }

    /// Notes that sessions have ended, and forgets those that had ended before `forget`.
    pub fn store_ended(&self, session_ids: &[Id], at: Timestamp, forget: Timestamp) -> Result<()> {
        let sql = "DELETE FROM ended_sessions WHERE at_ms < ?";
        self.0.exec(sql, vec![forget.timestamp_millis().into()])?;
        let sql = "INSERT OR REPLACE INTO ended_sessions (session_id, at_ms) VALUES (?, ?)";
        for session_id in session_ids {
            self.0.exec(sql, vec![(*session_id).into(), at.timestamp_millis().into()])?;
        }
        Ok(())
    }

    /// Moves the checkpoint.
    pub fn store_checkpoint(&self, checkpoint: Checkpoint) -> Result<()> {
        let seq = SqlStorageValue::Float(checkpoint.seq as f64);
        let (at, bytes) = (checkpoint.at.timestamp_millis().into(), checkpoint.bytes.into());
        self.0.exec(
            "INSERT OR REPLACE INTO checkpoint (id, seq, at_ms, bytes) VALUES (1, ?, ?, ?)",
            vec![seq, at, bytes],
        )?;
        Ok(())
    }
}
