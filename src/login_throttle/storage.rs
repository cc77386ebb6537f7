//! Tries to sign in, in a Durable Object's own storage.

use rollcall_core::Timestamp;
use serde::Deserialize;
use worker::{Result, SqlStorage, Storage};

use crate::platform::clock;

/// The object's own table.
pub struct Tries(SqlStorage);

#[derive(Deserialize)]
struct Row {
    at_ms: Option<i64>,
}

impl Tries {
    /// Opens the table, and creates it the first time.
    pub fn open(storage: &Storage) -> Result<Self> {
        let sql = storage.sql();
        sql.exec(
            "CREATE TABLE IF NOT EXISTS tries (id INTEGER PRIMARY KEY, key TEXT NOT NULL, at_ms INTEGER NOT NULL,
               refused INTEGER NOT NULL DEFAULT 0);
             CREATE INDEX IF NOT EXISTS tries_by_key ON tries (key);",
            None,
        )?;
        Ok(Self(sql))
    }

    /// When the latest `count` tries were made, oldest first.
    pub fn latest(&self, key: &str, count: usize) -> Result<Vec<Timestamp>> {
        let sql = format!("SELECT at_ms FROM tries WHERE key = ? ORDER BY id DESC LIMIT {count}");
        let rows = self.0.exec(&sql, vec![key.into()])?.to_array::<Row>()?;
        Ok(rows.into_iter().rev().filter_map(|row| row.at_ms).map(clock::from_millis).collect())
    }

    /// Counts a try.
    pub fn count(&self, key: &str, at: Timestamp) -> Result<()> {
        let sql = "INSERT INTO tries (key, at_ms) VALUES (?, ?)";
        self.0.exec(sql, vec![key.into(), at.timestamp_millis().into()])?;
        Ok(())
    }

    /// Notes that a try was refused; `true` for the first one since the last that was admitted.
    pub fn refuse(&self, key: &str) -> Result<bool> {
        let sql = "UPDATE tries SET refused = 1 WHERE id = (SELECT MAX(id) FROM tries WHERE key = ?) AND refused = 0
             RETURNING at_ms";
        Ok(!self.0.exec(sql, vec![key.into()])?.to_array::<Row>()?.is_empty())
    }

    /// Forgets the tries of a key.
    pub fn forget(&self, key: &str) -> Result<()> {
        self.0.exec("DELETE FROM tries WHERE key = ?", vec![key.into()])?;
        Ok(())
    }

    /// Forgets tries from before `at`, and says when the oldest one left was made.
    pub fn forget_before(&self, at: Timestamp) -> Result<Option<Timestamp>> {
        self.0.exec("DELETE FROM tries WHERE at_ms < ?", vec![at.timestamp_millis().into()])?;
        let rows = self.0.exec("SELECT MIN(at_ms) AS at_ms FROM tries", None)?.to_array::<Row>()?;
        Ok(rows.first().and_then(|row| row.at_ms).map(clock::from_millis))
    }
}
