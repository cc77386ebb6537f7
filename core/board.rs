//! What every dashboard of a hospital shows: the roster at a seq, and the last events before it.
//!
//! **Invariant:** every event here is already a row in `events`, events are applied in `seq` order without gaps, and
//! the roster is what replaying them gives.

use std::collections::VecDeque;

use crate::{
    Seq, Timestamp, UserId,
    event::{Event, EventKind},
    socket::to_json,
    wire::{DoctorInfo, WatcherMessage},
};

/// How many events a snapshot shows.
const RECENT: usize = 10;

/// The roster at `seq`, and the last events up to it.
#[derive(Debug)]
pub struct Board {
    seq: Seq,
    /// By first, then last name.
    doctors: Vec<RosterEntry>,
    /// At most [`RECENT`], oldest first.
    recent: VecDeque<Event>,
    /// The latest snapshot in JSON, and the number of connections in it.
    encoded: Option<(usize, String)>,
}

/// A doctor on the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterEntry {
    /// The doctor.
    pub doctor: DoctorInfo,
    /// When the doctor last came on duty or went off it; `None` if neither ever happened.
    pub live_since: Option<Timestamp>,
}

impl Board {
    /// The board at `seq` with its `doctors` in any order. It keeps the last ten of the `recent` events, which come
    /// oldest first.
    pub fn new(seq: Seq, doctors: Vec<RosterEntry>, recent: Vec<Event>) -> Self {
        let mut board = Self { seq, doctors: vec![], recent: recent.into(), encoded: None };
        board.set_doctors(doctors);
        board.forget_old_events();
        board
    }

    /// The latest event applied.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The doctors on duty and free for a consultation, by first, then last name.
    pub fn online(&self) -> impl Iterator<Item = &DoctorInfo> {
        let doctors = self.doctors.iter().map(|entry| &entry.doctor);
        doctors.filter(|doctor| doctor.is_live && doctor.is_available_for_consultation)
    }

    /// The roster, by first, then last name.
    pub fn doctors(&self) -> &[RosterEntry] {
        &self.doctors
    }

    /// Applies `event` if it is the next one. `false` leaves the board as it was: the board has applied this event
    /// already, or lacks one before it.
    pub fn apply(&mut self, event: Event) -> bool {
        if event.seq != self.seq.next() {
            return false;
        }
        self.seq = event.seq;
        self.encoded = None;
        let live_since = match event.kind {
            EventKind::Login | EventKind::Logout => Some(event.at),
            EventKind::Availability => self.entry(event.doctor.id).and_then(|entry| entry.live_since),
        };
        let entry = RosterEntry { doctor: event.doctor.clone(), live_since };
        self.doctors.retain(|other| other.doctor.id != entry.doctor.id);
        let at = self.doctors.partition_point(|other| other.sort_key() < entry.sort_key());
        self.doctors.insert(at, entry);
        self.recent.push_back(event);
        self.forget_old_events();
        true
    }

    /// Replaces the roster, after users changed; `doctors` come in any order.
    pub fn set_doctors(&mut self, mut doctors: Vec<RosterEntry>) {
        doctors.sort_by(|one, other| one.sort_key().cmp(&other.sort_key()));
        self.doctors = doctors;
        self.encoded = None;
    }

    /// The snapshot in JSON, with `connections` entries in the registry. It is encoded once for all dashboards that
    /// join before the next event.
    pub fn snapshot(&mut self, connections: usize) -> Option<String> {
        if self.encoded.as_ref().is_none_or(|(with, _)| *with != connections) {
            self.encoded = to_json(&self.state(connections)).map(|text| (connections, text));
        }
        self.encoded.as_ref().map(|(_, text)| text.clone())
    }

    fn state(&self, connections: usize) -> WatcherMessage {
        let doctors = self.doctors.iter().map(|entry| entry.doctor.clone()).collect();
        let recent = self.recent.iter().rev().map(Event::message).collect();
        let live_since = self.doctors.iter().filter_map(|entry| Some((entry.doctor.id, entry.live_since?))).collect();
        WatcherMessage::Snapshot { seq: self.seq, doctors, recent, connections, live_since }
    }

    fn entry(&self, doctor_id: UserId) -> Option<&RosterEntry> {
        self.doctors.iter().find(|entry| entry.doctor.id == doctor_id)
    }

    fn forget_old_events(&mut self) {
        self.recent.drain(..self.recent.len().saturating_sub(RECENT));
    }
}

impl RosterEntry {
    fn sort_key(&self) -> (&str, &str, UserId) {
        (&self.doctor.first_name, &self.doctor.last_name, self.doctor.id)
    }
}

#[cfg(test)]
mod tests;
