//! What the Worker asks of a room, and what the room answers. Internal: both sides are of one deployment
//! (`code_update_strategy` in `wrangler.toml`).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Id, Seq,
    auth::Principal,
    event::{Change, Event},
    socket::Opener,
};

/// One call to a room. `Watch` and `Connect` come with a WebSocket upgrade.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Who is connected? Answered with `ActiveConnections`.
    Registry,
    /// How many sockets has this user here, and how many people are connected? Answered with [`Counts`].
    Count(Option<Id>),
    /// What is open? Answered with [`Gauges`].
    Gauges,
    /// A relay is told what the room has announced. Answered with the seq that it has announced then.
    Relay {
        /// The latest of them, oldest first; what comes before them the relay reads itself, where it has missed it.
        events: Vec<Event>,
        /// The latest seq.
        latest: Seq,
        /// How many people are connected.
        connections: usize,
    },
    /// A relay is told how many people are connected. Answered with `null`.
    Connections(usize),
    /// A relay is to show the roster as it is now; so many people are connected. Answered with `null`.
    Show(usize),
    /// Sessions have ended: close their sockets, and let in nobody who was let through with one before it ended.
    /// Answered with `null`.
    EndSessions {
        /// Whose.
        user_id: Id,
        /// Which ones.
        session_ids: Vec<Id>,
    },
    /// Close this user's sockets, by an administrator. Answered with how many there were.
    Disconnect(Id),
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

/// What an object counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// A user's open sockets.
    pub sockets: usize,
    /// The people who are connected.
    pub connections: usize,
}

/// What is open at an object, for its metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gauges {
    /// The dashboards' open sockets.
    pub dashboards: usize,
    /// The people's open sockets.
    pub connections: usize,
    /// The people who are connected.
    pub people: usize,
    /// Up to where it has certainly announced.
    pub announced: Seq,
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

/// An object of a hospital: its room, or one of the relays that dashboards watch where there are too many for a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub hospital_id: Id,
    /// Which relay; `None` is the room.
    pub relay: Option<u32>,
}

impl Place {
    /// A hospital's room.
    pub fn room(hospital_id: Id) -> Self {
        Self { hospital_id, relay: None }
    }

    /// Where all dashboards of a user watch, when there are so many relays.
    pub fn watched_by(user_id: Id, hospital_id: Id, relays: u32) -> Self {
        Self::to_watch(hospital_id, relays, user_id.to_string().as_bytes())
    }

    /// Where a dashboard watches that is known by `key`, when there are so many relays: always in the same place.
    pub fn to_watch(hospital_id: Id, relays: u32, key: &[u8]) -> Self {
        let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(key));
        Self { hospital_id, relay: u32::from_be_bytes([a, b, c, d]).checked_rem(relays) }
    }

    /// The relays of a hospital, when there are so many.
    pub fn relays(hospital_id: Id, relays: u32) -> impl Iterator<Item = Self> {
        (0..relays).map(move |relay| Self { hospital_id, relay: Some(relay) })
    }

    /// The object's name: the original's channel group, the hospital, and the relay.
    pub fn name(self) -> String {
        match self {
            Self { hospital_id, relay: None } => format!("doctor_status:{hospital_id}"),
            Self { hospital_id, relay: Some(relay) } => format!("doctor_status:{hospital_id}/{relay}"),
        }
    }

    /// The place of this name.
    pub fn of(name: &str) -> Option<Self> {
        let place = name.strip_prefix("doctor_status:")?;
        let (hospital, relay) = match place.split_once('/') {
            Some((hospital, relay)) => (hospital, Some(relay.parse().ok()?)),
            None => (place, None),
        };
        Some(Self { hospital_id: hospital.parse().ok()?, relay })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_knows_its_place_by_its_name() {
        let (room, relay) = (Place::room(3), Place { hospital_id: 3, relay: Some(12) });
        assert_eq!(room.name(), "doctor_status:3");
        assert_eq!(relay.name(), "doctor_status:3/12");
        assert_eq!(Place::of("doctor_status:3"), Some(room));
        assert_eq!(Place::of("doctor_status:3/12"), Some(relay));
        for nowhere in ["doctor_status", "doctor_status:", "doctor_status:3/", "doctor_status:x"] {
            assert_eq!(Place::of(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn without_relays_dashboards_watch_the_room() {
        assert_eq!(Place::to_watch(3, 0, b"anybody"), Place::room(3));
        assert_eq!(Place::relays(3, 0).count(), 0);
    }

    #[test]
    fn dashboards_are_spread_over_the_relays_and_stay_where_they_are() {
        let place = |key: u32| Place::to_watch(3, 8, key.to_string().as_bytes());
        let mut watching = [0; 8];
        for key in 0..8000 {
            assert_eq!(place(key), place(key));
            watching[place(key).relay.unwrap() as usize] += 1;
        }
        assert!(watching.iter().all(|dashboards| (900..1100).contains(dashboards)), "{watching:?}");
        assert!(Place::relays(3, 8).all(|relay| Place::of(&relay.name()) == Some(relay)));
    }

    #[test]
    fn an_event_arrives_at_a_relay_as_it_was() {
        let mut event = crate::event::tests::event(42, crate::event::Action::Login);
        event.utc_offset = chrono::FixedOffset::east_opt(19_800).unwrap();
        event.actor_id = Some(7);
        let call = Call::Relay { events: vec![event], latest: 42, connections: 3 };
        assert_eq!(serde_json::from_str::<Call>(&serde_json::to_string(&call).unwrap()).unwrap(), call);
    }
}
