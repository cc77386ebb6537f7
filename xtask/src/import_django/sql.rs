//! The statements of an import.
//!
//! **Invariant:** each looks again, when it is carried out, at what must not be undone: a password that is not Django's
//! any more, a profile that was edited here, a doctor's state that has events.

use rollcall_core::{Id, token::LIFETIME, wire::Role};

use super::{existing::HAS_IMPORTED_PASSWORD, person::Person};
use crate::wrangler::quoted;

pub fn hospital(id: Id, name: &str, time_zone: &str) -> String {
    let (name, time_zone) = (quoted(name), quoted(time_zone));
    format!("INSERT INTO hospitals (id, name, time_zone) VALUES ({id}, {name}, {time_zone});\n")
}

/// The columns of a user and their values: what an administrator may edit, and the hospital.
fn profile(Person { user, .. }: &Person, hospital_id: Id) -> [(&'static str, String); 7] {
    [
        ("hospital_id", hospital_id.to_string()),
        ("email", quoted(&user.email)),
        ("username", quoted(&user.username)),
        ("first_name", quoted(&user.first_name)),
        ("last_name", quoted(&user.last_name)),
        ("role", quoted(user.role.as_str())),
        ("is_active", u8::from(user.is_active).to_string()),
    ]
}

pub fn insert(person: &Person, hospital_id: Id) -> String {
    let (columns, values) = profile(person, hospital_id).into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
    let (columns, values) = (columns.join(", "), values.join(", "));
    let (id, hash) = (person.id, quoted(&person.password_hash));
    format!(
        "INSERT INTO users (id, {columns}, password_hash, follows_import) VALUES ({id}, {values}, {hash}, 1);\n{}",
        doctor(person)
    )
}

pub fn change_profile(person: &Person, hospital_id: Id) -> String {
    let columns = profile(person, hospital_id).map(|(column, value)| format!("{column} = {value}"));
    // Somebody on duty keeps what makes them a doctor of this hospital.
    let (stays, columns) = (grave(&columns).join(" AND "), columns.join(", "));
    let off_duty = "NOT EXISTS (SELECT 1 FROM doctors WHERE user_id = users.id AND is_live = 1)";
    format!(
        "UPDATE users SET {columns} WHERE id = {} AND follows_import = 1 AND ({stays} OR {off_duty});\n{}",
        person.id,
        doctor(person)
    )
}

/// Of the columns of [`profile`], those that decide what somebody may do, and where.
fn grave(columns: &[String; 7]) -> [&str; 3] {
    let [hospital_id, _, _, _, _, role, is_active] = columns;
    [hospital_id, role, is_active]
}

/// What a doctor has beyond a user.
fn doctor(Person { id, user, is_available_for_consultation, .. }: &Person) -> String {
    if user.role != Role::Doctor {
        return String::new();
    }
    let (hours, specialization) = (quoted(&user.consultation_hours), quoted(&user.specialization));
    let available = u8::from(*is_available_for_consultation);
    format!(
        "INSERT INTO doctors (user_id, consultation_hours, specialization, is_available_for_consultation)
         SELECT id, {hours}, {specialization}, {available} FROM users WHERE id = {id} AND follows_import = 1
         ON CONFLICT (user_id) DO UPDATE SET
           consultation_hours = excluded.consultation_hours, specialization = excluded.specialization;\n"
    )
}

/// The state always equals the events: this is what it is before the first one.
pub fn change_availability(Person { id, is_available_for_consultation, .. }: &Person, hospital_id: Id) -> String {
    let available = u8::from(*is_available_for_consultation);
    format!(
        "UPDATE doctors SET is_available_for_consultation = {available} WHERE user_id = {id}
           AND NOT EXISTS (SELECT 1 FROM events WHERE hospital_id = {hospital_id} AND doctor_id = {id});\n"
    )
}

pub fn change_password(Person { id, password_hash, .. }: &Person) -> String {
    let hash = quoted(password_hash);
    format!("UPDATE users SET password_hash = {hash} WHERE id = {id} AND {HAS_IMPORTED_PASSWORD};\n")
}

pub fn end_sessions(user_id: Id) -> String {
    format!("UPDATE sessions SET revoked_ms = unixepoch() * 1000 WHERE user_id = {user_id} AND revoked_ms IS NULL;\n")
}

/// By the database's clock: a session from the future is none. One that there is already, or was, stays as it is.
pub fn session(user_id: Id, digest: &str) -> String {
    let lifetime = LIFETIME.num_milliseconds();
    format!(
        "INSERT OR IGNORE INTO sessions (token_sha256, user_id, user_agent, created_ms, expires_ms)
         SELECT '{digest}', id, 'Django', unixepoch() * 1000, unixepoch() * 1000 + {lifetime}
         FROM users WHERE id = {user_id} AND is_active = 1 AND {HAS_IMPORTED_PASSWORD};\n"
    )
}
