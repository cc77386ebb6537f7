//! Events: recorded with the state they change, in one transaction, and read back in `seq` order.

use chrono::FixedOffset;
use rollcall_core::{
    Id, Seq, Timestamp,
    board::{BACKLOG, Board, OnRoster},
    event::{Action, Change, Event, Reason},
    query::EventFilter,
    wire::DoctorInfo,
};
use serde::Deserialize;
use wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result};

use super::{
    all, batch,
    doctors::{self, DoctorRow},
    int, nullable, seq, statement, time,
};
use crate::clock;

const COLUMNS: &str = "seq, at_ms, utc_offset_s, action, reason, actor_id, doctor_id, username, first_name, last_name,
    is_available_for_consultation, is_live, consultation_hours, specialization, hospital";

#[derive(Deserialize)]
struct EventRow {
    seq: Seq,
    at_ms: i64,
    utc_offset_s: i32,
    action: Action,
    reason: Option<Reason>,
    actor_id: Option<Id>,
    #[serde(flatten)]
    doctor: DoctorRow,
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        Self {
            seq: row.seq,
            at: clock::from_millis(row.at_ms),
            utc_offset: FixedOffset::east_opt(row.utc_offset_s).unwrap_or(chrono::Offset::fix(&chrono::Utc)),
            action: row.action,
            reason: row.reason,
            actor_id: row.actor_id,
            doctor: row.doctor.into(),
        }
    }
}

fn events(result: &D1Result) -> worker::Result<Vec<Event>> {
    Ok(result.results::<EventRow>()?.into_iter().map(Event::from).collect())
}

#[derive(Deserialize)]
struct LatestRow {
    latest: Seq,
}

fn latest(db: &D1Database, hospital_id: Id) -> worker::Result<D1PreparedStatement> {
    statement(db, "SELECT COALESCE(MAX(seq), 0) AS latest FROM events WHERE hospital_id = ?1", &[int(hospital_id)])
}

fn latest_seq(result: &D1Result) -> worker::Result<Seq> {
    Ok(result.results::<LatestRow>()?.first().map_or(0, |row| row.latest))
}

/// A change to record.
pub struct Record {
    /// The room's hospital.
    pub hospital_id: Id,
    /// Whose state.
    pub doctor_id: Id,
    /// What changes.
    pub change: Change,
    /// Why, where it is not the doctor's own call.
    pub reason: Option<Reason>,
    /// Who makes the call.
    pub actor_id: Option<Id>,
    /// The doctor has been deactivated, or is no doctor any more.
    pub departs: bool,
    /// When.
    pub at: Timestamp,
    /// The hospital's offset from UTC then.
    pub utc_offset: FixedOffset,
}

/// What became of a [`Record`].
pub struct Recorded {
    /// The event, unless the doctor was in that state already.
    pub event: Option<Event>,
    /// The doctor now; nobody where the hospital has no active doctor of that id.
    pub doctor: Option<DoctorInfo>,
    /// The hospital's latest seq.
    pub latest: Seq,
}

/// Records `record` in one transaction: the event, then the state.
///
/// Both statements have the same condition on the *old* state, the event's first. So a repeated call inserts nothing
/// and updates nothing, whoever retries and however often, and neither is ever written without the other.
pub async fn record(db: &D1Database, record: Record) -> worker::Result<Recorded> {
    let (live, available) = match record.change {
        Change::Login => (Some(1), None),
        Change::Logout => (Some(0), None),
        Change::Availability(available) => (None, Some(i64::from(available))),
    };
    let (hospital_id, doctor_id) = (int(record.hospital_id), int(record.doctor_id));
    let (live, available) = (nullable(live, int), nullable(available, int));
    let at = time(record.at);
    let departs = int(record.departs.into());
    let insert = format!(
        "INSERT INTO events (hospital_id, {COLUMNS})
         SELECT h.id, (SELECT COALESCE(MAX(seq), 0) + 1 FROM events WHERE hospital_id = h.id), ?5, ?6, ?7, ?8, ?9,
                u.id, u.username, u.first_name, u.last_name,
                COALESCE(?4, d.is_available_for_consultation), COALESCE(?3, d.is_live),
                d.consultation_hours, d.specialization, h.name
         FROM users u JOIN doctors d ON d.user_id = u.id JOIN hospitals h ON h.id = u.hospital_id
         WHERE u.id = ?2 AND h.id = ?1 AND (u.role = 'doctor' AND u.is_active = 1 OR ?10 = 1)
           AND (d.is_live <> ?3 OR d.is_available_for_consultation <> ?4)
         RETURNING {COLUMNS}"
    );
    let update = "UPDATE doctors
         SET is_live = COALESCE(?3, is_live),
             live_changed_ms = CASE WHEN is_live <> ?3 THEN ?6 ELSE live_changed_ms END,
             is_available_for_consultation = COALESCE(?4, is_available_for_consultation)
         WHERE user_id = (SELECT id FROM users WHERE id = ?2 AND hospital_id = ?1
                            AND (role = 'doctor' AND is_active = 1 OR ?5 = 1))
           AND (is_live <> ?3 OR is_available_for_consultation <> ?4)";
    let [inserted, _, doctor, latest] = batch(
        db,
        [
            statement(
                db,
                &insert,
                &[
                    hospital_id.clone(),
                    doctor_id.clone(),
                    live.clone(),
                    available.clone(),
                    at.clone(),
                    int(record.utc_offset.local_minus_utc().into()),
                    record.change.action().as_str().into(),
                    nullable(record.reason, |reason| reason.as_str().into()),
                    nullable(record.actor_id, int),
                    departs.clone(),
                ],
            )?,
            statement(db, update, &[hospital_id, doctor_id, live, available, departs, at])?,
            doctors::one(db, record.hospital_id, record.doctor_id)?,
            latest(db, record.hospital_id)?,
        ],
    )
    .await?;
    Ok(Recorded {
        event: events(&inserted)?.pop(),
        doctor: doctor.results::<DoctorRow>()?.pop().map(DoctorInfo::from),
        latest: latest_seq(&latest)?,
    })
}

