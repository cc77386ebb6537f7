//! What the room has counted since it was made, and when it was stored last.

use rollcall_core::{Timestamp, metrics::Samples};
use worker::Result;

use super::{RoomStorage, json, time};
use crate::platform::clock;

impl RoomStorage {
    /// Adds to what was counted before, in one row.
    pub fn add_counts(&self, samples: &Samples, now: Timestamp) -> Result<()> {
        let sql = "INSERT INTO counters (id, samples, stored_ms) VALUES (1, ?, ?)
             ON CONFLICT (id) DO UPDATE SET stored_ms = excluded.stored_ms, samples = (
               SELECT json_group_array(json_array(sample, total)) FROM (
                 SELECT value ->> 0 AS sample, SUM(value ->> 1) AS total FROM (
                   SELECT value FROM json_each(counters.samples) UNION ALL SELECT value FROM json_each(excluded.samples))
                 GROUP BY sample))";
        self.exec(sql, vec![json(samples)?, time(now)])
    }

    /// What was counted so far.
    pub fn counts(&self) -> Result<Samples> {
        Ok(self.query_one("SELECT samples AS json FROM counters", vec![])?.unwrap_or_default())
    }

    /// When counts were stored last; `None` if they never were.
    pub fn counts_stored_at(&self) -> Result<Option<Timestamp>> {
        Ok(self.query_one("SELECT json(stored_ms) AS json FROM counters", vec![])?.map(clock::from_millis))
    }
}
