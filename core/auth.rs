//! Who is asking, and who may do what. Deny by default.
//!
//! **Invariant:** every decision about permission is made here, from a [`Principal`] that a session proved.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    ApiError, HospitalId, SessionId, Timestamp, UserId,
    account::UserEdit,
    body::required,
    wire::{Reason, Role, User},
};

/// Somebody whom a valid session speaks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Who.
    pub user_id: UserId,
    /// Where; nobody reaches beyond it.
    pub hospital_id: HospitalId,
    /// What they are there.
    pub role: Role,
    /// The session's row id.
    pub session_id: SessionId,
    /// When the session ends by itself.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub session_ends: Timestamp,
    /// They signed in with a temporary password.
    #[serde(default)]
    pub must_change_password: bool,
}

impl Principal {
    /// Whether this is an administrator's doing, for the event's `reason`.
    pub fn reason(&self) -> Option<Reason> {
        match self.role {
            Role::Admin => Some(Reason::Admin),
            Role::Doctor | Role::User => None,
        }
    }
}

/// What a signed-in user may be permitted to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// See one's own account.
    ReadSelf,
    /// End the session that asks.
    SignOut,
    /// Choose a new password for oneself.
    ChangePassword,
    /// See one's own sessions.
    ListSessions,
    /// End one of them.
    RevokeSession,
    /// Open one's own connection.
    Connect,
    /// See who is on duty and free.
    ListOnlineDoctors,
    /// Come on duty, leave, become free or busy.
    SetOwnState,
    /// Do that to another doctor.
    SetState,
    /// Hear the hospital's events live.
    Watch,
    /// Read the hospital's history.
    ReadEvents,
    /// See who is connected.
    ListConnections,
    /// Close somebody's sockets.
    Disconnect,
    /// See the hospital's users.
    ListUsers,
    /// Add one.
    CreateUser,
    /// Change one.
    EditUser,
    /// Give one a temporary password.
    ResetPassword,
    /// See what there is to watch of how it runs.
    ReadMetrics,
}

impl Permission {
    /// Its name in the security events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadSelf => "read_self",
            Self::SignOut => "sign_out",
            Self::ChangePassword => "change_password",
            Self::ListSessions => "list_sessions",
            Self::RevokeSession => "revoke_session",
            Self::Connect => "connect",
            Self::ListOnlineDoctors => "list_online_doctors",
            Self::SetOwnState => "set_own_state",
            Self::SetState => "set_state",
            Self::Watch => "watch",
            Self::ReadEvents => "read_events",
            Self::ListConnections => "list_connections",
            Self::Disconnect => "disconnect",
            Self::ListUsers => "list_users",
            Self::CreateUser => "create_user",
            Self::EditUser => "edit_user",
            Self::ResetPassword => "reset_password",
            Self::ReadMetrics => "read_metrics",
        }
    }

    /// Whether having done it is a security event: it shows the staff's comings and goings. (Changes are recorded
    /// with what they change.)
    pub fn is_recorded(self) -> bool {
        matches!(self, Self::ReadEvents | Self::ListConnections)
    }
}

/// May they do it, in their own hospital?
///
/// # Errors
/// [`ApiError::PasswordChangeRequired`] for who has to choose a password first, [`ApiError::PermissionDenied`] for
/// who is not allowed to.
pub fn may(who: &Principal, permission: Permission) -> Result<(), ApiError> {
    let roles: &[Role] = match permission {
        // What is left to somebody with a temporary password.
        Permission::ReadSelf | Permission::SignOut | Permission::ChangePassword => return Ok(()),
        Permission::ListSessions | Permission::RevokeSession | Permission::Connect | Permission::ListOnlineDoctors => {
            &[Role::Admin, Role::Doctor, Role::User]
        }
        Permission::SetOwnState => &[Role::Doctor],
        Permission::SetState
        | Permission::Watch
        | Permission::ReadEvents
        | Permission::ListConnections
        | Permission::Disconnect
        | Permission::ListUsers
        | Permission::CreateUser
        | Permission::EditUser
        | Permission::ResetPassword
        | Permission::ReadMetrics => &[Role::Admin],
    };
    if who.must_change_password {
        Err(ApiError::PasswordChangeRequired)
    } else if roles.contains(&who.role) {
        Ok(())
    } else {
        Err(ApiError::PermissionDenied)
    }
}

