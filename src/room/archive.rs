//! The archive: D1 gets a copy of what the room has recorded, off the path of calls.
//!
//! **Invariant:** at most one flight at a time and one a second, rows in order, none ignored. A flight is conditional on
//! the epoch that the room knows; while D1 does not answer, the next try waits longer each time.

use std::{rc::Rc, time::Duration};

use chrono::TimeDelta;
use rollcall_core::{Seq, Timestamp, event::Event};

use super::{parts::alarm::FLIGHT_AFTER, state::LiveRoom};
use crate::{
    d1::{
        archive::{self, Flight},
        hospitals::HospitalRecord,
    },
    platform::{clock, faults},
    telemetry::{
        context::{RequestContext, with_context},
        error::{Error, Result},
        log,
    },
};

/// No more events, and no more security events, are copied at once.
const ROWS: usize = 500;

/// No more JSON is sent at once, unless one event is longer.
const BYTES: usize = 500_000;

/// Older events are copied back in pages of this many.
const PAGE: u32 = 1000;

/// One round with D1 takes no longer; each answer is waited for four seconds.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A flight that has not landed by then was lost with the room's memory.
const LOST: TimeDelta = TimeDelta::seconds(35);

/// What a flight carries, and how far D1 has everything after it.
struct NextFlight {
    flight: Flight,
    archived: Seq,
    security: i64,
}

impl LiveRoom {
    /// Starts what has to be done with D1, if it may be asked now. Returns when to look again.
    pub(super) fn sync_with_d1(self: &Rc<Self>) -> Result<Option<Timestamp>> {
        let now = clock::now();
        let has_work = self.has_work_for_d1(now)?;
        if !has_work && !self.archive.asking_is_due(now, self.sockets.all().next().is_some()) {
            return Ok(self.work_for_d1_due()?);
        }
        if !self.archive.may_ask(now) {
            // A flight that lands sets the alarm itself.
            return Ok(Some(self.archive.not_before().unwrap_or(now).max(now + FLIGHT_AFTER)));
        }
        self.archive.set_in_flight(true);
        let room = Rc::clone(self);
        let context = RequestContext::of_room(self.hospital_id(), String::new());
        self.spawn(with_context(context, async move {
            let synced = clock::timeout(TIMEOUT, room.sync()).await.map_err(Error::from).and_then(|synced| synced);
            room.archive.set_in_flight(false);
            match synced {
                Ok(()) => room.archive.succeeded(),
                Err(error) => {
                    room.archive.failed(&error);
                    log::error(format_args!("the archive tries again: {error}"));
                }
            }
            let next = match room.has_work_for_d1(clock::now()) {
                Ok(true) => room.archive.not_before(),
                _ => room.work_for_d1_due().ok().flatten(),
            };
            if let Some(Err(error)) = next.map(|next| room.alarm.arm(next)) {
                log::error(format_args!("the alarm was not set: {error}"));
            }
        }));
        // A flight that is lost with the room's memory is repeated, if it carried anything.
        Ok(if has_work { Some(now + LOST) } else { self.work_for_d1_due()? })
    }

    fn has_work_for_d1(&self, now: Timestamp) -> worker::Result<bool> {
        let row = self.row();
        Ok(row.archived_seq < self.latest()
            || row.copied_from > Seq::default()
            || !self.storage.pending_users()?.is_empty()
            || !self.storage.ended_tokens(1)?.is_empty()
            || !self.storage.security_events_after(row.archived_security, now, 1)?.is_empty())
    }

    /// When a security event that may still be counted can be copied.
    fn work_for_d1_due(&self) -> worker::Result<Option<Timestamp>> {
        let first = self.storage.security_event_to_archive(self.row().archived_security)?;
        Ok(first.map(|at| at + crate::d1::security_events::COALESCE + TimeDelta::seconds(1)))
    }

