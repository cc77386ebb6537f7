//! The archive: a copy of what the rooms have recorded, for reports, backups, and rooms that have lost their storage.
//!
//! **Invariant:** a row that is archived once never changes. One that meets another under its number fails the whole
//! flight: it is never ignored.

use rollcall_core::{HospitalId, Seq, UserId, audit::ArchivedSecurityEvent, event::Event};
use serde::{Deserialize, Serialize};
use worker::D1Database;

use super::{
    IS_OURS, SEQ_END, all, batch,
    event_rows::{COLUMNS, EVENT, VALUES},
    from_json, hospital,
    hospitals::{HospitalRecord, state_of},
    seq, statement,
};

/// What is copied at once.
#[derive(Debug, Default)]
pub struct Flight {
    /// Events, oldest first.
    pub events: Vec<Event>,
    /// The doctors whom they are about, in their state after them.
    pub states: Vec<ArchivedState>,
    /// Security events whose minute is over.
    pub security_events: Vec<ArchivedSecurityEvent>,
    /// Digests of imported tokens that have ended, and when.
    pub ended_tokens: Vec<(String, i64)>,
}

/// A doctor's state after an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivedState {
    /// Whose.
    pub user_id: UserId,
    /// The event.
    pub seq: Seq,
    /// On duty.
    pub is_live: bool,
    /// Free for a consultation.
    pub is_available_for_consultation: bool,
    /// When they last came on duty or left it, in milliseconds since 1970; null if that was not in this flight.
    pub live_changed_ms: Option<i64>,
}

/// Copies a flight if `epoch` is still the hospital's. Says which hospital D1 has, after it: if its epoch is another
/// one, nothing was copied. `None` if D1 has no such hospital.
///
/// # Errors
/// Also if a row meets another one under its number: `NOT NULL constraint failed`.
pub async fn copy(
    db: &D1Database,
    id: HospitalId,
    epoch: &str,
    flight: &Flight,
) -> worker::Result<Option<HospitalRecord>> {
    // A flight whose answer was lost is copied again: a row that is there already has to be the same.
    let events = format!(
        "INSERT INTO events (hospital_id, {COLUMNS}) SELECT ?1, {VALUES} FROM json_each(?3) WHERE {IS_OURS}
         ON CONFLICT (hospital_id, seq) DO UPDATE SET at_ms = NULL
         WHERE (at_ms, action, reason, actor_id, doctor_id, is_live, is_available_for_consultation) IS NOT
           (excluded.at_ms, excluded.action, excluded.reason, excluded.actor_id, excluded.doctor_id, excluded.is_live,
            excluded.is_available_for_consultation)"
    );
    let states = format!(
        "UPDATE doctors SET is_live = value ->> '$.is_live', state_seq = value ->> '$.seq',
           is_available_for_consultation = value ->> '$.is_available_for_consultation',
           live_changed_ms = COALESCE(value ->> '$.live_changed_ms', live_changed_ms)
         FROM json_each(?3) WHERE user_id = value ->> '$.user_id' AND state_seq < value ->> '$.seq' AND {IS_OURS}"
    );
    let security_events = format!(
        "INSERT INTO archived_security_events
           (hospital_id, number, at_ms, actor_id, action, target_id, result, address, times)
         SELECT ?1, value ->> '$.number', value ->> '$.at_ms', value ->> '$.actor_id', value ->> '$.action',
           value ->> '$.target_id', value ->> '$.result', value ->> '$.address', value ->> '$.times'
         FROM json_each(?3) WHERE {IS_OURS}
         ON CONFLICT (hospital_id, number) DO UPDATE SET at_ms = NULL
         WHERE (at_ms, actor_id, action, target_id, result, address, times) IS NOT
           (excluded.at_ms, excluded.actor_id, excluded.action, excluded.target_id, excluded.result, excluded.address,
            excluded.times)"
    );
    let tokens = format!(
        "UPDATE imported_tokens SET ended_ms = COALESCE(ended_ms, value ->> 1)
         FROM json_each(?3) WHERE token_sha256 = value ->> 0 AND {IS_OURS}"
    );
    let with =
        |sql: &str, rows: worker::Result<String>| statement(db, sql, &[hospital(id), epoch.into(), rows?.into()]);
    let [_, _, _, _, state] = batch(
        db,
        [
            with(&events, to_json(&flight.events))?,
            with(&states, to_json(&flight.states))?,
            with(&security_events, to_json(&flight.security_events))?,
            with(&tokens, to_json(&flight.ended_tokens))?,
            state_of(db, id)?,
        ],
    )
    .await?;
    Ok(from_json(&state)?.pop())
}

fn to_json(rows: &impl Serialize) -> worker::Result<String> {
    Ok(serde_json::to_string(rows)?)
}

/// Up to where the archive has no gap: of events, and of security events. After D1 was put back, what is behind a gap is
/// copied again; a row that is there already has to be the same.
pub async fn complete_to(db: &D1Database, id: HospitalId) -> worker::Result<(Seq, i64)> {
    let first_gap = |table: &str, number: &str| {
        format!(
            "(SELECT COALESCE(MIN({number}), 0) FROM {table} a WHERE hospital_id = ?1 AND {number} < {SEQ_END}
               AND NOT EXISTS (SELECT 1 FROM {table} b WHERE b.hospital_id = ?1 AND b.{number} = a.{number} + 1))"
        )
    };
    let (events, security) = (first_gap("events", "seq"), first_gap("archived_security_events", "number"));
    let sql = format!("SELECT json_array({events}, {security}) AS json");
    Ok(from_json(&all(statement(db, &sql, &[hospital(id)])?).await?)?.pop().unwrap_or_default())
}

/// Events between two others, none of them included: the last ones if `newest`, else the first ones. They come in the
/// order in which they were looked for.
pub async fn between(
    db: &D1Database,
    id: HospitalId,
    (after, before): (Seq, Seq),
    newest: bool,
    limit: u32,
) -> worker::Result<Vec<Event>> {
    let direction = if newest { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT {EVENT} FROM events WHERE hospital_id = ?1 AND seq > ?2 AND seq < ?3 ORDER BY seq {direction} LIMIT ?4"
    );
    from_json(&all(statement(db, &sql, &[hospital(id), seq(after), seq(before), limit.into()])?).await?)
}
