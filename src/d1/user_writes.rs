//! What rooms write to users: each write is conditional on the version that the room knows, and raises it.
//!
//! **Invariant:** a write whose answer is lost can be fenced: a write that raises the version (or, for a user to add, the
//! hospital's revision) makes a late one do nothing.

use rollcall_core::{
    HospitalId, Timestamp, UserId,
    account::{NewUser, UserEdit},
    user::UserRecord,
};
use wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result};

use super::{
    IS_OURS, all, batch, from_json, hospital, int, nullable, statement, time, user,
    users::{RECORD, TABLES},
};
use crate::platform::clock;

/// Where a room writes: its hospital, and the epoch that it knows.
#[derive(Clone, Copy)]
pub struct Fence<'a> {
    /// The hospital.
    pub hospital_id: HospitalId,
    /// Its epoch.
    pub epoch: &'a str,
}

/// What became of a write.
#[derive(Debug)]
pub enum Written {
    /// It was done; the row as it is now.
    Done(Box<UserRecord>),
    /// Somebody else has this field's value already.
    Taken(&'static str),
    /// The version, the revision or the epoch is another one: read again.
    Stale,
}

/// Adds a user if the hospital's revision is still `revision`.
pub async fn create(
    db: &D1Database,
    fence: Fence<'_>,
    revision: i64,
    new: &NewUser,
    password_hash: &str,
) -> worker::Result<Written> {
    let insert = format!(
        "INSERT INTO users (hospital_id, email, username, first_name, last_name, role, is_active, password_hash)
         SELECT ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE {IS_OURS}
           AND (SELECT revision FROM hospitals WHERE id = ?1) = ?10
           AND NOT EXISTS (SELECT 1 FROM users WHERE email = ?3 OR username = ?4)"
    );
    let parameters: [JsValue; 10] = [
        hospital(fence.hospital_id),
        fence.epoch.into(),
        new.email.as_str().into(),
        new.username.as_str().into(),
        new.first_name.as_str().into(),
        new.last_name.as_str().into(),
        new.role.as_str().into(),
        int(new.is_active.into()),
        password_hash.into(),
        int(revision),
    ];
    // Nobody else has this hash: its salt is random.
    let ours = "u.email = ?1 AND u.password_hash = ?2";
    let doctor = doctor(
        db,
        ours,
        (new.email.as_str().into(), password_hash.into()),
        [Some(&new.consultation_hours), Some(&new.specialization)],
    )?;
    let [taken, _, _, row] = batch(
        db,
        [
            taken(db, Some(&new.email), Some(&new.username), None)?,
            statement(db, &insert, &parameters)?,
            doctor,
            row(db, ours, &[new.email.as_str().into(), password_hash.into()])?,
        ],
    )
    .await?;
    outcome(&taken, &row)
}

/// Changes a user of that `version`; with another hash if there is one, temporary if it is good until a time.
pub async fn edit(
    db: &D1Database,
    fence: Fence<'_>,
    (user_id, version): (UserId, i64),
    edit: &UserEdit,
    password: Option<(&str, Option<Timestamp>)>,
) -> worker::Result<Written> {
    let update = format!(
        "UPDATE users
         SET email = COALESCE(?5, email), username = COALESCE(?6, username), first_name = COALESCE(?7, first_name),
             last_name = COALESCE(?8, last_name), role = COALESCE(?9, role), is_active = COALESCE(?10, is_active),
             password_hash = COALESCE(?11, password_hash),
             temporary_until_ms = CASE WHEN ?11 IS NULL THEN temporary_until_ms ELSE ?12 END,
             follows_import = CASE WHEN follows_import IS NOT NULL THEN 0 END,
             version = version + 1
         WHERE id = ?3 AND hospital_id = ?1 AND version = ?4 AND {IS_OURS}
           AND NOT EXISTS (SELECT 1 FROM users WHERE id <> ?3 AND (email = ?5 OR username = ?6))"
    );
    let text = |text: &Option<String>| nullable(text.as_deref(), JsValue::from);
    let parameters: [JsValue; 12] = [
        hospital(fence.hospital_id),
        fence.epoch.into(),
        user(user_id),
        int(version),
        text(&edit.email),
        text(&edit.username),
        text(&edit.first_name),
        text(&edit.last_name),
        nullable(edit.role, |role| role.as_str().into()),
        nullable(edit.is_active, |active| int(active.into())),
        nullable(password.map(|(hash, _)| hash), JsValue::from),
        nullable(password.and_then(|(_, until)| until), time),
    ];
    let written = "u.id = ?1 AND u.version = ?2";
    let now = (user(user_id), int(version + 1));
    let fields = [edit.consultation_hours.as_ref(), edit.specialization.as_ref()];
    // Ended with the sessions: a token that its room has not taken over yet has none.
    let ends_tokens = password.is_some() || edit.is_active == Some(false) || edit.role.is_some();
    let tokens = "UPDATE imported_tokens SET ended_ms = ?3 WHERE user_id = ?1 AND ended_ms IS NULL AND ?4 = 1
         AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND version = ?2)";
    let token_parameters = [now.0.clone(), now.1.clone(), time(clock::now()), int(ends_tokens.into())];
    let [taken, updated, _, _, row] = batch(
        db,
        [
            taken(db, edit.email.as_deref(), edit.username.as_deref(), Some(user_id))?,
            statement(db, &update, &parameters)?,
            doctor(db, written, now.clone(), fields)?,
            statement(db, tokens, &token_parameters)?,
            row(db, written, &[now.0, now.1])?,
        ],
    )
    .await?;
    if updated.meta()?.and_then(|meta| meta.changes) == Some(0) {
        return Ok(taken_field(&taken)?.map_or(Written::Stale, Written::Taken));
    }
    outcome(&taken, &row)
}

