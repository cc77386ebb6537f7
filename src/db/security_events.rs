//! The record of security events.

use chrono::TimeDelta;
use rollcall_core::{
    Timestamp,
    audit::{RETENTION, SecurityEvent},
};
use wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement};

use super::{batch, int, nullable, statement, time};

/// The same thing tried again within this time is counted, not recorded anew: nobody fills the database by asking.
const COALESCE: TimeDelta = TimeDelta::minutes(1);

/// Inserts the event of the parameters; a condition follows.
const INSERT: &str = "INSERT INTO security_events (at_ms, hospital_id, actor_id, action, target_id, result, address)
     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7";

/// The same event, tried since `?8`.
const SAME: &str = "at_ms > ?8 AND address = ?7 AND action = ?4 AND result = ?6
    AND hospital_id IS ?2 AND actor_id IS ?3 AND target_id IS ?5";

/// Something to record.
pub struct Record<'a> {
    /// What; its target, where that is not created by it.
    pub event: SecurityEvent,
    /// Where the request came from.
    pub address: &'a str,
    /// When.
    pub now: Timestamp,
}

/// The statement that forgets what is older than [`RETENTION`].
pub(super) fn forget(db: &D1Database, now: Timestamp) -> worker::Result<D1PreparedStatement> {
    statement(db, "DELETE FROM security_events WHERE at_ms < ?1", &[time(now - RETENTION)])
}

impl Record<'_> {
    /// Records an event that changes nothing else, and forgets what is older than [`RETENTION`].
    pub async fn save(&self, db: &D1Database) -> worker::Result<()> {
        let count = format!("UPDATE security_events SET times = times + 1 WHERE {SAME} AND at_ms <= ?1");
        let insert = format!("{INSERT} WHERE NOT EXISTS (SELECT 1 FROM security_events WHERE {SAME})");
        let parameters = self.parameters(time(self.now - COALESCE));
        let statements =
            [statement(db, &count, &parameters)?, statement(db, &insert, &parameters)?, forget(db, self.now)?];
        batch(db, statements).await?;
        Ok(())
    }

    /// The statement that records an event, for the batch that makes the change.
    pub(super) fn statement(&self, db: &D1Database) -> worker::Result<D1PreparedStatement> {
        self.statement_if(db, ("?8", int(1)))
    }

    /// The same, if `condition` holds: an SQL expression with the parameter `?8`.
    pub(super) fn statement_if(
        &self,
        db: &D1Database,
        (condition, parameter): (&str, JsValue),
    ) -> worker::Result<D1PreparedStatement> {
        statement(db, &format!("{INSERT} WHERE {condition}"), &self.parameters(parameter))
    }

    fn parameters(&self, eighth: JsValue) -> [JsValue; 8] {
        [
            time(self.now),
            nullable(self.event.hospital_id, int),
            nullable(self.event.actor_id, int),
            self.event.what.as_str().into(),
            nullable(self.event.target_id, int),
            self.event.outcome.as_str().into(),
            self.address.into(),
            eighth,
        ]
    }
}
