//! Presence: whether a doctor on duty is still there, by their sockets on `/ws/connect/`.
//!
//! A [`Stay`] begins when a doctor opens a socket and ends with an explicit logout, or when the grace after the last
//! socket has run out. A doctor without a stay is not watched: nobody who never opened a socket is logged out by this
//! rule, and a socket left over from before a logout has no say in what comes after it.
//!
//! **Invariant:** nothing here is counted: the room says whether a doctor has an open socket, and saying it twice
//! changes nothing. So a crash, a restart or an event applied again leaves what would have been there without it.
//!
//! ```
//! use chrono::TimeDelta;
//! use rollcall_core::{Timestamp, presence::Presence};
//!
//! let nine: Timestamp = "2026-11-21T09:00:00Z".parse()?;
//! let seconds = TimeDelta::seconds;
//! let mut presence = Presence::new(Some(seconds(45)), []);
//! presence.opened(7, nine);
//! presence.seen(7, false, nine + seconds(10));
//! assert_eq!(presence.look_again(nine + seconds(10)), Some(nine + seconds(55)));
//! assert_eq!(presence.overdue(nine + seconds(55)), [7]);
//! # Ok::<(), chrono::ParseError>(())
//! ```

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::{
    Id, Timestamp,
    event::{Action, Event},
};

/// A doctor who is, or was, connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// When its latest socket was opened.
    pub since: Timestamp,
    /// Since when there is none.
    pub gone: Option<Timestamp>,
}

/// The stays of a hospital's doctors.
#[derive(Clone, Debug)]
pub struct Presence {
    grace: Option<TimeDelta>,
    stays: BTreeMap<Id, Stay>,
}

impl Presence {
    /// The stays as they were stored. `grace` is how long a doctor may be gone, or `None` for as long as they like.
    pub fn new(grace: Option<TimeDelta>, stays: impl IntoIterator<Item = (Id, Stay)>) -> Self {
        Self { grace, stays: stays.into_iter().collect() }
    }

    /// A doctor's stay, to be stored after each change.
    pub fn stay(&self, doctor_id: Id) -> Option<Stay> {
        self.stays.get(&doctor_id).copied()
    }

    /// Whose stays there are.
    pub fn doctors(&self) -> Vec<Id> {
        self.stays.keys().copied().collect()
    }

    /// A doctor has opened a socket. Says whether that changed anything, as all of these do.
    pub fn opened(&mut self, doctor_id: Id, now: Timestamp) -> bool {
        let stay = Stay { since: now, gone: None };
        self.stays.insert(doctor_id, stay) != Some(stay)
    }

    /// Whether a doctor has an open socket now.
    pub fn seen(&mut self, doctor_id: Id, connected: bool, now: Timestamp) -> bool {
        let Some(stay) = self.stays.get_mut(&doctor_id) else { return false };
        let before = stay.gone;
        // A clock that was set back must not lengthen the grace.
        stay.gone = (!connected).then(|| before.map_or(now, |gone| gone.min(now)));
        stay.gone != before
    }

    /// An event was recorded, perhaps a while ago.
    ///
    /// What happened after it is not undone by it: an event committed just before a crash is applied again after it.
    pub fn apply(&mut self, event: &Event) -> bool {
        let ended = self.stay(event.doctor.id).is_some_and(|stay| match event.action {
            // Whoever left before coming on duty came without a socket.
            Action::Login => stay.gone.is_some_and(|gone| gone <= event.at),
            Action::Logout => stay.since <= event.at,
            Action::Availability => false,
        });
        ended && self.end(event.doctor.id)
    }

    /// A stay is over.
    pub fn end(&mut self, doctor_id: Id) -> bool {
        self.stays.remove(&doctor_id).is_some()
    }

    /// Who has been gone for longer than the grace.
    pub fn overdue(&self, now: Timestamp) -> Vec<Id> {
        let overdue = |stay: &Stay| Some(stay.gone? + self.grace? <= now);
        self.stays.iter().filter(|(_, stay)| overdue(stay) == Some(true)).map(|(doctor_id, _)| *doctor_id).collect()
    }

    /// When to look again: when the next grace runs out; or, while somebody is connected, in one grace from now,
    /// because a runtime that is killed does not tell anybody that their sockets are gone.
    pub fn look_again(&self, now: Timestamp) -> Option<Timestamp> {
        let grace = self.grace?;
        self.stays.values().map(|stay| stay.gone.unwrap_or(now) + grace).min()
    }
}

#[cfg(test)]
mod tests;
