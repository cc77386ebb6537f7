//! The object's alarm, with its time cached.

use std::{cell::Cell, rc::Rc};

use chrono::TimeDelta;
use rollcall_core::Timestamp;
use worker::{Result, State};

use crate::platform::{clock, js};

/// When D1 is told of a change, at the latest.
pub const FLIGHT_AFTER: TimeDelta = TimeDelta::seconds(1);

/// An alarm that is due within this time is not moved: that would wait for the platform's alarm service.
const SOON: TimeDelta = TimeDelta::seconds(2);

/// An alarm that has not rung for so long after its time has been lost.
const LOST: TimeDelta = TimeDelta::seconds(30);

/// The alarm, with its time cached.
pub struct Alarm {
    state: Rc<State>,
    /// When it is due. Outer `None`: not known since the room woke up.
    due: Cell<Option<Option<Timestamp>>>,
}

impl Alarm {
    pub fn new(state: Rc<State>) -> Self {
        Self { state, due: Cell::new(None) }
    }

    /// Sets the alarm for `at`, unless it is due by then or shortly after. If its time is not known, it is set early:
    /// nothing that it serves may wait longer.
    pub fn arm(&self, at: Timestamp) -> Result<()> {
        let now = clock::now();
        let (at, set) = match self.due.get() {
            Some(set) => (at, set.filter(|set| now < *set + LOST)),
            None => (at.min(now + FLIGHT_AFTER), None),
        };
        if set.is_some_and(|set| set <= at.max(now + SOON)) {
            return Ok(());
        }
        js::set_alarm(&self.state, at)?;
        self.due.set(Some(Some(at)));
        Ok(())
    }

    /// The alarm has rung: it is not set any more.
    pub fn rang(&self) {
        self.due.set(Some(None));
    }

    /// Whether its time is not known.
    pub fn is_unknown(&self) -> bool {
        self.due.get().is_none()
    }

    /// Forgets when it is due, after a transaction that set it was rolled back.
    pub fn forget(&self) {
        self.due.set(None);
    }
}
