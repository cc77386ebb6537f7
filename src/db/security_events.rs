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

/// The same event, tried since `?8`.
const SAME: &str = "at_ms > ?8 AND address = ?7 AND action = ?4 AND result = ?6
    AND hospital_id IS ?2 AND actor_id IS ?3 AND target_id IS ?5";

/// Records an event that changes nothing else, and forgets what is older than [`RETENTION`].
pub async fn record(db: &D1Database, event: &SecurityEvent, address: &str, now: Timestamp) -> worker::Result<()> {
    let count = format!("UPDATE security_events SET times = times + 1 WHERE {SAME} AND at_ms <= ?1");
    let insert = format!(
        "INSERT INTO security_events (at_ms, hospital_id, actor_id, action, target_id, result, address)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM security_events WHERE {SAME})"
    );
    let mut parameters = parameters(event, address, now).to_vec();
    parameters.push(time(now - COALESCE));
    let forget = "DELETE FROM security_events WHERE at_ms < ?1";
    let statements = [
        statement(db, &count, &parameters)?,
        statement(db, &insert, &parameters)?,
        statement(db, forget, &[time(now - RETENTION)])?,
    ];
    batch(db, statements).await?;
    Ok(())
}

/// The statement that records an event in the batch that makes a change, if `condition` holds: an SQL expression with
/// the parameter `?8`.
pub(super) fn insert_if(
    db: &D1Database,
    event: &SecurityEvent,
    address: &str,
    now: Timestamp,
    (condition, parameter): (&str, JsValue),
) -> worker::Result<D1PreparedStatement> {
    let sql = format!(
        "INSERT INTO security_events (at_ms, hospital_id, actor_id, action, target_id, result, address)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE {condition}"
    );
    let mut parameters = parameters(event, address, now).to_vec();
    parameters.push(parameter);
    statement(db, &sql, &parameters)
}

fn parameters(event: &SecurityEvent, address: &str, now: Timestamp) -> [JsValue; 7] {
    [
        time(now),
        nullable(event.hospital_id, int),
        nullable(event.actor_id, int),
        event.what.as_str().into(),
        nullable(event.target_id, int),
        event.outcome.as_str().into(),
        address.into(),
    ]
}
