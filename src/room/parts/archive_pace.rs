//! When a room may ask D1: at most once a second, and less often while D1 does not answer.

use std::cell::Cell;

use chrono::TimeDelta;
use rollcall_core::Timestamp;

use super::alarm::FLIGHT_AFTER;
use crate::{
    platform::{clock, random},
    telemetry::error::Error,
};

/// The longest pause between two tries.
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(60);

/// How often a room with nothing to copy asks for D1's epoch and revision when its alarm rings.
const ASK_EVERY: TimeDelta = TimeDelta::seconds(30);

/// When D1 was asked, and when it may be asked again.
#[derive(Default)]
pub struct ArchivePace {
    in_flight: Cell<bool>,
    /// When D1 last answered.
    answered_at: Cell<Option<Timestamp>>,
    /// Before this D1 is not asked.
    not_before: Cell<Option<Timestamp>>,
    /// Tries in a row that failed.
    failures: Cell<u32>,
}

impl ArchivePace {
    /// Whether D1 may be asked now.
    pub fn may_ask(&self, now: Timestamp) -> bool {
        !self.in_flight.get() && self.not_before.get().is_none_or(|at| at <= now)
    }

    /// Whether D1 is to be asked though there is nothing to copy: once after waking, and now and then while the room
    /// `has_sockets`, whose alarm rings anyway.
    pub fn asking_is_due(&self, now: Timestamp, has_sockets: bool) -> bool {
        self.answered_at.get().is_none_or(|at| has_sockets && now - at >= ASK_EVERY)
    }

    /// D1 is known to be away: what needs it fails at once.
    pub fn d1_is_away(&self) -> bool {
        self.failures.get() > 1
    }

    /// When D1 may be asked again; `None` if it may be now.
    pub fn not_before(&self) -> Option<Timestamp> {
        self.not_before.get()
    }

    /// A flight starts, or has ended.
    pub fn set_in_flight(&self, in_flight: bool) {
        self.in_flight.set(in_flight);
    }

    /// D1 has answered.
    pub fn succeeded(&self) {
        self.failures.set(0);
        self.answered_at.set(Some(clock::now()));
        self.not_before.set(Some(clock::now() + FLIGHT_AFTER));
    }

    /// A try has failed: the next one waits, twice as long each time, with jitter, so that rooms do not come at once. If D1
    /// has refused a row, which it does with an answer, somebody has to look.
    pub fn failed(&self, error: &Error) {
        let is_refused = error.to_string().contains("constraint failed");
        let failures = if is_refused { 0 } else { self.failures.get().saturating_add(1) };
        self.failures.set(failures);
        let doubled = if is_refused { LONGEST_PAUSE } else { TimeDelta::seconds(1) * (1 << failures.min(6)) };
        let pause = doubled.min(LONGEST_PAUSE);
        let jitter = random::bytes::<1>().map_or(0, |[byte]| i32::from(byte));
        self.not_before.set(Some(clock::now() + pause / 2 + pause / 2 * jitter / 255));
    }
}
