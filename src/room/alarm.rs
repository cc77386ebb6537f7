//! The room's one alarm. It serves every deadline: what D1 lacks, doctors who did not come back, sockets that went
//! silent, fell behind, or outlived their session.
//!
//! **Invariant:** whatever falls due without a call has an alarm set for that time or earlier. What cannot be done then
//! is tried again, for as long as it takes.

use std::rc::Rc;

use chrono::TimeDelta;
use rollcall_core::{ApiError, Timestamp, metrics::Count};
use worker::Result;

use super::{parts::alarm::FLIGHT_AFTER, state::LiveRoom};
use crate::{
    platform::{clock, faults},
    telemetry::{
        error::{self, Error},
        log, metrics,
    },
};

/// How often what is old is forgotten, and what was counted is stored.
const FORGET_EVERY: TimeDelta = TimeDelta::minutes(5);

/// When what failed is tried again.
const RETRY: TimeDelta = TimeDelta::seconds(2);

impl LiveRoom {
    /// Does what is due, and sets the alarm for what is due next. Fails only if the alarm could not be set; then the
    /// runtime calls once more.
    pub(super) async fn on_alarm(self: Rc<Self>) -> Result<()> {
        self.alarm.rang();
        let done = Rc::clone(&self).run_due().await;
        metrics::count(Count::AlarmRan(done.is_ok()));
        let next = done.unwrap_or_else(|error| match error {
            // D1 does not have the hospital: there is nothing to do, nor anywhere to store when.
            Error::Api(ApiError::InvalidToken(_)) => None,
            error => {
                log::error(format_args!("the alarm tries again: {error}"));
                Some(clock::now() + RETRY)
            }
        });
        next.map_or(Ok(()), |next| self.alarm.arm(next))
    }

    /// Sets the alarm of a room that has just woken up for a request: what may be due is looked at soon.
    pub(super) fn alarm_after_waking(&self) -> Result<()> {
        if self.alarm.is_unknown() { self.alarm.arm(clock::now() + FLIGHT_AFTER) } else { Ok(()) }
    }

    /// Does what is due, and returns the next deadline.
    async fn run_due(self: Rc<Self>) -> error::Result<Option<Timestamp>> {
        self.ready().await?;
        // First what must not wait for a fault: its troubles are no reason to keep a ghost.
        self.connections.send_after_waking(&self.sockets);
        let sockets_due = self.check_sockets()?;
        faults::point("alarm", self.hospital_id()).await?;
        self.log_out_disconnected()?;
        self.store_announced()?;
        let forget_due = self.forget_old()?;
        let d1_due = self.sync_with_d1()?;
        let deadlines = [sockets_due, self.presence.next_deadline(clock::now()), forget_due, d1_due];
        // What is overdue has had its chance; the next one is not at once.
        Ok(deadlines.into_iter().flatten().min().map(|next| next.max(clock::now() + TimeDelta::milliseconds(500))))
    }

    /// Stores what was counted.
    pub(super) fn store_counts(&self) -> Result<()> {
        match metrics::take_of_room(self.hospital_id()) {
            Some(tally) => self.storage.add_counts(&tally.samples(), clock::now()),
            None => Ok(()),
        }
    }

    /// Forgets what is old, one page at a time, and stores what was counted. Returns when there is more to forget.
    fn forget_old(&self) -> Result<Option<Timestamp>> {
        let now = clock::now();
        // Stored, because a room that sleeps in between would do it each time it wakes.
        let done_at = self.forgotten_at.get().map_or_else(|| self.storage.counts_stored_at(), |at| Ok(Some(at)))?;
        if done_at.is_some_and(|at| now - at < FORGET_EVERY) {
            self.forgotten_at.set(done_at);
            return Ok(None);
        }
        self.storage.add_counts(&metrics::take_of_room(self.hospital_id()).unwrap_or_default().samples(), now)?;
        self.forgotten_at.set(Some(now));
        let (archived, security) = (self.row().archived_seq, self.row().archived_security);
        self.storage.forget_sessions(now)?;
        self.storage.forget_security_events(security, now)?;
        let Some(kept_since) = self.kept_since() else { return Ok(None) };
        let more = self.storage.forget_events(kept_since, archived, 1000)?;
        if more {
            self.forgotten_at.set(Some(Timestamp::MIN_UTC));
        }
        Ok(more.then(|| now + FLIGHT_AFTER))
    }
}
