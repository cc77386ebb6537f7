//! Who is asking, and who may do what. Deny by default.
//!
//! **Invariant:** every decision about permission is made here, from a [`Principal`] that a session proved.

use serde::{Deserialize, Serialize};

use crate::{Id, Rejection, Timestamp, event::Reason, wire::Role};

/// Somebody whom a valid session speaks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Who.
    pub user_id: Id,
    /// Where; nobody reaches beyond it.
    pub hospital_id: Id,
    /// What they are there.
    pub role: Role,
    /// The session's row id.
    pub session_id: Id,
    /// When the session ends by itself.
    pub session_ends: Timestamp,
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

/// What needs the administrator's role.
fn admins_only(who: &Principal) -> Result<(), Rejection> {
    match who.role {
        Role::Admin => Ok(()),
        Role::Doctor | Role::User => Err(Rejection::PermissionDenied),
    }
}

/// May they hear the hospital's events live?
pub fn may_watch(who: &Principal) -> Result<(), Rejection> {
    admins_only(who)
}

/// May they see who is connected?
pub fn may_list_connections(who: &Principal) -> Result<(), Rejection> {
    admins_only(who)
}

/// May they read the history?
pub fn may_read_events(who: &Principal) -> Result<(), Rejection> {
    admins_only(who)
}

/// Whose state may they set? A doctor their own, and may name themselves; an administrator that of the doctor they
/// name. Whether that doctor belongs to the hospital is decided where the doctor is looked up.
///
/// # Errors
/// [`Rejection::PermissionDenied`] for anybody else, [`Rejection::InvalidRequest`] for an administrator who names nobody.
pub fn may_set_state_of(who: &Principal, named: Option<Id>) -> Result<Id, Rejection> {
    match (who.role, named) {
        (Role::Admin, Some(doctor_id)) => Ok(doctor_id),
        (Role::Admin, None) => Err(Rejection::field("doctor_id", "This field is required.")),
        (Role::Doctor, None) => Ok(who.user_id),
        (Role::Doctor, Some(doctor_id)) if doctor_id == who.user_id => Ok(doctor_id),
        (Role::Doctor, Some(_)) | (Role::User, _) => Err(Rejection::PermissionDenied),
    }
}

/// May a page from `origin` speak with somebody's cookie? Only the Worker's own origin, and those that are listed;
/// compared as a whole, so `https://host.evil` is not `https://host`.
pub fn is_our_origin(origin: &str, own: &str, allowed: &[String]) -> bool {
    origin == own || allowed.iter().any(|listed| listed == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(role: Role) -> Principal {
        Principal { user_id: 7, hospital_id: 1, role, session_id: 1, session_ends: Timestamp::MAX_UTC }
    }

    #[test]
    fn only_administrators_watch_list_and_read() {
        for decide in [may_watch, may_list_connections, may_read_events] {
            assert_eq!(decide(&who(Role::Admin)), Ok(()));
            assert_eq!(decide(&who(Role::Doctor)), Err(Rejection::PermissionDenied));
            assert_eq!(decide(&who(Role::User)), Err(Rejection::PermissionDenied));
        }
    }

    #[test]
    fn a_doctor_sets_their_own_state_only() {
        assert_eq!(may_set_state_of(&who(Role::Doctor), None), Ok(7));
        assert_eq!(may_set_state_of(&who(Role::Doctor), Some(7)), Ok(7));
        assert_eq!(may_set_state_of(&who(Role::Doctor), Some(8)), Err(Rejection::PermissionDenied));
    }

    #[test]
    fn an_administrator_names_the_doctor() {
        assert_eq!(may_set_state_of(&who(Role::Admin), Some(8)), Ok(8));
        let refused = may_set_state_of(&who(Role::Admin), None).unwrap_err();
        assert_eq!(refused.refusal().field.as_deref(), Some("doctor_id"));
        assert_eq!(may_set_state_of(&who(Role::User), Some(7)), Err(Rejection::PermissionDenied));
        assert_eq!(may_set_state_of(&who(Role::User), None), Err(Rejection::PermissionDenied));
    }

    #[test]
    fn an_origin_is_ours_as_a_whole_or_not_at_all() {
        let own = "https://board.example.com";
        let listed = vec!["https://app.example.com".to_string()];
        assert!(is_our_origin(own, own, &listed));
        assert!(is_our_origin("https://app.example.com", own, &listed));
        for foreign in
            ["null", "", "http://board.example.com", "https://board.example.com.evil", "https://board.example.com:8443"]
        {
            assert!(!is_our_origin(foreign, own, &listed), "{foreign}");
        }
    }
}
