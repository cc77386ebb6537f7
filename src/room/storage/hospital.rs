//! The room's one row: its hospital, and how far it has come.

use rollcall_core::{HospitalId, Seq};
use serde::{Deserialize, Serialize};
use worker::{Result, SqlStorageValue};

use super::{RoomStorage, json};

/// The row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRow {
    /// Whose room it is.
    pub hospital_id: HospitalId,
    /// The hospital's name.
    pub name: String,
    /// Its time zone, an IANA name.
    pub time_zone: String,
    /// D1's epoch, as the room knows it.
    pub epoch: String,
    /// The revision of the users in D1 that the room has.
    pub revision: i64,
    /// Where the room's sequence began.
    pub first_seq: Seq,
    /// The latest event that was certainly sent.
    pub announced_seq: Seq,
    /// All that was sent up to there, in bytes on the wire.
    pub announced_bytes: i64,
    /// The latest event that D1 has.
    pub archived_seq: Seq,
    /// The latest security event that D1 has.
    pub archived_security: i64,
    /// Older events than this one are still to be copied from D1; 0 if nothing is left.
    pub copied_from: Seq,
}

const COLUMNS: [&str; 11] = [
    "hospital_id",
    "name",
    "time_zone",
    "epoch",
    "revision",
    "first_seq",
    "announced_seq",
    "announced_bytes",
    "archived_seq",
    "archived_security",
    "copied_from",
];

impl RoomStorage {
    /// The row. It is there once the hospital was taken over.
    pub fn room(&self) -> Result<RoomRow> {
        let fields = COLUMNS.map(|column| format!("'{column}', {column}")).join(", ");
        let row = self.query_one(&format!("SELECT json_object({fields}) AS json FROM room"), vec![])?;
        row.ok_or_else(|| worker::Error::RustError("the room has no row".into()))
    }

    /// Stores the row.
    pub fn store_room(&self, row: &RoomRow) -> Result<()> {
        let values = COLUMNS.map(|column| format!("value ->> '$.{column}'")).join(", ");
        let columns = COLUMNS.join(", ");
        let sql = format!("INSERT OR REPLACE INTO room (id, {columns}) SELECT 1, {values} FROM json_each(?)");
        self.exec(&sql, vec![json(&[row])?])
    }

    /// Notes up to which event everything was sent.
    pub fn store_announced(&self, seq: Seq, bytes: i64) -> Result<()> {
        self.exec("UPDATE room SET announced_seq = ?, announced_bytes = ?", vec![number(seq), bytes.into()])
    }
}

/// A seq as a parameter.
pub(super) fn number(seq: Seq) -> SqlStorageValue {
    SqlStorageValue::Float(seq.get() as f64)
}
