//! Security events without a signed-in user: failed attempts to sign in, which the Worker records. A room records the
//! others.

use chrono::TimeDelta;
use rollcall_core::{
    Timestamp,
    audit::{RETENTION, SecurityEvent},
};
use wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement};

use super::{batch, hospital, nullable, statement, time, user};

/// The same attempt within this time is counted, not recorded again: nobody fills the database by asking.
pub const COALESCE: TimeDelta = TimeDelta::minutes(1);

/// The same event, tried since `?8`.
const SAME: &str = "at_ms > ?8 AND address = ?7 AND action = ?4 AND result = ?6
    AND hospital_id IS ?2 AND actor_id IS ?3 AND target_id IS ?5";

/// The statement that forgets events older than [`RETENTION`].
pub(super) fn forget(db: &D1Database, now: Timestamp) -> worker::Result<D1PreparedStatement> {
    statement(db, "DELETE FROM security_events WHERE at_ms < ?1", &[time(now - RETENTION)])
}

/// The same for those that rooms have archived.
pub(super) fn forget_archived(db: &D1Database, now: Timestamp) -> worker::Result<D1PreparedStatement> {
    statement(db, "DELETE FROM archived_security_events WHERE at_ms < ?1", &[time(now - RETENTION)])
}

/// Records an event that came from an address.
pub async fn save(db: &D1Database, event: &SecurityEvent, address: &str, now: Timestamp) -> worker::Result<()> {
    let count = format!("UPDATE security_events SET times = times + 1 WHERE {SAME} AND at_ms <= ?1");
    let insert = format!(
        "INSERT INTO security_events (at_ms, hospital_id, actor_id, action, target_id, result, address)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM security_events WHERE {SAME})"
    );
    let parameters: [JsValue; 8] = [
        time(now),
        nullable(event.hospital_id, hospital),
        nullable(event.actor_id, user),
        event.what.as_str().into(),
        nullable(event.target_id, user),
        event.outcome.as_str().into(),
        address.into(),
        time(now - COALESCE),
    ];
    batch(db, [statement(db, &count, &parameters)?, statement(db, &insert, &parameters)?]).await?;
    Ok(())
}
