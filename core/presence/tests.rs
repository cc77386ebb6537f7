//! Presence, by example and by property: a small hospital in memory, with the room's own order of steps.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{
    Seq,
    board::{Board, RosterEntry},
    event::{DutyChange, tests::ann},
    wire::Reason,
};

const GRACE: TimeDelta = TimeDelta::seconds(45);
const DOCTOR: UserId = UserId::new(7);
/// Three doctors, [`DOCTOR`] first.
const DOCTORS: [UserId; 3] = [DOCTOR, UserId::new(8), UserId::new(9)];

/// A hospital: its clock, its sockets, what it recorded and what it remembers.
struct Hospital {
    now: Timestamp,
    presence: Presence,
    board: Board,
    history: Vec<Event>,
    sockets: BTreeMap<u32, UserId>,
    next_socket: u32,
}

impl Hospital {
    fn new(grace: Option<TimeDelta>) -> Self {
        let doctors = DOCTORS.map(|id| RosterEntry { doctor: doctor(id, false), live_since: None }).into();
        Self {
            now: "2026-11-22T09:00:00Z".parse().unwrap(),
            presence: Presence::new(grace, []),
            board: Board::new(Seq::default(), doctors, vec![]),
            history: vec![],
            sockets: BTreeMap::new(),
            next_socket: 0,
        }
    }

    fn open(&mut self, doctor_id: UserId) -> u32 {
        self.next_socket += 1;
        self.sockets.insert(self.next_socket, doctor_id);
        self.presence.opened(doctor_id, self.now);
        self.next_socket
    }

    fn close(&mut self, socket: u32) {
        if let Some(doctor_id) = self.sockets.remove(&socket) {
            self.presence.set_connected(doctor_id, self.is_connected(doctor_id), self.now);
        }
    }

    /// Records a change and announces it, as the room does.
    fn record(&mut self, doctor_id: UserId, change: DutyChange, reason: Option<Reason>) {
        if self.is_live(doctor_id) == (change == DutyChange::GoOnDuty) {
            return;
        }
        let event = Event {
            seq: self.board.seq().next(),
            reason,
            doctor: doctor(doctor_id, change == DutyChange::GoOnDuty),
            ..event(change.kind(), self.now)
        };
        self.presence.apply(&event);
        self.history.push(event.clone());
        assert!(self.board.apply(event));
    }

    /// Time passes, and the alarm runs at each deadline on the way.
    fn wait(&mut self, seconds: i64) {
        let end = self.now + TimeDelta::seconds(seconds);
        while let Some(deadline) = self.presence.next_deadline(self.now).filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.on_alarm();
        }
        self.now = end;
    }

    fn on_alarm(&mut self) {
        for doctor_id in self.presence.overdue(self.now) {
            self.record(doctor_id, DutyChange::GoOffDuty, Some(Reason::ConnectionLost));
            self.presence.end(doctor_id);
        }
    }

    /// The runtime is killed: sockets and memory are gone, what was stored and recorded is not. The last `replayed`
    /// events had not been marked as announced, so they are applied again.
    fn crash(&mut self, replayed: usize) {
        self.sockets.clear();
        for event in self.history.iter().rev().take(replayed).rev() {
            self.presence.apply(event);
        }
        for doctor_id in self.presence.doctors() {
            self.presence.set_connected(doctor_id, self.is_connected(doctor_id), self.now);
        }
    }

    fn is_connected(&self, doctor_id: UserId) -> bool {
        self.sockets.values().any(|id| *id == doctor_id)
    }

    fn is_live(&self, doctor_id: UserId) -> bool {
        self.board.doctors().iter().any(|entry| entry.doctor.id == doctor_id && entry.doctor.is_live)
    }

    fn lost(&self) -> Vec<Seq> {
        self.history.iter().filter(|event| event.reason.is_some()).map(|event| event.seq).collect()
    }
}

