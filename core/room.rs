//! What the Worker and a hospital's room both know of the room: its name, what it measures, and where a dashboard
//! resumes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{HospitalId, Seq};

/// How many events behind a dashboard may be and still get every event that it missed.
pub const BACKLOG: usize = 1000;

/// The prefix of a room's name: the original's channel group.
const PREFIX: &str = "doctor_status:";

/// The name of a hospital's room among the Durable Objects: `doctor_status:<hospital id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomName(HospitalId);

impl RoomName {
    /// The name of this hospital's room.
    pub const fn of(hospital_id: HospitalId) -> Self {
        Self(hospital_id)
    }

    /// The hospital whose room has this name; `None` if no room can have it.
    pub fn parse(name: &str) -> Option<HospitalId> {
        name.strip_prefix(PREFIX)?.parse().ok()
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0)
    }
}

/// A room's state in numbers, for its metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gauges {
    /// Open sockets of dashboards.
    pub dashboards: usize,
    /// Open sockets of people.
    pub connections: usize,
    /// People with at least one open socket of their own.
    pub people: usize,
    /// The latest event.
    pub latest: Seq,
    /// The latest event that D1 has too.
    pub archived: Seq,
    /// The age of the oldest event that D1 lacks; 0 if D1 has them all.
    pub archive_lag_seconds: f64,
    /// Active doctors.
    pub doctors: usize,
    /// Of these, on duty.
    pub doctors_on_duty: usize,
    /// Of those on duty, free for a consultation.
    pub doctors_available: usize,
    /// The oldest event that is kept.
    pub oldest: Seq,
}

/// A dashboard's `?since=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// The dashboard has seen everything up to this event.
    Seq(Seq),
    /// Not a seq; answered like one from the future.
    Unreadable,
}

impl Since {
    /// The event after which a dashboard's missed events begin, while `latest` is the latest one. `None` if it gets a
    /// snapshot instead: it is more than [`BACKLOG`] events behind, or claims to have seen what has not happened.
    pub fn resume_after(self, latest: Seq) -> Option<Seq> {
        let Self::Seq(since) = self else { return None };
        let behind = usize::try_from(latest.get().checked_sub(since.get())?).ok()?;
        (behind <= BACKLOG).then_some(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_finds_its_hospital_by_its_name() {
        let hospital_id = HospitalId::new(3);
        assert_eq!(RoomName::of(hospital_id).to_string(), "doctor_status:3");
        assert_eq!(RoomName::parse("doctor_status:3"), Some(hospital_id));
        for other in ["doctor_status", "doctor_status:", "doctor_status:3/", "doctor_status:3/12", "doctor_status:x"] {
            assert_eq!(RoomName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_dashboard_resumes_after_the_last_event_that_it_has_seen() {
        for seen in [2, 5, 0].map(Seq::new) {
            assert_eq!(Since::Seq(seen).resume_after(Seq::new(5)), Some(seen));
        }
        assert_eq!(Since::Seq(Seq::new(0)).resume_after(Seq::new(0)), Some(Seq::new(0)));
    }

    #[test]
    fn a_since_from_the_future_is_not_resumed() {
        for since in [Since::Seq(Seq::new(6)), Since::Seq(Seq::new(u64::MAX)), Since::Unreadable] {
            assert_eq!(since.resume_after(Seq::new(5)), None, "{since:?}");
        }
    }

    #[test]
    fn a_dashboard_a_thousand_events_behind_resumes_but_one_event_more_is_too_much() {
        let after = |since| Since::Seq(Seq::new(since)).resume_after(Seq::new(1500));
        assert_eq!(after(500), Some(Seq::new(500)));
        assert_eq!(after(499), None);
    }
}