/// A hospital's latest seq.
pub async fn latest_of(db: &D1Database, hospital_id: Id) -> worker::Result<Seq> {
    latest_seq(&all(latest(db, hospital_id)?).await?)
}

/// The first events after `since`, oldest first; as many as a dashboard may be behind.
pub async fn after(db: &D1Database, hospital_id: Id, since: Seq) -> worker::Result<Vec<Event>> {
    let sql = format!("SELECT {COLUMNS} FROM events WHERE hospital_id = ?1 AND seq > ?2 ORDER BY seq LIMIT {BACKLOG}");
    events(&all(statement(db, &sql, &[int(hospital_id), seq(since)])?).await?)
}

/// The hospital's time zone, and its board with the last `depth` events.
pub async fn board(db: &D1Database, hospital_id: Id, depth: usize) -> worker::Result<(String, Board)> {
    #[derive(Deserialize)]
    struct Hospital {
        time_zone: String,
    }
    let newest = format!("SELECT {COLUMNS} FROM events WHERE hospital_id = ?1 ORDER BY seq DESC LIMIT ?2");
    let [hospital, latest, doctors, newest] = batch(
        db,
        [
            statement(db, "SELECT time_zone FROM hospitals WHERE id = ?1", &[int(hospital_id)])?,
            latest(db, hospital_id)?,
            doctors::roster(db, hospital_id)?,
            statement(db, &newest, &[int(hospital_id), (depth as f64).into()])?,
        ],
    )
    .await?;
    let time_zone = hospital.results::<Hospital>()?.pop().map(|row| row.time_zone).unwrap_or_default();
    let doctors = doctors.results::<DoctorRow>()?.into_iter().map(OnRoster::from).collect();
    let mut events = events(&newest)?;
    events.reverse();
    Ok((time_zone, Board::new(latest_seq(&latest)?, doctors, events)))
}

/// A page of the history.
pub struct Page {
    /// Oldest first.
    pub events: Vec<Event>,
    /// The `since` of the page behind it, where there is one.
    pub next: Option<Seq>,
    /// The `before` of the page in front of it, where there is one and it was asked for by `before`.
    pub previous: Option<Seq>,
}

/// A page of the history, and the latest seq.
pub async fn page(db: &D1Database, hospital_id: Id, filter: &EventFilter) -> worker::Result<(Page, Seq)> {
    // Either way along the primary key, and no further than the page is long.
    let (before, direction) = match filter.before {
        Some(before) => (seq(before), "DESC"),
        None => (JsValue::NULL, "ASC"),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM events
         WHERE hospital_id = ?1 AND seq > ?2 AND (?3 IS NULL OR doctor_id = ?3)
           AND (?4 IS NULL OR at_ms >= ?4) AND (?5 IS NULL OR at_ms < ?5) AND seq < COALESCE(?7, 1 << 53)
         ORDER BY seq {direction} LIMIT ?6"
    );
    let one_more = filter.limit + 1;
    let [found, latest] = batch(
        db,
        [
            statement(
                db,
                &sql,
                &[
                    int(hospital_id),
                    seq(filter.since),
                    nullable(filter.doctor_id, int),
                    nullable(filter.from, time),
                    nullable(filter.to, time),
                    one_more.into(),
                    before,
                ],
            )?,
            latest(db, hospital_id)?,
        ],
    )
    .await?;
    let mut events = events(&found)?;
    let limit = filter.limit as usize;
    let more = events.len() > limit;
    events.truncate(limit);
    let further = events.last().filter(|_| more).map(|event| event.seq);
    let (next, previous) = match filter.before {
        Some(_) => {
            events.reverse();
            (None, further)
        }
        None => (further, None),
    };
    Ok((Page { events, next, previous }, latest_seq(&latest)?))
}
