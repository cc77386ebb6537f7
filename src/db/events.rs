//! Events: recorded with the state they change, in one transaction, and read back in `seq` order.

use chrono::FixedOffset;
use rollcall_core::{
    Id, Seq, Timestamp,
    auth::Principal,
    board::{BACKLOG, Board},
    event::{Change, Event, Reason},
    query::EventFilter,
    wire::DoctorInfo,
};
use serde::Deserialize;
use wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result};

use super::{
    all, batch, batch_of,
    doctors::{self, DOCTOR},
    flag, from_json, int, nullable, seq, sessions, statement, time,
};

const COLUMNS: &str = "seq, at_ms, utc_offset_s, action, reason, actor_id, doctor_id, username, first_name, last_name,
    is_available_for_consultation, is_live, consultation_hours, specialization, hospital";

/// An [`Event`] as the JSON that it is.
const EVENT: &str = "json_object('seq', seq, 'at', at_ms, 'utc_offset', utc_offset_s, 'action', action,
    'reason', reason, 'actor_id', actor_id, 'doctor', json_object('id', doctor_id, 'username', username,
        'first_name', first_name, 'last_name', last_name,
        'is_available_for_consultation', json(iif(is_available_for_consultation, 'true', 'false')),
        'is_live', json(iif(is_live, 'true', 'false')), 'consultation_hours', consultation_hours,
        'specialization', specialization, 'hospital', hospital)) AS json";

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
    /// Whose state.
    pub doctor_id: Id,
    /// What changes.
    pub change: Change,
    /// Why, where it is not the doctor's own call.
    pub reason: Option<Reason>,
    /// Who makes the call.
    pub actor_id: Option<Id>,
    /// Recorded only if this is still true; `None` where nobody has to be asked.
    pub by: Option<Principal>,
    /// The doctor has been deactivated, or is no doctor any more.
    pub departs: bool,
}

/// Records changes in one transaction, one after another: of each the event, then the state.
///
/// The event is inserted only where it changes something, and the state is always that of the doctor's latest event. So
/// a repeated call inserts nothing and updates nothing, whoever retries and however often, and neither is ever written
/// without the other.
///
/// `at` is when, `utc_offset` the hospital's offset from UTC then.
pub async fn record(
    db: &D1Database,
    hospital_id: Id,
    (at, utc_offset): (Timestamp, FixedOffset),
    records: &[Record],
) -> worker::Result<Vec<Option<Event>>> {
    let insert = format!(
        "INSERT INTO events (hospital_id, {COLUMNS})
         SELECT h.id, MAX((SELECT COALESCE(MAX(seq), 0) FROM events WHERE hospital_id = h.id), h.seq_floor) + 1, ?2, ?11, ?12, ?13, ?14,
                u.id, u.username, u.first_name, u.last_name,
                COALESCE(?10, d.is_available_for_consultation), COALESCE(?9, d.is_live),
                d.consultation_hours, d.specialization, h.name
         FROM users u JOIN doctors d ON d.user_id = u.id JOIN hospitals h ON h.id = u.hospital_id
         WHERE {IS_DOCTOR} AND {} AND (d.is_live <> ?9 OR d.is_available_for_consultation <> ?10)
         RETURNING {EVENT}",
        sessions::still_true()
    );
    let update = "UPDATE doctors AS d
         SET is_live = e.is_live, is_available_for_consultation = e.is_available_for_consultation,
             live_changed_ms = iif(d.is_live <> e.is_live, e.at_ms, d.live_changed_ms)
         FROM (SELECT * FROM events WHERE hospital_id = ?1 ORDER BY seq DESC LIMIT 1) AS e
         WHERE d.user_id = e.doctor_id AND e.doctor_id = (SELECT id FROM users WHERE id = ?2 AND hospital_id = ?1)
           AND (d.is_live <> e.is_live OR d.is_available_for_consultation <> e.is_available_for_consultation)";
    let mut statements = Vec::with_capacity(2 * records.len());
    for record in records {
        let (live, available) = match record.change {
            Change::Login => (Some(1), None),
            Change::Logout => (Some(0), None),
            Change::Availability(available) => (None, Some(i64::from(available))),
        };
        let event = [
            nullable(live, int),
            nullable(available, int),
            int(utc_offset.local_minus_utc().into()),
            record.change.action().as_str().into(),
            nullable(record.reason, |reason| reason.as_str().into()),
            nullable(record.actor_id, int),
        ];
        statements.push(statement(db, &insert, &[&record.subject(hospital_id, at)[..], &event].concat())?);
        statements.push(statement(db, update, &[int(hospital_id), int(record.doctor_id)])?);
    }
    let results = batch_of(db, statements).await?;
    results.iter().step_by(2).map(|inserted| Ok(from_json(inserted)?.pop())).collect()
}

