//! Security events: who tried what, to whom, and what came of it. They are for those who answer for the hospital's
//! data, not for its dashboards.
//!
//! **Invariant:** no email, password, token or ticket is ever in one: people are named by their ids.

use crate::{
    Id,
    auth::{Action, Principal},
};

/// How long they are kept.
pub const RETENTION: chrono::TimeDelta = chrono::TimeDelta::days(180);

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// To sign in.
    SignIn,
    /// Something that only somebody who is signed in can ask for.
    Action(Action),
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

/// Something to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityEvent {
    /// Where, if anybody known was involved.
    pub hospital_id: Option<Id>,
    /// Who, if they are signed in.
    pub actor_id: Option<Id>,
    /// What.
    pub what: What,
    /// To whom, if to somebody known.
    pub target_id: Option<Id>,
    /// What came of it.
    pub outcome: Outcome,
}

impl SecurityEvent {
    /// Something that somebody who is signed in asked for.
    pub fn of(who: &Principal, action: Action, target_id: Option<Id>, outcome: Outcome) -> Self {
        let (hospital_id, actor_id) = (Some(who.hospital_id), Some(who.user_id));
        Self { hospital_id, actor_id, what: What::Action(action), target_id, outcome }
    }
}

impl What {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Action(action) => action.as_str(),
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
