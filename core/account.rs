//! What an account may be made of. The texts of refusals are Django's, for the same limits.
//!
//! **Invariant:** what comes out of here fits the database and can be shown; a password is taken exactly as it came.

use serde::{Deserialize, Serialize, Serializer};

use crate::{
    ApiError, HospitalId,
    body::{Fields, required},
    query::{EMAIL_LIMIT, Query},
    wire::Role,
};

/// The longest name, in characters (Django's `AbstractUser`).
pub const NAME_LIMIT: usize = 150;

/// The longest specialization or consultation hours, in characters.
pub const TEXT_LIMIT: usize = 255;

/// The shortest password, in characters.
pub const PASSWORD_MIN: usize = 8;

/// The longest password, in characters.
pub const PASSWORD_LIMIT: usize = 1024;

/// The name that a caller signs in with.
#[derive(Clone, Copy, Debug)]
pub enum LoginName<'a> {
    /// By email, without regard to case.
    Email(&'a str),
    /// By login name.
    Username(&'a str),
}

/// A user to add.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct NewUser {
    /// Unique without regard to case.
    #[cfg_attr(feature = "utoipa", schema(min_length = 3, max_length = 254, pattern = "^[!-?A-~]+@[!-?A-~]+$"))]
    pub email: String,
    /// Unique; the email where none is given.
    #[cfg_attr(
        feature = "utoipa",
        schema(min_length = 1, max_length = 150, pattern = r"^[\w.@+-]+$", required = false)
    )]
    pub username: String,
    /// Given name.
    #[cfg_attr(feature = "utoipa", schema(max_length = 150, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", required = false))]
    pub first_name: String,
    /// Family name.
    #[cfg_attr(feature = "utoipa", schema(max_length = 150, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", required = false))]
    pub last_name: String,
    /// What they are.
    pub role: Role,
    /// Whether they may sign in.
    #[cfg_attr(feature = "utoipa", schema(required = false))]
    pub is_active: bool,
    /// Free text.
    #[cfg_attr(feature = "utoipa", schema(max_length = 255, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", required = false))]
    pub consultation_hours: String,
    /// Free text.
    #[cfg_attr(feature = "utoipa", schema(max_length = 255, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", required = false))]
    pub specialization: String,
    /// In the clear; never handed on.
    #[serde(serialize_with = "withheld")]
    #[cfg_attr(feature = "utoipa", schema(format = Password, min_length = 8, max_length = 1024))]
    pub password: String,
    /// The hospital, if the body names it.
    #[cfg_attr(feature = "utoipa", schema(value_type = Option<i64>, nullable = false, required = false, minimum = 1, maximum = 2147483647_i64))]
    pub hospital_id: Option<HospitalId>,
}

/// What to change of a user. What is `None` stays.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct UserEdit {
    /// Unique without regard to case.
    #[cfg_attr(
        feature = "utoipa",
        schema(min_length = 3, max_length = 254, pattern = "^[!-?A-~]+@[!-?A-~]+$", nullable = false)
    )]
    pub email: Option<String>,
    /// Unique.
    #[cfg_attr(
        feature = "utoipa",
        schema(min_length = 1, max_length = 150, pattern = r"^[\w.@+-]+$", nullable = false)
    )]
    pub username: Option<String>,
    /// Given name.
    #[cfg_attr(feature = "utoipa", schema(max_length = 150, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", nullable = false))]
    pub first_name: Option<String>,
    /// Family name.
    #[cfg_attr(feature = "utoipa", schema(max_length = 150, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", nullable = false))]
    pub last_name: Option<String>,
    /// What they are.
    #[cfg_attr(feature = "utoipa", schema(nullable = false))]
    pub role: Option<Role>,
    /// Whether they may sign in.
    #[cfg_attr(feature = "utoipa", schema(nullable = false))]
    pub is_active: Option<bool>,
    /// Free text.
    #[cfg_attr(feature = "utoipa", schema(max_length = 255, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", nullable = false))]
    pub consultation_hours: Option<String>,
    /// Free text.
    #[cfg_attr(feature = "utoipa", schema(max_length = 255, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", nullable = false))]
    pub specialization: Option<String>,
    /// In the clear; never handed on.
    #[serde(serialize_with = "withheld")]
    #[cfg_attr(feature = "utoipa", schema(format = Password, min_length = 8, max_length = 1024, nullable = false))]
    pub password: Option<String>,
    /// The hospital, if the body names it; it cannot be changed.
    #[cfg_attr(feature = "utoipa", schema(value_type = Option<i64>, nullable = false, minimum = 1, maximum = 2147483647_i64))]
    pub hospital_id: Option<HospitalId>,
}

/// Writes nothing of a password: a room gets its hash.
fn withheld<T: Default + Serialize, S: Serializer>(_: &T, serializer: S) -> Result<S::Ok, S::Error> {
    T::default().serialize(serializer)
}

