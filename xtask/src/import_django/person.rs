//! One user of a dump, checked by the rules for those whom an administrator adds.

use rollcall_core::{
    UserId,
    account::{self, NewUser},
    body::Fields,
    password,
    wire::Role,
};
use serde_json::{Map, Value, json};

use super::dump::Row;

/// The hash of a user without a password that can be verified: nobody can sign in with it. Django has it too.
pub const UNUSABLE: &str = "!";

/// The largest id that the API takes.
const LARGEST_ID: i64 = i32::MAX as i64;

/// A user who may be imported.
pub struct Person {
    pub id: UserId,
    /// Whose password is not used.
    pub user: NewUser,
    /// Django's hash, or [`UNUSABLE`].
    pub password_hash: String,
    /// By name. `None`: the dump does not say.
    pub hospital: Option<String>,
    pub is_available_for_consultation: bool,
    /// Remarks for the person who imports.
    pub notes: Vec<String>,
}

impl Person {
    /// Checks a user.
    ///
    /// # Errors
    /// Why they cannot be imported.
    pub fn check(row: &Row, hospitals: &[Row]) -> Result<Self, String> {
        let id = row
            .pk
            .as_i64()
            .filter(|id| (1..=LARGEST_ID).contains(id))
            .map(UserId::new)
            .ok_or("its key is not a number from 1 to 2147483647")?;
        let mut notes = Vec::new();
        let role = role(row, &mut notes);
        // The password is there as a hash, which is looked at below.
        let mut body =
            Map::from_iter([("role".into(), json!(role.as_str())), ("password".into(), json!("unused password"))]);
        for name in
            ["email", "username", "first_name", "last_name", "is_active", "consultation_hours", "specialization"]
        {
            // An email instead of a login name, nothing instead of null: as for those who are added here.
            let value = row.fields.get(name).filter(|value| !value.is_null() && (name != "username" || *value != ""));
            body.extend(value.map(|value| (name.to_string(), value.clone())));
        }
        let user = Fields::parse(Value::from(body).to_string().as_bytes()).and_then(|fields| NewUser::parse(&fields));
        let user = user.map_err(|error| {
            let body = error.body();
            format!("{}: {}", body.field.unwrap_or_default(), body.detail)
        })?;
        let hospital = hospital(row.fields.get("hospital").unwrap_or(&Value::Null), hospitals)?;
        let password_hash = password_hash(row.text("password"), &mut notes);
        let is_available_for_consultation = row.flag("is_available_for_consultation");
        Ok(Self { id, user, password_hash, hospital, is_available_for_consultation, notes })
    }
}

/// The role of that name; without one, what Django's own fields and the specialization say.
fn role(row: &Row, notes: &mut Vec<String>) -> Role {
    let name = row.text("role").trim();
    let known =
        [Role::Admin, Role::Doctor, Role::User].into_iter().find(|role| role.as_str().eq_ignore_ascii_case(name));
    let is_superuser = row.flag("is_superuser");
    if is_superuser && known.is_some_and(|role| role != Role::Admin) {
        notes.push("a superuser, but its role says otherwise".into());
    }
    known.unwrap_or_else(|| {
        let role = if is_superuser || row.flag("is_staff") {
            Role::Admin
        } else if row.text("specialization").trim().is_empty() {
            Role::User
        } else {
            Role::Doctor
        };
        notes.push(format!("its role is none of ours, so it is {}", role.as_str()));
        role
    })
}

/// The hospital's name: a text, or the key of a hospital in the dump.
fn hospital(value: &Value, hospitals: &[Row]) -> Result<Option<String>, String> {
    let name = match (hospitals.iter().find(|hospital| hospital.pk == *value), value) {
        (Some(hospital), _) => {
            let name = hospital.text("name");
            if hospitals.iter().filter(|other| same_name(other.text("name"), name)).count() > 1 {
                return Err("hospital: two of the dump have the same name".into());
            }
            name
        }
        (None, Value::Null) => return Ok(None),
        (None, Value::String(name)) => name,
        (None, _) => return Err("hospital: it is not in the dump".into()),
    };
    let name = account::line(name, account::TEXT_LIMIT).map_err(|detail| format!("hospital: {detail}"))?;
    Ok(Some(name).filter(|name| !name.is_empty()))
}

/// Whether two texts name one hospital: people who type it differ in case and spaces.
pub fn same_name(one: &str, other: &str) -> bool {
    let words = |name: &str| name.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    words(one) == words(other)
}

fn password_hash(stored: &str, notes: &mut Vec<String>) -> String {
    let plain = stored.bytes().all(|byte| byte.is_ascii_graphic());
    if plain && password::is_imported(stored) {
        return stored.into();
    }
    let why = match stored.split_once('$').map(|(hasher, _)| hasher) {
        _ if stored.is_empty() || stored.starts_with('!') => "it has no password",
        Some("pbkdf2_sha256") => "its password's hash is malformed, or takes too many iterations",
        _ => "its password is hashed with something else than pbkdf2_sha256",
    };
    notes.push(format!("{why}: an administrator has to reset it"));
    UNUSABLE.into()
}

#[cfg(test)]
mod tests;
