//! Since when doctors have been connected, or without a connection.

use rollcall_core::{UserId, presence::Connectivity};
use serde::Deserialize;
use worker::Result;

use super::{RoomStorage, time};
use crate::platform::clock;

impl RoomStorage {
    /// Every doctor's connectivity.
    pub fn connectivity(&self) -> Result<Vec<(UserId, Connectivity)>> {
        #[derive(Deserialize)]
        struct Row {
            doctor_id: UserId,
            since_ms: i64,
            disconnected_ms: Option<i64>,
        }
        let sql = "SELECT json_object('doctor_id', doctor_id, 'since_ms', since_ms, 'disconnected_ms', disconnected_ms)
             AS json FROM connectivity";
        let connectivity = |row: Row| Connectivity {
            since: clock::from_millis(row.since_ms),
            disconnected_at: row.disconnected_ms.map(clock::from_millis),
        };
        Ok(self.query::<Row>(sql, vec![])?.into_iter().map(|row| (row.doctor_id, connectivity(row))).collect())
    }

    /// Stores a doctor's connectivity, or that they are not watched any more.
    pub fn store_connectivity(&self, doctor_id: UserId, connectivity: Option<Connectivity>) -> Result<()> {
        match connectivity {
            Some(Connectivity { since, disconnected_at }) => self.exec(
                "INSERT OR REPLACE INTO connectivity (doctor_id, since_ms, disconnected_ms) VALUES (?, ?, ?)",
                vec![doctor_id.get().into(), time(since), disconnected_at.map(|at| at.timestamp_millis()).into()],
            ),
            None => self.exec("DELETE FROM connectivity WHERE doctor_id = ?", vec![doctor_id.get().into()]),
        }
    }
}