impl UserEdit {
    /// Reads a body. What only the server sets is ignored, as Django REST Framework does with read-only fields, so
    /// that a user may be sent back as they were received.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] naming the field.
    pub fn parse(fields: &Fields) -> Result<Self, ApiError> {
        Ok(Self {
            email: checked(fields, "email", email)?,
            username: checked(fields, "username", username)?,
            first_name: checked(fields, "first_name", |text| line(text, NAME_LIMIT))?,
            last_name: checked(fields, "last_name", |text| line(text, NAME_LIMIT))?,
            role: checked(fields, "role", role)?,
            is_active: fields.optional_bool("is_active")?,
            consultation_hours: checked(fields, "consultation_hours", |text| line(text, TEXT_LIMIT))?,
            specialization: checked(fields, "specialization", |text| line(text, TEXT_LIMIT))?,
            password: checked(fields, "password", password)?,
            hospital_id: fields.optional_id("hospital_id")?.map(HospitalId::new),
        })
    }
}

impl NewUser {
    /// Reads a body.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] naming the field.
    pub fn parse(fields: &Fields) -> Result<Self, ApiError> {
        let given = UserEdit::parse(fields)?;
        let email = given.email.ok_or_else(|| required("email"))?;
        Ok(Self {
            role: given.role.ok_or_else(|| required("role"))?,
            password: given.password.ok_or_else(|| required("password"))?,
            username: given.username.unwrap_or_else(|| email.chars().take(NAME_LIMIT).collect()),
            email,
            first_name: given.first_name.unwrap_or_default(),
            last_name: given.last_name.unwrap_or_default(),
            is_active: given.is_active.unwrap_or(true),
            consultation_hours: given.consultation_hours.unwrap_or_default(),
            specialization: given.specialization.unwrap_or_default(),
            hospital_id: given.hospital_id,
        })
    }
}

/// A new password in a body.
///
/// # Errors
/// [`ApiError::InvalidRequest`] naming the field.
pub fn new_password(fields: &Fields, name: &str) -> Result<String, ApiError> {
    checked(fields, name, password)?.ok_or_else(|| required(name))
}

/// What `GET /api/users/` is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFilter {
    /// Part of an email, a name or a specialization; empty for any.
    pub search: String,
    /// Of this role only.
    pub role: Option<Role>,
    /// At most so many, 1 to 1,000.
    pub limit: u32,
    /// So many are left out.
    pub offset: u32,
}

impl UserFilter {
    /// Reads the filter.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] naming the parameter at fault.
    pub fn parse(query: &Query) -> Result<Self, ApiError> {
        let search = query.one("search")?.unwrap_or_default().trim();
        if search.chars().any(char::is_control) || search.chars().count() > EMAIL_LIMIT {
            return Err(ApiError::field("search", "Not a valid string."));
        }
        let role = query.one("role")?.map(role).transpose().map_err(|detail| ApiError::field("role", detail))?;
        let offset = query.parsed("offset", |text| text.parse().ok(), "A number of 0 or more is required.")?;
        Ok(Self { search: search.into(), role, limit: query.limit()?, offset: offset.unwrap_or(0) })
    }
}

/// A text field that may be absent, checked; `check` says what is wrong.
fn checked<T>(fields: &Fields, name: &str, check: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, ApiError> {
    let text = fields.optional_text(name)?;
    text.map(|text| check(text).map_err(|detail| ApiError::field(name, detail))).transpose()
}

/// An email: ASCII, because that is how the database compares it without regard to case. Only sending to it would
/// show that it exists, so its form is looked at no closer.
fn email(text: &str) -> Result<String, String> {
    let text = text.trim();
    let parts = text.split_once('@');
    let plausible =
        parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    if plausible && text.len() <= EMAIL_LIMIT && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_string())
    } else {
        Err("Enter a valid email address.".into())
    }
}

fn username(text: &str) -> Result<String, String> {
    let text = line(text, NAME_LIMIT)?;
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '@' | '.' | '+' | '-' | '_');
    if text.is_empty() {
        Err("This field may not be blank.".into())
    } else if text.chars().all(allowed) {
        Ok(text)
    } else {
        Err("Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.".into())
    }
}

/// A line of text, without spaces around it.
///
/// # Errors
/// What is wrong with it.
pub fn line(text: &str, limit: usize) -> Result<String, String> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        Err("Control characters are not allowed.".into())
    } else if text.chars().count() > limit {
        Err(format!("Ensure this field has no more than {limit} characters."))
    } else {
        Ok(text.to_string())
    }
}

fn role(text: &str) -> Result<Role, String> {
    let known = [Role::Admin, Role::Doctor, Role::User].into_iter().find(|role| role.as_str() == text);
    known.ok_or_else(|| "Not a valid choice: admin, doctor or user.".into())
}

fn password(text: &str) -> Result<String, String> {
    match text.chars().count() {
        ..PASSWORD_MIN => {
            Err(format!("This password is too short. It must contain at least {PASSWORD_MIN} characters."))
        }
        PASSWORD_MIN..=PASSWORD_LIMIT => Ok(text.to_string()),
        _ => Err(format!("Ensure this field has no more than {PASSWORD_LIMIT} characters.")),
    }
}

/// Never the password itself: it must not reach a log.
impl std::fmt::Debug for UserEdit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserEdit(…)")
    }
}

#[cfg(test)]
mod tests;