fn doctor(id: UserId, is_live: bool) -> crate::wire::DoctorInfo {
    crate::wire::DoctorInfo { id, is_live, ..ann() }
}

fn event(kind: EventKind, at: Timestamp) -> Event {
    Event { at, ..crate::event::tests::event(1, kind) }
}

fn on_duty_with_a_socket() -> (Hospital, u32) {
    let mut hospital = Hospital::new(Some(GRACE));
    let socket = hospital.open(DOCTOR);
    hospital.record(DOCTOR, DutyChange::GoOnDuty, None);
    (hospital, socket)
}

#[test]
fn a_doctor_whose_last_socket_is_gone_is_logged_out_after_the_grace_and_once() {
    let (mut hospital, socket) = on_duty_with_a_socket();
    hospital.close(socket);
    hospital.wait(44);
    assert!(hospital.is_live(DOCTOR));
    hospital.wait(1);
    assert!(!hospital.is_live(DOCTOR));
    hospital.wait(1000);
    assert_eq!(hospital.lost(), [Seq::new(2)]);
}

#[test]
fn a_return_in_time_says_nothing() {
    let (mut hospital, socket) = on_duty_with_a_socket();
    hospital.close(socket);
    hospital.wait(44);
    hospital.open(DOCTOR);
    hospital.wait(1000);
    assert_eq!(hospital.history.len(), 1);
}

#[test]
fn several_tabs_and_devices_are_one_doctor() {
    let (mut hospital, first) = on_duty_with_a_socket();
    let second = hospital.open(DOCTOR);
    hospital.close(first);
    hospital.wait(1000);
    assert!(hospital.is_live(DOCTOR));
    hospital.close(second);
    hospital.wait(45);
    assert!(!hospital.is_live(DOCTOR));
}

#[test]
fn a_doctor_who_never_opened_a_socket_is_not_logged_out() {
    let mut hospital = Hospital::new(Some(GRACE));
    hospital.record(DOCTOR, DutyChange::GoOnDuty, None);
    hospital.wait(100_000);
    assert!(hospital.is_live(DOCTOR));

    let mut hospital = Hospital::new(Some(GRACE));
    let before_duty = hospital.open(DOCTOR);
    hospital.close(before_duty);
    hospital.wait(10);
    hospital.record(DOCTOR, DutyChange::GoOnDuty, None);
    hospital.wait(100_000);
    assert!(hospital.is_live(DOCTOR), "the socket was gone before the doctor came");
}

#[test]
fn a_socket_from_before_a_logout_does_not_matter_after_it() {
    let (mut hospital, old) = on_duty_with_a_socket();
    hospital.record(DOCTOR, DutyChange::GoOffDuty, None);
    hospital.record(DOCTOR, DutyChange::GoOnDuty, None);
    hospital.close(old);
    hospital.wait(100_000);
    assert!(hospital.is_live(DOCTOR));
}

#[test]
fn a_doctor_who_returns_while_the_logout_is_being_recorded_is_watched_again() {
    let (mut hospital, socket) = on_duty_with_a_socket();
    hospital.close(socket);
    let logout = event(EventKind::Logout, hospital.now + GRACE);
    hospital.now += GRACE + TimeDelta::milliseconds(1);
    let back = hospital.open(DOCTOR);
    hospital.presence.apply(&Event { doctor: doctor(DOCTOR, false), ..logout });
    hospital.close(back);
    assert!(hospital.presence.connectivity(DOCTOR).is_some_and(|doctor| doctor.disconnected_at.is_some()));
}

#[test]
fn without_a_grace_no_doctor_is_logged_out() {
    let mut hospital = Hospital::new(None);
    let socket = hospital.open(DOCTOR);
    hospital.record(DOCTOR, DutyChange::GoOnDuty, None);
    hospital.close(socket);
    assert_eq!(hospital.presence.next_deadline(hospital.now), None);
    hospital.wait(100_000);
    assert!(hospital.is_live(DOCTOR));
}

