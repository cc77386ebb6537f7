//! The statements of an import.
//!
//! **Invariant:** each looks again, when it is carried out, at what must not be undone: a password that is no longer
//! Django's, a profile that was edited here, a doctor's state that has events. A doctor's state in the database is up to two
//! seconds old; the room has the last word, and takes a user off duty who is no longer its doctor.

use rollcall_core::{HospitalId, UserId, token::LIFETIME, wire::Role};

use super::{existing::HAS_IMPORTED_PASSWORD, person::Person};
use crate::wrangler::quoted;

pub fn hospital(id: HospitalId, name: &str, time_zone: &str) -> String {
    let (name, time_zone) = (quoted(name), quoted(time_zone));
    format!("INSERT INTO hospitals (id, name, time_zone) VALUES ({id}, {name}, {time_zone});\n")
}

/// The columns of a user and their values: what an administrator may edit, and the hospital.
fn profile(Person { user, .. }: &Person, hospital_id: HospitalId) -> [(&'static str, String); 7] {
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

pub fn insert(person: &Person, hospital_id: HospitalId) -> String {
    let (columns, values) = profile(person, hospital_id).into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
    let (columns, values) = (columns.join(", "), values.join(", "));
    let (id, hash) = (person.id, quoted(&person.password_hash));
    format!(
        "INSERT INTO users (id, {columns}, password_hash, follows_import) VALUES ({id}, {values}, {hash}, 1);\n{}",
        doctor(person)
    )
}

pub fn change_profile(person: &Person, hospital_id: HospitalId) -> String {
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

/// The columns of [`profile`] that decide what somebody may do, and in which hospital.
fn grave(columns: &[String; 7]) -> [&str; 3] {
    let [hospital_id, _, _, _, _, role, is_active] = columns;
    [hospital_id, role, is_active]
}

/// The row that a doctor has besides that of a user.
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
pub fn change_availability(
    Person { id, is_available_for_consultation, .. }: &Person,
    hospital_id: HospitalId,
) -> String {
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

/// The room ends other sessions itself, when it finds out what was taken away.
pub fn end_tokens(user_id: UserId) -> String {
    format!(
        "UPDATE imported_tokens SET ended_ms = unixepoch() * 1000 WHERE user_id = {user_id} AND ended_ms IS NULL;\n"
    )
}

/// After a change of that user. Their room notices it by [`crate::wrangler::raise_revision`].
pub fn raise_version(user_id: UserId) -> String {
    format!("UPDATE users SET version = version + 1 WHERE id = {user_id};\n")
}

/// By the database's clock: a session from the future is none. A token that has a row already stays as it is.
pub fn token(user_id: UserId, digest: &str) -> String {
    let lifetime = LIFETIME.num_milliseconds();
    format!(
        "INSERT OR IGNORE INTO imported_tokens (token_sha256, user_id, created_ms, expires_ms)
         SELECT '{digest}', id, unixepoch() * 1000, unixepoch() * 1000 + {lifetime}
         FROM users WHERE id = {user_id} AND is_active = 1 AND {HAS_IMPORTED_PASSWORD};\n"
    )
}
