//! Users, and the hospital they belong to.

use rollcall_core::{
    Id,
    wire::{DoctorFields, Role, User},
};
use serde::Deserialize;
use wasm_bindgen::JsValue;
use worker::D1Database;

use super::{all, flag, int, statement};

/// How somebody names themselves at login.
#[derive(Clone, Copy, Debug)]
pub enum Name<'a> {
    /// By email, without regard to case.
    Email(&'a str),
    /// By login name.
    Username(&'a str),
}

/// A user with what is needed to let them in.
pub struct Account {
    /// Who.
    pub user: User,
    /// The PHC string of their password.
    pub password_hash: String,
}

/// One statement for the three ways to find a user: the two others' parameters are null, and nothing equals null.
const USER: &str = "SELECT u.id, u.email, u.username, u.first_name, u.last_name, u.role, u.is_active, u.hospital_id,
            u.password_hash, h.name AS hospital, d.is_available_for_consultation, d.is_live, d.consultation_hours,
            d.specialization
     FROM users u JOIN hospitals h ON h.id = u.hospital_id
     LEFT JOIN doctors d ON d.user_id = u.id AND u.role = 'doctor'
     WHERE u.id = ?1 OR u.email = ?2 OR u.username = ?3";

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
    hospital: String,
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
            hospital_id: row.hospital_id,
            doctor,
        };
        Self { user, password_hash: row.password_hash }
    }
}

/// The account of that name, deactivated ones included.
pub async fn by_name(db: &D1Database, name: Name<'_>) -> worker::Result<Option<Account>> {
    let null = JsValue::NULL;
    let parameters = match name {
        Name::Email(email) => [null.clone(), email.into(), null],
        Name::Username(username) => [null.clone(), null, username.into()],
    };
    account(db, &parameters).await
}

/// The user of that id, deactivated ones included.
pub async fn by_id(db: &D1Database, id: Id) -> worker::Result<Option<User>> {
    let null = JsValue::NULL;
    let parameters = [int(id), null.clone(), null];
    Ok(account(db, &parameters).await?.map(|account| account.user))
}

async fn account(db: &D1Database, parameters: &[JsValue]) -> worker::Result<Option<Account>> {
    Ok(all(statement(db, USER, parameters)?).await?.results::<UserRow>()?.pop().map(Account::from))
}
