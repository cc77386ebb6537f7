//! What the Worker asks of a room, and what the room answers. Internal: both sides are always of one deploy.

use serde::{Deserialize, Serialize};

use crate::{Id, Seq, auth::Principal, event::Change, socket::Opener};

/// One call to a room. `Watch` and `Connect` come with a WebSocket upgrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Change a doctor's state. Answered with `Result<StateAnswer, Rejection>`.
    Record {
        /// Who makes the change.
        by: Principal,
        /// Whose state.
        doctor_id: Id,
        /// What changes.
        change: Change,
    },
    /// Join as a dashboard.
    Watch {
        /// Who watches; nobody in particular where sockets are open.
        opener: Opener,
        /// The client offered `rollcall.v1`.
        v1: bool,
        /// Where it left off.
        since: Option<Since>,
        /// It asks to be told how many are connected.
        connections: bool,
    },
    /// Join as a person.
    Connect {
        /// Who.
        opener: Opener,
        /// Their email, as stored.
        email: String,
        /// Their presence is watched.
        doctor: bool,
        /// The client offered `rollcall.v1`.
        v1: bool,
    },
    /// Who is connected? Answered with a list of `ActiveConnection`.
    Registry,
    /// Sessions have ended: close their sockets, and let in nobody who was let through with one before it ended.
    /// Answered with `null`.
    EndSessions {
        /// Which ones.
        session_ids: Vec<Id>,
    },
    /// Close a user's sockets, by an administrator. Answered with how many there were.
    Disconnect {
        /// Whose.
        user_id: Id,
    },
    /// Somebody was added or changed: show it. Answered with `null`.
    UserChanged {
        /// Who made the change.
        by: Principal,
        /// Who was changed.
        user_id: Id,
        /// Their email from now on.
        email: String,
        /// Their sessions that ended with it.
        ended: Vec<Id>,
        /// They may not have any socket any more, of a session or not.
        is_gone: bool,
        /// They are no doctor any more, so they cannot stay on duty.
        leaves_duty: bool,
    },
}

/// A dashboard's `?since=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Since {
    /// Everything up to here has been seen.
    Seq(Seq),
    /// Not a seq; answered like one from the future.
    Unreadable,
}

/// A room's name: the original's channel group, and the hospital.
pub fn room_name(hospital_id: Id) -> String {
    format!("doctor_status:{hospital_id}")
}

/// The hospital whose room has this name.
pub fn hospital_of(room_name: &str) -> Option<Id> {
    room_name.strip_prefix("doctor_status:")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_knows_its_hospital_by_its_name() {
        assert_eq!(room_name(3), "doctor_status:3");
        assert_eq!(hospital_of("doctor_status:3"), Some(3));
        assert_eq!(hospital_of("doctor_status"), None);
    }
}
