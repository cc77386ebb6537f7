//! Presence: whether a doctor on duty is still there, by their sockets on `/ws/connect/`.
//!
//! A doctor's [`Connectivity`] begins when the doctor opens a socket and ends with an explicit logout, or when the grace
//! after the last socket has run out. A doctor without one is not watched: this rule logs out no doctor who never opened
//! a socket, and a socket from before a logout does not matter after it.
//!
//! **Invariant:** nothing here is counted: the room says whether a doctor has an open socket, and saying it twice
//! changes nothing. So a crash, a restart or an event applied again leaves the same state as without it.
//!
//! ```
//! use chrono::TimeDelta;
//! use rollcall_core::{Timestamp, UserId, presence::Presence};
//!
//! let nine: Timestamp = "2026-11-21T09:00:00Z".parse()?;
//! let seconds = TimeDelta::seconds;
//! let mut presence = Presence::new(Some(seconds(45)), []);
//! let ann = UserId::new(7);
//! presence.opened(ann, nine);
//! presence.set_connected(ann, false, nine + seconds(10));
//! assert_eq!(presence.next_deadline(nine + seconds(10)), Some(nine + seconds(55)));
//! assert_eq!(presence.overdue(nine + seconds(55)), [ann]);
//! # Ok::<(), chrono::ParseError>(())
//! ```

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::{
    Timestamp, UserId,
    event::{Event, EventKind},
};

/// A doctor's connection, from the first socket until duty or the grace ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connectivity {
    /// When the doctor's latest socket was opened.
    pub since: Timestamp,
    /// When the doctor's last socket closed; `None` while one is open.
    pub disconnected_at: Option<Timestamp>,
}

/// The connectivity of a hospital's doctors.
#[derive(Clone, Debug)]
pub struct Presence {
    grace: Option<TimeDelta>,
    by_doctor: BTreeMap<UserId, Connectivity>,
}

impl Presence {
    /// The connectivity of each doctor, as it was stored. `grace` is how long a doctor may be disconnected, `None` is
    /// without limit.
    pub fn new(grace: Option<TimeDelta>, stored: impl IntoIterator<Item = (UserId, Connectivity)>) -> Self {
        Self { grace, by_doctor: stored.into_iter().collect() }
    }

    /// A doctor's connectivity, to be stored after each change; `None` if the doctor is not watched.
    pub fn connectivity(&self, doctor_id: UserId) -> Option<Connectivity> {
        self.by_doctor.get(&doctor_id).copied()
    }

    /// The doctors who are watched.
    pub fn doctors(&self) -> Vec<UserId> {
        self.by_doctor.keys().copied().collect()
    }

    /// Notes that a doctor has opened a socket. `true` if that changed anything, as in all of these methods.
    pub fn opened(&mut self, doctor_id: UserId, now: Timestamp) -> bool {
        let connected = Connectivity { since: now, disconnected_at: None };
        self.by_doctor.insert(doctor_id, connected) != Some(connected)
    }

    /// Notes whether a doctor has an open socket at `now`.
    pub fn set_connected(&mut self, doctor_id: UserId, connected: bool, now: Timestamp) -> bool {
        let Some(connectivity) = self.by_doctor.get_mut(&doctor_id) else { return false };
        let before = connectivity.disconnected_at;
        // A clock that was set back must not lengthen the grace.
        connectivity.disconnected_at = (!connected).then(|| before.map_or(now, |at| at.min(now)));
        connectivity.disconnected_at != before
    }

    /// Applies an event, which may have been recorded a while ago.
    ///
    /// The event does not undo what happened after it: an event committed just before a crash is applied again after
    /// the crash.
    pub fn apply(&mut self, event: &Event) -> bool {
        let ended = self.connectivity(event.doctor.id).is_some_and(|connectivity| match event.kind {
            // A doctor who disconnected before coming on duty came without a socket.
            EventKind::Login => connectivity.disconnected_at.is_some_and(|at| at <= event.at),
            EventKind::Logout => connectivity.since <= event.at,
            EventKind::Availability => false,
        });
        ended && self.end(event.doctor.id)
    }

    /// Stops watching a doctor.
    pub fn end(&mut self, doctor_id: UserId) -> bool {
        self.by_doctor.remove(&doctor_id).is_some()
    }

    /// The doctors who have been disconnected for longer than the grace.
    pub fn overdue(&self, now: Timestamp) -> Vec<UserId> {
        let is_overdue = |connectivity: &Connectivity| Some(connectivity.disconnected_at? + self.grace? <= now);
        let overdue = self.by_doctor.iter().filter(|(_, connectivity)| is_overdue(connectivity) == Some(true));
        overdue.map(|(doctor_id, _)| *doctor_id).collect()
    }

    /// When presence is to be checked next: when the first grace runs out; or, while a doctor is connected, one grace
    /// from now, because a runtime that is killed does not tell the room that the sockets are gone.
    pub fn next_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let grace = self.grace?;
        self.by_doctor.values().map(|connectivity| connectivity.disconnected_at.unwrap_or(now) + grace).min()
    }
}

#[cfg(test)]
mod tests;