/// Fences a write to a user of that `version` whose answer was lost, and returns the user as they are from now on. `None`
/// if D1 does not have them. It raises the version by two, once: if the write was made, by three in all.
pub async fn reconcile(
    db: &D1Database,
    fence: Fence<'_>,
    (user_id, version): (UserId, i64),
) -> worker::Result<Option<UserRecord>> {
    let raise = format!(
        "UPDATE users SET version = version + 2 WHERE id = ?3 AND hospital_id = ?1 AND version <= ?4 AND {IS_OURS}"
    );
    let parameters = [hospital(fence.hospital_id), fence.epoch.into(), user(user_id), int(version + 1)];
    let [_, row] = batch(db, [statement(db, &raise, &parameters)?, row(db, "u.id = ?1", &[user(user_id)])?]).await?;
    Ok(from_json(&row)?.pop())
}

/// Fences every write that was to add a user, by raising the hospital's revision: the room reads all users after it.
pub async fn fence_creation(db: &D1Database, fence: Fence<'_>) -> worker::Result<()> {
    let raise = format!("UPDATE hospitals SET revision = revision + 1 WHERE id = ?1 AND {IS_OURS}");
    all(statement(db, &raise, &[hospital(fence.hospital_id), fence.epoch.into()])?).await?;
    Ok(())
}

/// Adds users that D1 has lost, deactivated and without a password: an administrator lets them in again. If somebody else
/// has their email or username by now, they get one that says so: events name them, so they have to be there.
pub async fn bring_back(db: &D1Database, fence: Fence<'_>, users: &[UserRecord]) -> worker::Result<()> {
    let insert = format!(
        "INSERT OR IGNORE INTO users (id, hospital_id, email, username, first_name, last_name, role, is_active,
           password_hash, version)
         SELECT value ->> '$.user_id', ?1,
           iif(EXISTS (SELECT 1 FROM users WHERE email = value ->> '$.email'),
             'lost-' || (value ->> '$.user_id') || '@users.invalid', value ->> '$.email'),
           iif(EXISTS (SELECT 1 FROM users WHERE username = value ->> '$.username'),
             'lost-' || (value ->> '$.user_id'), value ->> '$.username'),
           value ->> '$.first_name', value ->> '$.last_name', value ->> '$.role', 0, '', 1
         FROM json_each(?3) WHERE {IS_OURS}"
    );
    let doctors = format!(
        "INSERT OR IGNORE INTO doctors (user_id, consultation_hours, specialization)
         SELECT u.id, value ->> '$.consultation_hours', value ->> '$.specialization'
         FROM json_each(?3) JOIN users u ON u.id = value ->> '$.user_id' AND u.hospital_id = ?1
         WHERE u.role = 'doctor' AND {IS_OURS}"
    );
    let json = serde_json::to_string(users)?;
    let parameters = [hospital(fence.hospital_id), fence.epoch.into(), json.as_str().into()];
    batch(db, [statement(db, &insert, &parameters)?, statement(db, &doctors, &parameters)?]).await?;
    Ok(())
}

/// The statement that says which of an email and a username somebody else has.
fn taken(
    db: &D1Database,
    email: Option<&str>,
    username: Option<&str>,
    but: Option<UserId>,
) -> worker::Result<D1PreparedStatement> {
    let sql = "SELECT json_array(
           json(iif(EXISTS (SELECT 1 FROM users WHERE email = ?1 AND id IS NOT ?3), 'true', 'false')),
           json(iif(EXISTS (SELECT 1 FROM users WHERE username = ?2 AND id IS NOT ?3), 'true', 'false'))) AS json";
    let text = |text: Option<&str>| nullable(text, JsValue::from);
    statement(db, sql, &[text(email), text(username), nullable(but, user)])
}

fn taken_field(result: &D1Result) -> worker::Result<Option<&'static str>> {
    Ok(match from_json::<(bool, bool)>(result)?.pop() {
        Some((true, _)) => Some("email"),
        Some((_, true)) => Some("username"),
        _ => None,
    })
}

fn outcome(taken: &D1Result, row: &D1Result) -> worker::Result<Written> {
    if let Some(record) = from_json(row)?.pop() {
        return Ok(Written::Done(Box::new(record)));
    }
    Ok(taken_field(taken)?.map_or(Written::Stale, Written::Taken))
}

/// The statement that reads the user for whom `condition` holds.
fn row(db: &D1Database, condition: &str, parameters: &[JsValue]) -> worker::Result<D1PreparedStatement> {
    statement(db, &format!("SELECT {RECORD} AS json FROM {TABLES} WHERE {condition}"), parameters)
}

/// The statement that brings what a doctor has beyond a user up to date, if the user for whom `condition` holds is one,
/// and the statement before it has changed them.
fn doctor(
    db: &D1Database,
    condition: &str,
    (first, second): (JsValue, JsValue),
    [hours, specialization]: [Option<&String>; 2],
) -> worker::Result<D1PreparedStatement> {
    let sql = format!(
        "INSERT INTO doctors (user_id, consultation_hours, specialization)
         SELECT u.id, COALESCE(?3, ''), COALESCE(?4, '') FROM users u
         WHERE changes() > 0 AND {condition} AND u.role = 'doctor'
         ON CONFLICT (user_id) DO UPDATE SET
           consultation_hours = COALESCE(?3, consultation_hours), specialization = COALESCE(?4, specialization)"
    );
    let text = |text: Option<&String>| nullable(text, |text| text.as_str().into());
    statement(db, &sql, &[first, second, text(hours), text(specialization)])
}