#[test]
fn after_a_crash_the_grace_begins_again_and_ends_in_one_logout() {
    let (mut hospital, _) = on_duty_with_a_socket();
    hospital.wait(30);
    hospital.crash(1);
    hospital.wait(44);
    assert!(hospital.is_live(DOCTOR));
    hospital.wait(1);
    assert_eq!(hospital.lost(), [Seq::new(2)]);
}

#[test]
fn a_clock_that_was_set_back_does_not_lengthen_the_grace() {
    let (mut hospital, socket) = on_duty_with_a_socket();
    hospital.close(socket);
    hospital.now -= TimeDelta::days(1);
    hospital.presence.set_connected(DOCTOR, false, hospital.now);
    hospital.wait(45);
    assert!(!hospital.is_live(DOCTOR));
}

#[derive(Clone, Debug)]
enum Step {
    Open(UserId),
    Close(u32),
    Login(UserId),
    Logout(UserId),
    Wait(i64),
    Crash(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let doctor = prop::sample::select(&DOCTORS[..]);
    prop_oneof![
        3 => doctor.clone().prop_map(Step::Open),
        3 => (1u32..12).prop_map(Step::Close),
        2 => doctor.clone().prop_map(Step::Login),
        1 => doctor.prop_map(Step::Logout),
        3 => (1i64..60).prop_map(Step::Wait),
        1 => (0usize..4).prop_map(Step::Crash),
    ]
}

proptest! {
    /// Compares with a model in other words: per doctor, whether the doctor has had a socket while on duty, and since
    /// when there is none.
    #[test]
    fn in_any_order_state_equals_history_and_only_a_disconnected_doctor_is_logged_out(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut hospital = Hospital::new(Some(GRACE));
        let mut counted = BTreeSet::new();
        let mut disconnected_since: BTreeMap<UserId, Timestamp> = BTreeMap::new();
        for step in steps {
            let live_before: BTreeSet<UserId> = DOCTORS.into_iter().filter(|id| hospital.is_live(*id)).collect();
            let before = hospital.history.len();
            match step {
                Step::Open(id) => {
                    hospital.open(id);
                    counted.insert(id);
                }
                Step::Close(socket) => hospital.close(socket),
                Step::Login(id) => {
                    hospital.record(id, DutyChange::GoOnDuty, None);
                    if !live_before.contains(&id) && !hospital.is_connected(id) {
                        counted.remove(&id);
                    }
                }
                Step::Logout(id) => {
                    hospital.record(id, DutyChange::GoOffDuty, None);
                    if live_before.contains(&id) {
                        counted.remove(&id);
                    }
                }
                Step::Wait(seconds) => hospital.wait(seconds),
                Step::Crash(replayed) => hospital.crash(replayed),
            }
            // No two things happen in the same instant.
            hospital.now += TimeDelta::milliseconds(1);
            let lost = hospital.history[before..].iter().filter(|event| event.reason.is_some());
            for event in lost.map(|event| event.doctor.id) {
                prop_assert!(counted.remove(&event), "logged out without ever having had a socket");
                prop_assert!(!hospital.is_connected(event), "logged out while connected");
                prop_assert!(hospital.now - disconnected_since[&event] >= GRACE, "logged out too early");
            }
            for id in DOCTORS {
                if hospital.is_connected(id) {
                    disconnected_since.remove(&id);
                } else {
                    disconnected_since.entry(id).or_insert(hospital.now);
                }
                let overdue = disconnected_since.get(&id).is_some_and(|at| hospital.now - *at > GRACE);
                prop_assert!(
                    !(overdue && counted.contains(&id) && hospital.is_live(id)),
                    "still on duty after the grace"
                );
                let replayed = hospital.history.iter().rev().find(|event| event.doctor.id == id);
                prop_assert_eq!(hospital.is_live(id), replayed.is_some_and(|event| event.doctor.is_live));
            }
        }
    }
}
