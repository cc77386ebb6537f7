//! Users, and the hospital they belong to.

use rollcall_core::{
    Id, Timestamp,
    account::Name,
    wire::{DoctorFields, Role, User},
};
use serde::Deserialize;
use wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result};

use super::{all, batch, flag, int, sessions::ids, statement};
use crate::clock;

/// A user with what is needed to let them in.
pub struct Account {
    /// Who.
    pub user: User,
    /// The PHC string of their password, or Django's hash of it.
    pub password_hash: String,
    /// Until when that is good, where it is an administrator's.
    pub temporary_until: Option<Timestamp>,
}

/// Users, with what a doctor has beyond one; a condition follows.
pub(super) const SELECT: &str =
    "SELECT u.id, u.email, u.username, u.first_name, u.last_name, u.role, u.is_active, u.hospital_id,
            u.password_hash, u.temporary_until_ms, h.name AS hospital, h.time_zone, d.is_available_for_consultation,
            d.is_live, d.consultation_hours, d.specialization
     FROM users u JOIN hospitals h ON h.id = u.hospital_id
     LEFT JOIN doctors d ON d.user_id = u.id AND u.role = 'doctor'
     WHERE";

#[derive(Deserialize)]
struct UserRow {
    id: Id,
    email: String,
    username: String,
    first_name: String,
    last_name: String,
    role: Role,
    #[serde(deserialize_with = "flag")]
    is_active: bool,
    hospital_id: Id,
    password_hash: String,
    temporary_until_ms: Option<i64>,
    hospital: String,
    time_zone: String,
    is_available_for_consultation: Option<u8>,
    is_live: Option<u8>,
    consultation_hours: Option<String>,
    specialization: Option<String>,
}

impl From<UserRow> for Account {
    fn from(row: UserRow) -> Self {
        let doctor = row.is_live.map(|is_live| DoctorFields {
            is_available_for_consultation: row.is_available_for_consultation == Some(1),
            is_live: is_live == 1,
            consultation_hours: row.consultation_hours.unwrap_or_default(),
            specialization: row.specialization.unwrap_or_default(),
            hospital: row.hospital,
        });
        let user = User {
            id: row.id,
            email: row.email,
            username: row.username,
            first_name: row.first_name,
            last_name: row.last_name,
            role: row.role,
            is_active: row.is_active,
            must_change_password: row.temporary_until_ms.is_some(),
            hospital_id: row.hospital_id,
            time_zone: row.time_zone,
            doctor,
        };
        let temporary_until = row.temporary_until_ms.map(clock::from_millis);
        Self { user, password_hash: row.password_hash, temporary_until }
    }
}

/// The account of that name, deactivated ones included.
pub async fn by_name(db: &D1Database, name: Name<'_>) -> worker::Result<Option<Account>> {
    Ok(accounts(&all(named(db, name)?).await?)?.pop())
}

/// The same, and whether there is anybody active whose password is stored as Django stored it.
pub async fn to_verify(db: &D1Database, name: Name<'_>) -> worker::Result<(Option<Account>, bool)> {
    // In the words of its index, which is empty where there is nobody.
    let imported = "SELECT id FROM users WHERE is_active = 1 AND password_hash LIKE 'pbkdf2%' LIMIT 1";
    let [account, imported] = batch(db, [named(db, name)?, statement(db, imported, &[])?]).await?;
    Ok((accounts(&account)?.pop(), !ids(&imported)?.is_empty()))
}

/// The account of that id, deactivated ones included.
pub async fn by_id(db: &D1Database, id: Id) -> worker::Result<Option<Account>> {
    Ok(accounts(&all(account(db, "u.id = ?1", int(id))?).await?)?.pop())
}

fn named(db: &D1Database, name: Name<'_>) -> worker::Result<D1PreparedStatement> {
    match name {
        Name::Email(email) => account(db, "u.email = ?1", email.into()),
        Name::Username(username) => account(db, "u.username = ?1", username.into()),
    }
}

fn account(db: &D1Database, which: &str, parameter: JsValue) -> worker::Result<D1PreparedStatement> {
    statement(db, &format!("{SELECT} {which}"), &[parameter])
}

/// The accounts that were found with [`SELECT`].
pub(super) fn accounts(found: &D1Result) -> worker::Result<Vec<Account>> {
    Ok(found.results::<UserRow>()?.into_iter().map(Account::from).collect())
}
