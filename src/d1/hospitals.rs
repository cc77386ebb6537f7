//! Hospitals: which one a request is for, and what a room starts from.

use rollcall_core::{HospitalId, Seq, event::Event, user::UserRecord};
use serde::Deserialize;
use worker::D1Database;

use super::{SEQ_END, all, batch, event_rows::EVENT, from_json, hospital, statement, users::of_hospital};

/// How many events a room that starts with nothing reads at once; it copies older ones later.
const LATEST: usize = 1000;

/// So far beyond everything that anybody may have seen does the sequence of a rebuilt room begin.
const JUMP: i64 = 1_000_000;

/// A hospital as D1 has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct HospitalRecord {
    /// Its name.
    pub name: String,
    /// Its time zone, an IANA name.
    pub time_zone: String,
    /// Random; another one after D1 was put back.
    pub epoch: String,
    /// Raised by each write to its users from outside its room.
    pub revision: i64,
}

/// What a room that has nothing starts from.
#[derive(Debug)]
pub struct Takeover {
    /// The hospital, with the epoch of this take-over.
    pub hospital: HospitalRecord,
    /// Where the room's sequence begins: the first event gets the next one.
    pub first_seq: Seq,
    /// How many of its security events are archived.
    pub archived_security: i64,
    /// All its users.
    pub users: Vec<UserRecord>,
    /// Its last events, oldest first.
    pub events: Vec<Event>,
    /// Whether there may be older ones.
    pub has_older: bool,
}

/// A hospital's columns as the JSON of a [`HospitalRecord`].
const RECORD: &str = "'name', name, 'time_zone', time_zone, 'epoch', epoch, 'revision', revision";

/// Takes a hospital over for a room that has nothing: from now on the room of `epoch` writes, and no other. `None` if
/// there is no such hospital.
pub async fn take_over(db: &D1Database, id: HospitalId, epoch: &str) -> worker::Result<Option<Takeover>> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(flatten)]
        hospital: HospitalRecord,
        room_seq: Seq,
        archived_security: i64,
    }
    // A hospital that never had a room nor an event begins at the beginning: nobody can have seen anything of it.
    let Some(before) = epoch_of(db, id).await? else { return Ok(None) };
    let claim = format!(
        "UPDATE hospitals SET
           room_seq = CASE
             WHEN epoch = '' AND seq_floor = 0 AND NOT EXISTS (SELECT 1 FROM events WHERE hospital_id = ?1) THEN 0
             ELSE {JUMP} + MAX(room_seq, iif(seq_floor < {SEQ_END}, seq_floor, 0),
               (SELECT COALESCE(MAX(seq), 0) FROM events WHERE hospital_id = ?1 AND seq < {SEQ_END})) END,
           epoch = ?2, seq_floor = {SEQ_END}
         WHERE id = ?1 AND epoch = ?3"
    );
    let row = format!(
        "SELECT json_object({RECORD}, 'room_seq', room_seq, 'archived_security',
           (SELECT COALESCE(MAX(number), 0) FROM archived_security_events WHERE hospital_id = ?1)) AS json
         FROM hospitals WHERE id = ?1"
    );
    let newest = format!(
        "SELECT {EVENT} FROM events WHERE hospital_id = ?1 AND seq < {SEQ_END} ORDER BY seq DESC LIMIT {LATEST}"
    );
    let [_, row, users, newest] = batch(
        db,
        [
            statement(db, &claim, &[hospital(id), epoch.into(), before.into()])?,
            statement(db, &row, &[hospital(id)])?,
            of_hospital(db, id)?,
            statement(db, &newest, &[hospital(id)])?,
        ],
    )
    .await?;
    let Some(Row { hospital, room_seq, archived_security }) = from_json(&row)?.pop() else { return Ok(None) };
    if hospital.epoch != epoch {
        return Err(worker::Error::RustError("another take-over was faster".into()));
    }
    let mut events: Vec<Event> = from_json(&newest)?;
    events.reverse();
    let has_older = events.len() >= LATEST;
    Ok(Some(Takeover {
        hospital,
        first_seq: room_seq,
        archived_security,
        users: from_json(&users)?,
        events,
        has_older,
    }))
}

async fn epoch_of(db: &D1Database, id: HospitalId) -> worker::Result<Option<String>> {
    let found: Option<HospitalRecord> = from_json(&all(state_of(db, id)?).await?)?.pop();
    Ok(found.map(|hospital| hospital.epoch))
}

/// A hospital, and all its users, as they are now. `None` if there is no such hospital.
pub async fn read(db: &D1Database, id: HospitalId) -> worker::Result<Option<(HospitalRecord, Vec<UserRecord>)>> {
    let [row, users] = batch(db, [state_of(db, id)?, of_hospital(db, id)?]).await?;
    let users = from_json(&users)?;
    Ok(from_json(&row)?.pop().map(|hospital| (hospital, users)))
}

/// The statement that says which epoch and revision a hospital has.
pub(super) fn state_of(db: &D1Database, id: HospitalId) -> worker::Result<worker::D1PreparedStatement> {
    let sql = format!("SELECT json_object({RECORD}) AS json FROM hospitals WHERE id = ?1");
    statement(db, &sql, &[hospital(id)])
}

/// Which hospital the user with an email belongs to; the room decides whether they may join.
pub async fn of_email(db: &D1Database, email: &str) -> worker::Result<Option<HospitalId>> {
    let sql = "SELECT json(hospital_id) AS json FROM users WHERE email = ?1";
    Ok(from_json(&all(statement(db, sql, &[email.into()])?).await?)?.pop())
}
