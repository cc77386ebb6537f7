use chrono::TimeDelta;

use super::*;
use crate::{
    event::tests::{ann, event},
    wire::DoctorEvent,
};

fn roster() -> Vec<RosterEntry> {
    vec![RosterEntry { doctor: ann(), live_since: None }]
}

fn board(upto: u64) -> Board {
    let mut board = Board::new(Seq::default(), roster(), vec![]);
    for seq in 1..=upto {
        assert!(board.apply(event(seq, if seq % 2 == 1 { EventKind::Login } else { EventKind::Logout })));
    }
    board
}

fn named(id: i64, first_name: &str) -> RosterEntry {
    let doctor = DoctorInfo { id: UserId::new(id), first_name: first_name.into(), ..ann() };
    RosterEntry { doctor, live_since: None }
}

fn first_names<'a>(doctors: impl IntoIterator<Item = &'a DoctorInfo>) -> Vec<&'a str> {
    doctors.into_iter().map(|doctor| doctor.first_name.as_str()).collect()
}

fn recent(board: &Board) -> Vec<u64> {
    let WatcherMessage::Snapshot { recent, .. } = board.state(0) else { panic!() };
    recent.iter().map(|event: &DoctorEvent| event.seq().get()).collect()
}

#[test]
fn an_event_is_applied_once_and_in_order() {
    let mut board = board(3);
    assert!(!board.apply(event(3, EventKind::Login)), "applied already");
    assert!(!board.apply(event(5, EventKind::Login)), "four is missing");
    assert_eq!(board.seq(), Seq::new(3));
    assert!(board.apply(event(4, EventKind::Login)));
}

#[test]
fn a_snapshot_shows_the_roster_by_name_and_the_last_ten_events_newest_first() {
    let mut board = board(12);
    let mut bob = event(13, EventKind::Login);
    (bob.doctor.id, bob.doctor.first_name) = (UserId::new(3), "Bob".into());
    board.apply(bob);
    let WatcherMessage::Snapshot { seq, doctors, connections, .. } = board.state(2) else { panic!() };
    assert_eq!((seq, connections), (Seq::new(13), 2));
    assert_eq!(first_names(&doctors), ["Ann", "Bob"]);
    assert_eq!(recent(&board), [13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
    let mut ann_as_zoe = event(14, EventKind::Login);
    ann_as_zoe.doctor.first_name = "Zoe".into();
    board.apply(ann_as_zoe);
    let WatcherMessage::Snapshot { doctors, .. } = board.state(2) else { panic!() };
    assert_eq!(first_names(&doctors), ["Bob", "Zoe"]);
}

#[test]
fn a_board_keeps_no_more_events_than_a_snapshot_shows() {
    let events = (1..=1000).map(|seq| event(seq, EventKind::Login)).collect();
    let board = Board::new(Seq::new(1000), roster(), events);
    assert_eq!(board.recent.len(), RECENT);
    assert_eq!(recent(&board).first(), Some(&1000));
}

#[test]
fn a_doctor_is_online_while_on_duty_and_free() {
    let mut entries = [named(1, "Dan"), named(2, "Cem"), named(3, "Bob"), named(4, "Ann")];
    entries[1].doctor.is_live = false;
    entries[2].doctor.is_available_for_consultation = false;
    let board = Board::new(Seq::default(), entries.into(), vec![]);
    assert_eq!(first_names(board.online()), ["Ann", "Dan"]);
    assert_eq!(first_names(board.doctors().iter().map(|entry| &entry.doctor)), ["Ann", "Bob", "Cem", "Dan"]);
    let doctor = |id| board.entry(UserId::new(id)).map(|entry| &entry.doctor);
    let is_live = |id| doctor(id).is_some_and(|doctor| doctor.is_live);
    assert!(is_live(3) && !is_live(2) && !is_live(9));
    assert_eq!(doctor(2).map(|doctor| doctor.first_name.as_str()), Some("Cem"));
    assert_eq!(doctor(9), None);
}

#[test]
fn a_snapshot_is_encoded_again_when_something_has_changed() {
    let mut board = board(2);
    let first = board.snapshot(0).unwrap();
    assert_eq!(board.snapshot(0).as_ref(), Some(&first), "nothing has changed");
    let changes: [fn(&mut Board) -> usize; 3] = [
        |_| 1,
        |board| usize::from(board.apply(event(3, EventKind::Login))),
        |board| {
            board.set_doctors(vec![named(7, "Zoe")]);
            1
        },
    ];
    let mut before = first;
    for change in changes {
        let connections = change(&mut board);
        let snapshot = board.snapshot(connections).unwrap();
        assert_eq!(Some(&snapshot), to_json(&board.state(connections)).as_ref());
        assert_ne!(snapshot, before);
        before = snapshot;
    }
}

#[test]
fn a_sequence_that_jumps_goes_on_from_there() {
    let mut board = Board::new(Seq::new(1_000_002), roster(), vec![event(2, EventKind::Login)]);
    assert!(!board.apply(event(3, EventKind::Login)));
    assert!(board.apply(event(1_000_003, EventKind::Login)));
}

fn live_since(board: &Board) -> Vec<(UserId, Timestamp)> {
    let WatcherMessage::Snapshot { live_since, .. } = board.state(0) else { panic!() };
    live_since
}

#[test]
fn a_snapshot_says_since_when_a_doctor_is_on_duty_or_not() {
    let at = |seconds| event(1, EventKind::Login).at + TimeDelta::seconds(seconds);
    let later = |seq: u64, kind| Event { at: at(seq as i64), ..event(seq, kind) };
    let mut board = Board::new(Seq::default(), roster(), vec![]);
    assert_eq!(live_since(&board), [], "never on duty");
    board.apply(later(1, EventKind::Availability));
    assert_eq!(live_since(&board), []);
    board.apply(later(2, EventKind::Login));
    board.apply(later(3, EventKind::Availability));
    assert_eq!(live_since(&board), [(ann().id, at(2))], "being busy is no change of duty");
    board.apply(later(4, EventKind::Logout));
    assert_eq!(live_since(&board), [(ann().id, at(4))]);

    let loaded = Board::new(Seq::new(4), vec![RosterEntry { doctor: ann(), live_since: Some(at(4)) }], vec![]);
    assert_eq!(live_since(&loaded), live_since(&board), "however the room learned of it");
}
