//! A room's memory of its hospital: the roster at a seq, and the latest events behind it.
//!
//! **Invariant:** every event here is already a row in `events`, events are applied in `seq` order without gaps, and
//! the roster is what replaying them gives.

use std::collections::{BTreeMap, VecDeque};

use crate::{
    Id, Seq, Timestamp,
    call::Since,
    event::Event,
    wire::{DoctorEvent, DoctorInfo, WatcherMessage},
};

/// How far behind a dashboard may be and still get every event it missed.
pub const BACKLOG: usize = 1000;

/// How many events a snapshot shows.
const RECENT: usize = 10;

/// The roster at `seq`, and the latest events up to it.
#[derive(Debug)]
pub struct Board {
    seq: Seq,
    doctors: BTreeMap<Id, DoctorInfo>,
    /// Oldest first, without gaps, the last one at `seq`.
    latest: VecDeque<Event>,
}

/// What to send to a dashboard that was away.
#[derive(Debug, PartialEq)]
pub enum Missed {
    /// These, oldest first.
    Events(Vec<DoctorEvent>),
    /// They are further back than this memory reaches, but not too far: load the backlog and ask again.
    Deeper,
    /// Not to be had: a seq from the future, or more than [`BACKLOG`] events behind.
    Lost,
}

impl Board {
    /// The board at `seq`, with `latest` events (oldest first, ending at `seq`; how many is the caller's choice).
    pub fn new(seq: Seq, doctors: Vec<DoctorInfo>, latest: Vec<Event>) -> Self {
        let doctors = doctors.into_iter().map(|doctor| (doctor.id, doctor)).collect();
        Self { seq, doctors, latest: latest.into() }
    }

    /// The latest event applied.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// How many events it holds.
    pub fn depth(&self) -> usize {
        self.latest.len()
    }

    /// Whether a doctor is on duty.
    pub fn is_live(&self, doctor_id: Id) -> bool {
        self.doctors.get(&doctor_id).is_some_and(|doctor| doctor.is_live)
    }

    /// When the event `seq` was recorded, or the oldest one here where it is further back. `None` where there is none.
    pub fn recorded_by(&self, seq: Seq) -> Option<Timestamp> {
        let back = usize::try_from(self.seq.checked_sub(seq)?).ok()?;
        let at = self.latest.len().saturating_sub(back + 1);
        self.latest.get(at).map(|event| event.at)
    }

    /// Applies `event` if it is the next one. `false` leaves the board as it was: it has seen this event already, or
    /// has missed one before it.
    pub fn apply(&mut self, event: Event) -> bool {
        if event.seq != self.seq + 1 {
            return false;
        }
        self.seq = event.seq;
        self.doctors.insert(event.doctor.id, event.doctor.clone());
        self.latest.push_back(event);
        while self.latest.len() > BACKLOG {
            self.latest.pop_front();
        }
        true
    }

    /// The state, with `connections` entries in the registry.
    pub fn snapshot(&self, connections: usize) -> WatcherMessage {
        let mut doctors: Vec<_> = self.doctors.values().cloned().collect();
        doctors.sort_by(|a, b| (&a.first_name, &a.last_name, a.id).cmp(&(&b.first_name, &b.last_name, b.id)));
        let recent = self.latest.iter().rev().take(RECENT).map(Event::message).collect();
        WatcherMessage::Snapshot { seq: self.seq, doctors, recent, connections }
    }

