//! Users as D1 has them, and as a room gets them for its replica.

use rollcall_core::{HospitalId, Timestamp, UserId, account::LoginName, user::UserRecord};
use serde::Deserialize;
use wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement};

use super::{all, batch, from_json, hospital, statement, user};

/// A [`UserRecord`] as JSON, in a query that calls the tables `u` and `d`.
pub(super) const RECORD: &str = "json_object('user_id', u.id, 'version', u.version, 'email', u.email,
    'username', u.username, 'first_name', u.first_name, 'last_name', u.last_name, 'role', u.role,
    'is_active', json(iif(u.is_active, 'true', 'false')), 'temporary_until_ms', u.temporary_until_ms,
    'consultation_hours', COALESCE(d.consultation_hours, ''), 'specialization', COALESCE(d.specialization, ''),
    'is_live', json(iif(d.is_live, 'true', 'false')),
    'is_available_for_consultation', json(iif(d.is_available_for_consultation, 'true', 'false')),
    'live_changed_ms', d.live_changed_ms)";

/// The tables of [`RECORD`].
pub(super) const TABLES: &str = "users u LEFT JOIN doctors d ON d.user_id = u.id";

/// A user with what is needed to let them in.
#[derive(Debug, Deserialize)]
pub struct Account {
    /// The user as a room's replica has it.
    pub user: UserRecord,
    /// The hospital, whose room opens the session.
    pub hospital_id: HospitalId,
    /// The hospital's revision and epoch, for its room to notice writes from outside.
    pub revision: i64,
    /// See `revision`.
    pub epoch: String,
    /// The PHC string of their password, or Django's hash of it.
    pub password_hash: String,
}

impl Account {
    /// Whether they may sign in with their password at `now`.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.user.is_active && self.user.temporary_until().is_none_or(|until| now < until)
    }
}

/// The statement that reads the accounts for which `condition` holds, an SQL expression with the parameter `?1`.
fn accounts(db: &D1Database, condition: &str, parameter: JsValue) -> worker::Result<D1PreparedStatement> {
    let sql = format!(
        "SELECT json_object('user', {RECORD}, 'hospital_id', h.id, 'revision', h.revision, 'epoch', h.epoch,
                'password_hash', u.password_hash) AS json
         FROM {TABLES} JOIN hospitals h ON h.id = u.hospital_id WHERE {condition}"
    );
    statement(db, &sql, &[parameter])
}

fn named(db: &D1Database, name: LoginName<'_>) -> worker::Result<D1PreparedStatement> {
    match name {
        LoginName::Email(email) => accounts(db, "u.email = ?1", email.into()),
        LoginName::Username(username) => accounts(db, "u.username = ?1", username.into()),
    }
}

/// The account of that name, deactivated ones included.
pub async fn by_name(db: &D1Database, name: LoginName<'_>) -> worker::Result<Option<Account>> {
    Ok(from_json(&all(named(db, name)?).await?)?.pop())
}

/// The account of that id, deactivated ones included.
pub async fn by_id(db: &D1Database, id: UserId) -> worker::Result<Option<Account>> {
    Ok(from_json(&all(accounts(db, "u.id = ?1", user(id))?).await?)?.pop())
}

/// The account of that name, and whether there is anybody active whose password is stored as Django stored it.
pub async fn to_verify(db: &D1Database, name: LoginName<'_>) -> worker::Result<(Option<Account>, bool)> {
    #[derive(Deserialize)]
    struct Row {}
    // In the words of its index, which is empty if there is nobody.
    let imported = "SELECT id FROM users WHERE is_active = 1 AND password_hash LIKE 'pbkdf2%' LIMIT 1";
    let [account, imported] = batch(db, [named(db, name)?, statement(db, imported, &[])?]).await?;
    Ok((from_json(&account)?.pop(), !imported.results::<Row>()?.is_empty()))
}

/// Replaces a hash by another one of the same password, unless the password was changed meanwhile.
pub async fn replace_hash(db: &D1Database, id: UserId, old: &str, new: &str) -> worker::Result<()> {
    let sql = "UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2";
    all(statement(db, sql, &[user(id), old.into(), new.into()])?).await?;
    Ok(())
}

/// The statement that reads all users of a hospital.
pub(super) fn of_hospital(db: &D1Database, id: HospitalId) -> worker::Result<D1PreparedStatement> {
    let sql = format!("SELECT {RECORD} AS json FROM {TABLES} WHERE u.hospital_id = ?1");
    statement(db, &sql, &[hospital(id)])
}
