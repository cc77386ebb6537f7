//! Security events: who tried what, to whom, and what came of it. They are for those who answer for the hospital's
//! data, not for its dashboards.
//!
//! **Invariant:** no email, password, token or ticket is ever in one: people are named by their ids.

use serde::{Deserialize, Serialize};

use crate::{
    HospitalId, UserId,
    auth::{Permission, Principal},
};

/// How long they are kept.
pub const RETENTION: chrono::TimeDelta = chrono::TimeDelta::days(180);

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// To sign in.
    SignIn,
    /// Something that needs a session and this permission.
    Permission(Permission),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// They are not allowed to.
    Denied,
    /// It was the wrong password, or no such account.
    Failed,
    /// It was one try too many; recorded once until the next try is admitted.
    Throttled,
}

/// A security event as a room stores it and D1 archives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivedSecurityEvent {
    /// Its place in the hospital's own numbering: 1, 2, 3, …
    pub number: i64,
    /// When it was tried first, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who, if they are signed in.
    pub actor_id: Option<UserId>,
    /// What, as stored.
    pub action: String,
    /// To whom, if to somebody known.
    pub target_id: Option<UserId>,
    /// What came of it, as stored.
    pub result: String,
    /// Where the requests came from.
    pub address: String,
    /// How often it was tried within the minute.
    pub times: i64,
}

/// Something to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityEvent {
    /// Where, if anybody known was involved.
    pub hospital_id: Option<HospitalId>,
    /// Who, if they are signed in.
    pub actor_id: Option<UserId>,
    /// What.
    pub what: What,
    /// To whom, if to somebody known.
    pub target_id: Option<UserId>,
    /// What came of it.
    pub outcome: Outcome,
}

impl SecurityEvent {
    /// Something that a signed-in user asked for.
    pub fn of(who: &Principal, permission: Permission, target_id: Option<UserId>, outcome: Outcome) -> Self {
        let (hospital_id, actor_id) = (Some(who.hospital_id), Some(who.user_id));
        Self { hospital_id, actor_id, what: What::Permission(permission), target_id, outcome }
    }
}

impl What {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Permission(permission) => permission.as_str(),
        }
    }
}

impl Outcome {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Throttled => "throttled",
        }
    }
}