    /// One round with D1: what was left open, what is new, what is old.
    async fn sync(&self) -> Result<()> {
        self.reconcile_pending().await?;
        let NextFlight { flight, archived, security } = self.next_flight()?;
        faults::point("flight", self.hospital_id()).await?;
        let epoch = self.row().epoch.clone();
        let copied = archive::copy(&self.bindings().db()?, self.hospital_id(), &epoch, &flight).await;
        faults::point("landed", self.hospital_id()).await?;
        let Some(hospital) = copied? else {
            return Err(worker::Error::RustError("D1 does not have the hospital any more".into()).into());
        };
        if hospital.epoch != epoch {
            return self.adopt_epoch().await;
        }
        if self.row().epoch != epoch {
            // A sign-in has found out that D1 was put back.
            return Ok(());
        }
        self.landed(&flight, archived, security)?;
        if self.is_behind(&hospital) {
            self.refresh_users().await?;
        }
        self.copy_older().await
    }

    /// What D1 lacks, as much as one flight carries.
    fn next_flight(&self) -> worker::Result<NextFlight> {
        let (from, security_from) = (self.row().archived_seq, self.row().archived_security);
        let mut events = self.storage.events_after(from, ROWS)?;
        let mut bytes = 0;
        let fits = events.iter().take_while(|event| {
            bytes += serde_json::to_string(event).map_or(0, |json| json.len());
            bytes <= BYTES
        });
        let fits = fits.count().max(1);
        events.truncate(fits);
        let archived = events.last().map_or(from, |event| event.seq);
        let security_events = self.storage.security_events_after(security_from, clock::now(), ROWS)?;
        let security = security_events.last().map_or(security_from, |event| event.number);
        let flight = Flight {
            states: self.storage.states_after(from, archived)?,
            events,
            security_events,
            ended_tokens: self.storage.ended_tokens(ROWS)?,
        };
        Ok(NextFlight { flight, archived, security })
    }

    /// D1 has what was copied.
    fn landed(&self, flight: &Flight, archived: Seq, security: i64) -> Result<()> {
        self.transaction(|| {
            for (digest, _) in &flight.ended_tokens {
                self.storage.forget_token(digest)?;
            }
            Ok(())
        })?;
        if (archived, security) != (self.row().archived_seq, self.row().archived_security) {
            self.change_row(|row| (row.archived_seq, row.archived_security) = (archived, security))?;
        }
        Ok(())
    }

    /// Whether the users or the hospital were changed in D1 from outside.
    fn is_behind(&self, hospital: &HospitalRecord) -> bool {
        let row = self.row();
        hospital.revision != row.revision || hospital.name != row.name || hospital.time_zone != row.time_zone
    }

    /// Copies one page of older events back, in a room that has begun with the last ones.
    async fn copy_older(&self) -> Result<()> {
        let before = self.row().copied_from;
        if before == Seq::default() {
            return Ok(());
        }
        let page =
            archive::between(&self.bindings().db()?, self.hospital_id(), (Seq::default(), before), true, PAGE).await?;
        // What is too old to be kept is not read any more.
        let is_old = |event: &Event| self.kept_since().is_some_and(|kept_since| event.at < kept_since);
        let is_last = page.len() < PAGE as usize || page.iter().all(is_old);
        let oldest = page.last().map(|event| event.seq);
        self.storage.insert_events(&page)?;
        let copied_from = oldest.filter(|_| !is_last).unwrap_or_default();
        self.change_row(|row| row.copied_from = copied_from)?;
        Ok(())
    }

    /// How long D1 has lacked its oldest missing event, in seconds; 0 if it lacks none.
    pub(super) fn archive_lag_seconds(&self) -> worker::Result<f64> {
        let next = self.storage.events_after(self.row().archived_seq, 1)?;
        let lag = next.first().map(|event| (clock::now() - event.at).num_milliseconds().max(0));
        Ok(lag.unwrap_or_default() as f64 / 1000.0)
    }
}