/// May they do it to something of this hospital?
///
/// # Errors
/// Those of [`may`], and [`ApiError::NotFound`] for another hospital: what is there is not even to be known.
pub fn may_in(who: &Principal, permission: Permission, hospital_id: HospitalId) -> Result<(), ApiError> {
    may(who, permission)?;
    if who.hospital_id == hospital_id { Ok(()) } else { Err(ApiError::NotFound) }
}

/// Whose state may they set? A doctor their own, and may name themselves; an administrator that of the doctor they
/// name. Whether that doctor belongs to the hospital is decided where the doctor is looked up.
///
/// # Errors
/// Those of [`may`], and [`ApiError::InvalidRequest`] for an administrator who names nobody.
pub fn may_set_state_of(who: &Principal, named: Option<UserId>) -> Result<UserId, ApiError> {
    match (who.role, named) {
        (Role::Admin, named) => {
            may(who, Permission::SetState)?;
            named.ok_or_else(|| required("doctor_id"))
        }
        (Role::Doctor | Role::User, Some(doctor_id)) if doctor_id != who.user_id => {
            may(who, Permission::SetState).map(|()| doctor_id)
        }
        (Role::Doctor | Role::User, _) => may(who, Permission::SetOwnState).map(|()| who.user_id),
    }
}

/// May they change that user in this way? Administrators cannot lock themselves out, nor skip the current password:
/// there is a way for one's own.
///
/// # Errors
/// Those of [`may_in`], and [`ApiError::PermissionDenied`].
pub fn may_edit(who: &Principal, user: &User, edit: &UserEdit) -> Result<(), ApiError> {
    may_in(who, Permission::EditUser, user.hospital_id)?;
    let oneself = user.id == who.user_id;
    let keeps_role = edit.role.is_none_or(|role| role == user.role);
    let keeps_hospital = edit.hospital_id.is_none_or(|hospital_id| hospital_id == user.hospital_id);
    let keeps_access = keeps_role && edit.is_active != Some(false) && edit.password.is_none();
    if keeps_hospital && (!oneself || keeps_access) { Ok(()) } else { Err(ApiError::PermissionDenied) }
}

/// May they give that user a temporary password?
///
/// # Errors
/// Those of [`may_in`], and [`ApiError::PermissionDenied`] for themselves.
pub fn may_reset_password(who: &Principal, user: &User) -> Result<(), ApiError> {
    may_in(who, Permission::ResetPassword, user.hospital_id)?;
    if user.id == who.user_id { Err(ApiError::PermissionDenied) } else { Ok(()) }
}

/// Whether an `Authorization` header bears `secret`, as `Bearer <secret>`. `None` for another scheme, which is for others
/// to look at.
pub fn bears(header: &[u8], secret: Option<&str>) -> Option<bool> {
    let (scheme, borne) = header.split_at_checked(7)?;
    // By their digests, so that the time it takes tells nothing.
    let is_secret = |secret: &str| Sha256::digest(secret) == Sha256::digest(borne);
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| secret.is_some_and(is_secret))
}

/// May a page from `origin` speak with somebody's cookie? Only the Worker's own origin, and those that are listed;
/// compared as a whole, so `https://host.evil` is not `https://host`.
pub fn is_our_origin(origin: &str, own: &str, allowed: &[String]) -> bool {
    origin == own || allowed.iter().any(|listed| listed == origin)
}

#[cfg(test)]
mod tests;