/// Why nothing was recorded: what there was instead.
pub async fn found(db: &D1Database, hospital_id: Id, at: Timestamp, records: &[Record]) -> worker::Result<Vec<Found>> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(deserialize_with = "flag")]
        allowed: bool,
        latest: Seq,
        doctor: Option<String>,
    }
    let sql = format!(
        "SELECT {} AS allowed, (SELECT COALESCE(MAX(seq), 0) FROM events WHERE hospital_id = ?1) AS latest,
                (SELECT {DOCTOR} FROM users u JOIN doctors d ON d.user_id = u.id JOIN hospitals h ON h.id = u.hospital_id
                 WHERE {IS_DOCTOR}) AS doctor",
        sessions::still_true()
    );
    let statements = records.iter().map(|record| statement(db, &sql, &record.subject(hospital_id, at)));
    let mut found = vec![];
    for result in batch_of(db, statements.collect::<worker::Result<_>>()?).await? {
        for Row { allowed, latest, doctor } in result.results()? {
            found.push(Found { allowed, latest, doctor: doctor.map(|json| serde_json::from_str(&json)).transpose()? });
        }
    }
    Ok(found)
}

/// What there is where nothing was recorded.
pub struct Found {
    /// Whether [`Record::by`] is true.
    pub allowed: bool,
    /// The doctor, who is in that state already; nobody where the hospital has no active doctor of that id.
    pub doctor: Option<DoctorInfo>,
    /// The hospital's latest seq.
    pub latest: Seq,
}

/// The hospital `?1` has the doctor `?7`; or had, where `?8` says that they depart.
const IS_DOCTOR: &str = "u.id = ?7 AND u.hospital_id = ?1 AND (u.role = 'doctor' AND u.is_active = 1 OR ?8 = 1)";

impl Record {
    /// The parameters `?1` to `?8`: who, to whom, where and when.
    fn subject(&self, hospital_id: Id, at: Timestamp) -> [JsValue; 8] {
        let [session_id, user_id, role, temporary] = sessions::claim(self.by.as_ref());
        let (doctor_id, departs) = (int(self.doctor_id), int(self.departs.into()));
        [int(hospital_id), time(at), session_id, user_id, role, temporary, doctor_id, departs]
    }
}

/// No more events are forgotten in one statement.
const FORGOTTEN_AT_ONCE: usize = 500;

/// Forgets events recorded before `before`, the oldest first, and says whether there may be more of them.
///
/// What is kept has no holes: nothing behind an event that is kept is forgotten, wherever the clock was. The latest one is
/// always kept, because the next one's `seq` follows from it.
pub async fn forget(db: &D1Database, hospital_id: Id, before: Timestamp) -> worker::Result<bool> {
    let sql = format!(
        "WITH oldest AS (SELECT seq, at_ms FROM events WHERE hospital_id = ?1 ORDER BY seq LIMIT {FORGOTTEN_AT_ONCE})
         DELETE FROM events WHERE hospital_id = ?1 AND seq <= (SELECT MAX(seq) FROM oldest)
           AND seq < COALESCE((SELECT MIN(seq) FROM oldest WHERE at_ms >= ?2), 1 << 53)
           AND seq < (SELECT MAX(seq) FROM events WHERE hospital_id = ?1)"
    );
    let deleted = all(statement(db, &sql, &[int(hospital_id), time(before)])?).await?;
    Ok(deleted.meta()?.and_then(|meta| meta.changes) >= Some(FORGOTTEN_AT_ONCE))
}

/// A hospital's latest seq.
pub async fn latest_of(db: &D1Database, hospital_id: Id) -> worker::Result<Seq> {
    latest_seq(&all(latest(db, hospital_id)?).await?)
}

/// The first events after `since`, oldest first; as many as a dashboard may be behind.
pub async fn after(db: &D1Database, hospital_id: Id, since: Seq) -> worker::Result<Vec<Event>> {
    let sql = format!("SELECT {EVENT} FROM events WHERE hospital_id = ?1 AND seq > ?2 ORDER BY seq LIMIT {BACKLOG}");
    from_json(&all(statement(db, &sql, &[int(hospital_id), seq(since)])?).await?)
}

/// The hospital's time zone, and its board with the last `depth` events.
pub async fn board(db: &D1Database, hospital_id: Id, depth: usize) -> worker::Result<(String, Board)> {
    #[derive(Deserialize)]
    struct Hospital {
        time_zone: String,
    }
    let newest = format!("SELECT {EVENT} FROM events WHERE hospital_id = ?1 ORDER BY seq DESC LIMIT ?2");
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
    let mut events = from_json::<Event>(&newest)?;
    events.reverse();
    Ok((time_zone, Board::new(latest_seq(&latest)?, from_json(&doctors)?, events)))
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
        "SELECT {EVENT} FROM events
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
    let mut events = from_json::<Event>(&found)?;
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
