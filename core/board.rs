//! A room's memory of its hospital: the roster at a seq, and the latest events behind it.
//!
//! **Invariant:** every event here is already a row in `events`, events are applied in `seq` order without gaps, and
//! the roster is what replaying them gives.

use std::collections::VecDeque;

use serde::Deserialize;

use crate::{
    Id, Seq, Timestamp,
    call::Since,
    event::{Action, Event},
    socket::say,
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
    /// By first, then last name.
    doctors: Vec<OnRoster>,
    /// Oldest first, without gaps, the last one at `seq`.
    latest: VecDeque<Event>,
    /// The snapshot that was asked for last, with so many connections.
    encoded: Option<(usize, String)>,
}

/// A doctor on the roster.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OnRoster {
    /// The doctor.
    pub doctor: DoctorInfo,
    /// When they came on duty, or left it; `None` where they never did.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub live_since: Option<Timestamp>,
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
    /// The board at `seq`, with its `doctors` by first, then last name, and with `latest` events (oldest first, ending
    /// at `seq`; how many is the caller's choice).
    pub fn new(seq: Seq, doctors: Vec<OnRoster>, latest: Vec<Event>) -> Self {
        Self { seq, doctors, latest: latest.into(), encoded: None }
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
        self.on_roster(doctor_id).is_some_and(|entry| entry.doctor.is_live)
    }

    /// The events after `since`, oldest first, as far back as it holds them.
    pub fn after(&self, since: Seq) -> impl Iterator<Item = &Event> {
        let behind = usize::try_from(self.seq.saturating_sub(since)).unwrap_or(usize::MAX);
        self.latest.iter().skip(self.latest.len().saturating_sub(behind))
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
        self.encoded = None;
        let live_since = match event.action {
            Action::Login | Action::Logout => Some(event.at),
            Action::Availability => self.on_roster(event.doctor.id).and_then(|entry| entry.live_since),
        };
        let entry = OnRoster { doctor: event.doctor.clone(), live_since };
        self.doctors.retain(|other| other.doctor.id != entry.doctor.id);
        let at = self.doctors.partition_point(|other| other.place() < entry.place());
        self.doctors.insert(at, entry);
        self.latest.push_back(event);
        while self.latest.len() > BACKLOG {
            self.latest.pop_front();
        }
        true
    }

    /// The state as it is sent, with `connections` entries in the registry: encoded once for everybody who joins before
    /// the next event.
    pub fn snapshot(&mut self, connections: usize) -> Option<String> {
        if self.encoded.as_ref().is_none_or(|(with, _)| *with != connections) {
            self.encoded = say(&self.state(connections)).map(|text| (connections, text));
        }
        self.encoded.as_ref().map(|(_, text)| text.clone())
    }

    fn state(&self, connections: usize) -> WatcherMessage {
        let doctors = self.doctors.iter().map(|entry| entry.doctor.clone()).collect();
        let recent = self.latest.iter().rev().take(RECENT).map(Event::message).collect();
        let live_since = self.doctors.iter().filter_map(|entry| Some((entry.doctor.id, entry.live_since?))).collect();
        WatcherMessage::Snapshot { seq: self.seq, doctors, recent, connections, live_since }
    }

    fn on_roster(&self, doctor_id: Id) -> Option<&OnRoster> {
        self.doctors.iter().find(|entry| entry.doctor.id == doctor_id)
    }

    /// What a dashboard that has seen everything up to `since` has missed.
    pub fn missed(&self, since: Since) -> Missed {
        let Since::Seq(since) = since else { return Missed::Lost };
        let Some(behind) = self.seq.checked_sub(since) else { return Missed::Lost };
        match usize::try_from(behind) {
            Ok(behind) if behind <= self.latest.len() => {
                Missed::Events(self.after(since).map(Event::message).collect())
            }
            Ok(behind) if behind <= BACKLOG => Missed::Deeper,
            _ => Missed::Lost,
        }
    }
}

impl OnRoster {
    /// What the roster is ordered by.
    fn place(&self) -> (&str, &str, Id) {
        (&self.doctor.first_name, &self.doctor.last_name, self.doctor.id)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::event::tests::{ann, event};

    fn roster() -> Vec<OnRoster> {
        vec![OnRoster { doctor: ann(), live_since: None }]
    }

    fn board(upto: Seq) -> Board {
        let mut board = Board::new(0, roster(), vec![]);
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
        let board = Board::new(500, roster(), vec![event(499, Action::Login), event(500, Action::Logout)]);
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
        let board = Board::new(500, roster(), vec![old, latest.clone()]);
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
        let WatcherMessage::Snapshot { seq, doctors, recent, connections, .. } = board.state(2) else { panic!() };
        assert_eq!((seq, connections), (13, 2));
        assert_eq!(doctors.iter().map(|doctor| doctor.first_name.as_str()).collect::<Vec<_>>(), ["Ann", "Bob"]);
        let mut ann_as_zoe = event(14, Action::Login);
        ann_as_zoe.doctor.first_name = "Zoe".into();
        board.apply(ann_as_zoe);
        let WatcherMessage::Snapshot { doctors, .. } = board.state(2) else { panic!() };
        assert_eq!(doctors.iter().map(|doctor| doctor.first_name.as_str()).collect::<Vec<_>>(), ["Bob", "Zoe"]);
        assert_eq!(seqs(&recent), [13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
    }

    #[test]
    fn a_snapshot_is_encoded_anew_when_something_has_changed() {
        let mut board = board(2);
        let snapshots: Vec<_> = [(2, 0), (2, 0), (2, 1), (3, 1)]
            .map(|(seq, connections)| {
                if board.seq() < seq {
                    assert!(board.apply(event(seq, Action::Login)));
                }
                let snapshot = board.snapshot(connections).unwrap();
                assert_eq!(Some(&snapshot), say(&board.state(connections)).as_ref());
                snapshot
            })
            .into();
        assert_eq!(snapshots[0], snapshots[1]);
        assert!(snapshots[1] != snapshots[2] && snapshots[2] != snapshots[3]);
    }

    fn live_since(board: &Board) -> Vec<(Id, Timestamp)> {
        let WatcherMessage::Snapshot { live_since, .. } = board.state(0) else { panic!() };
        live_since
    }

    #[test]
    fn a_snapshot_says_since_when_a_doctor_is_on_duty_or_not() {
        let at = |seconds| event(1, Action::Login).at + TimeDelta::seconds(seconds);
        let later = |seq: Seq, action| Event { at: at(seq as i64), ..event(seq, action) };
        let mut board = Board::new(0, roster(), vec![]);
        assert_eq!(live_since(&board), [], "never on duty");
        board.apply(later(1, Action::Availability));
        assert_eq!(live_since(&board), []);
        board.apply(later(2, Action::Login));
        board.apply(later(3, Action::Availability));
        assert_eq!(live_since(&board), [(7, at(2))], "being busy is no change of duty");
        board.apply(later(4, Action::Logout));
        assert_eq!(live_since(&board), [(7, at(4))]);

        let loaded = Board::new(4, vec![OnRoster { doctor: ann(), live_since: Some(at(4)) }], vec![]);
        assert_eq!(live_since(&loaded), live_since(&board), "however the room learned of it");
    }
}