    /// What a dashboard that has seen everything up to `since` has missed.
    pub fn missed(&self, since: Since) -> Missed {
        let Since::Seq(since) = since else { return Missed::Lost };
        let Some(behind) = self.seq.checked_sub(since) else { return Missed::Lost };
        match usize::try_from(behind) {
            Ok(behind) if behind <= self.latest.len() => {
                Missed::Events(self.latest.iter().skip(self.latest.len() - behind).map(Event::message).collect())
            }
            Ok(behind) if behind <= BACKLOG => Missed::Deeper,
            _ => Missed::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{
        Action,
        tests::{ann, event},
    };

    fn board(upto: Seq) -> Board {
        let mut board = Board::new(0, vec![ann()], vec![]);
        for seq in 1..=upto {
            assert!(board.apply(event(seq, if seq % 2 == 1 { Action::Login } else { Action::Logout })));
        }
        board
    }

    fn seqs(events: &[DoctorEvent]) -> Vec<Seq> {
        events.iter().map(DoctorEvent::seq).collect()
    }

    #[test]
    fn a_dashboard_that_was_away_gets_exactly_what_it_missed() {
        let Missed::Events(events) = board(5).missed(Since::Seq(2)) else { panic!() };
        assert_eq!(seqs(&events), [3, 4, 5]);
        assert_eq!(board(5).missed(Since::Seq(5)), Missed::Events(vec![]));
        assert_eq!(board(0).missed(Since::Seq(0)), Missed::Events(vec![]));
    }

    #[test]
    fn a_seq_from_the_future_is_lost() {
        assert_eq!(board(5).missed(Since::Seq(6)), Missed::Lost);
        assert_eq!(board(5).missed(Since::Seq(Seq::MAX)), Missed::Lost);
        assert_eq!(board(5).missed(Since::Unreadable), Missed::Lost);
    }

    #[test]
    fn a_thousand_events_behind_is_not_lost_but_one_more_is() {
        let board = board(1500);
        let Missed::Events(events) = board.missed(Since::Seq(500)) else { panic!() };
        assert_eq!(events.len(), BACKLOG);
        assert_eq!(events.first().map(DoctorEvent::seq), Some(501));
        assert_eq!(board.missed(Since::Seq(499)), Missed::Lost);
    }

    #[test]
    fn a_young_memory_says_when_it_must_look_deeper() {
        let board = Board::new(500, vec![ann()], vec![event(499, Action::Login), event(500, Action::Logout)]);
        assert_eq!(board.missed(Since::Seq(400)), Missed::Deeper);
        let Missed::Events(events) = board.missed(Since::Seq(498)) else { panic!() };
        assert_eq!(seqs(&events), [499, 500]);
    }

    #[test]
    fn an_event_is_applied_once_and_in_order() {
        let mut board = board(3);
        assert!(!board.apply(event(3, Action::Login)), "seen already");
        assert!(!board.apply(event(5, Action::Login)), "four is missing");
        assert_eq!(board.seq(), 3);
        assert!(board.apply(event(4, Action::Login)));
    }

    #[test]
    fn an_event_further_back_than_the_memory_counts_as_the_oldest_in_it() {
        let mut old = event(499, Action::Login);
        old.at = "2026-11-21T08:00:00Z".parse().unwrap();
        let (at, latest) = (old.at, event(500, Action::Logout));
        let board = Board::new(500, vec![ann()], vec![old, latest.clone()]);
        assert_eq!(board.recorded_by(500), Some(latest.at));
        assert_eq!(board.recorded_by(499), Some(at));
        assert_eq!(board.recorded_by(12), Some(at));
        assert_eq!(board.recorded_by(501), None, "from the future");
        assert_eq!(Board::new(0, vec![], vec![]).recorded_by(0), None);
    }

    #[test]
    fn a_snapshot_shows_the_roster_by_name_and_the_last_ten_newest_first() {
        let mut board = board(12);
        let mut bob = event(13, Action::Login);
        (bob.doctor.id, bob.doctor.first_name) = (3, "Bob".into());
        board.apply(bob);
        let WatcherMessage::Snapshot { seq, doctors, recent, connections } = board.snapshot(2) else { panic!() };
        assert_eq!((seq, connections), (13, 2));
        assert_eq!(doctors.iter().map(|doctor| doctor.first_name.as_str()).collect::<Vec<_>>(), ["Ann", "Bob"]);
        assert_eq!(seqs(&recent), [13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
    }
}
