//! The room's one alarm. It serves every deadline: events that may not have been announced, doctors who did not come
//! back, sockets that went silent, fell behind, or outlived their session.
//!
//! **Invariant:** whenever something falls due without anybody calling, the alarm is set for that time or earlier.
//! What cannot be done when it rings is tried again, for as long as it takes.

use chrono::TimeDelta;
use rollcall_core::{
    Id, Rejection, Timestamp,
    event::{Change, Reason},
    metrics::Count,
    socket::Attachment,
    sweep,
};
use worker::Result;

use super::{Memory, Room, sockets};
use crate::{
    clock,
    db::events::{self, Record},
    error, faults, log, metrics,
};

/// When to look whether a change that was sent to the database has been announced.
const LOOK_AFTER: TimeDelta = TimeDelta::seconds(3);

/// How long to wait for a database that did not answer.
const RETRY: TimeDelta = TimeDelta::seconds(2);

/// A change that the database did not answer may still be made for this long; D1 ends every query by then.
const IN_DOUBT: TimeDelta = TimeDelta::seconds(30);

impl Room {
    /// Before a change is sent to the database.
    pub(super) async fn announce_in_time(&self) -> Result<()> {
        self.set_alarm_by(clock::now() + LOOK_AFTER).await
    }

    /// After the database did not answer a change.
    pub(super) fn doubt(&self) {
        self.in_doubt_until.set(clock::now() + IN_DOUBT);
    }

    /// After anything that may have moved a deadline.
    pub(super) async fn look_again_in_time(&self) -> Result<()> {
        match self.presence_due()? {
            // What is overdue has had its chance; the next one is not at once.
            Some(due) => self.set_alarm_by(due.max(clock::now() + RETRY)).await,
            None => Ok(()),
        }
    }

    /// A socket was opened: somebody has to look whether it is still there.
    pub(super) async fn look_at_in_time(&self, socket: &Attachment) -> Result<()> {
        self.set_alarm_by(sweep::first_look(socket, clock::now())).await
    }

    /// The alarm rings. Fails only where it could not be set again; then the runtime calls once more.
    pub(super) async fn ring(&self) -> Result<()> {
        self.alarm.set(Some(None));
        self.tell_connections_now();
        let attended = self.attend().await;
        metrics::count(Count::Rang(attended.is_ok()));
        let due = match attended {
            Ok(next) => next.into_iter().chain(self.presence_due()?).chain(self.in_doubt()).min(),
            Err(error) => {
                // What is overdue waits too: a database that is down is not to be asked without a pause.
                log::error(format_args!("the alarm tries again: {error}"));
                Some(clock::now() + RETRY)
            }
        };
        if metrics::is_due() {
            self.state.wait_until(metrics::add(self.bindings.clone()));
        }
        match due {
            Some(due) => self.set_alarm_by(due).await,
            None => Ok(()),
        }
    }

    /// When to look again for a change that the database may still make.
    fn in_doubt(&self) -> Option<Timestamp> {
        let now = clock::now();
        (now < self.in_doubt_until.get()).then(|| now + RETRY)
    }

    /// Does what is due, and says when there is more to look at.
    async fn attend(&self) -> error::Result<Option<Timestamp>> {
        // First what needs no database: its troubles are no reason to keep a ghost.
        let swept = match self.memory.try_lock() {
            Ok(memory) => Some(self.sweep(memory.as_ref())?),
            Err(_) => {
                self.sweep(None)?;
                None
            }
        };
        faults::point("alarm", self).await?;
        let mut memory = self.lock().await?;
        let look_again = match swept {
            Some(look_again) => look_again,
            // Who is too slow only the board can say.
            None => self.sweep(memory.as_ref())?,
        };
        let relays_due = self.settle(&mut memory).await?;
        Ok(look_again.into_iter().chain(relays_due).min())
    }

    /// Brings announcements and doctors up to date, and says when to look again whether the relays have heard.
    async fn settle(&self, memory: &mut Option<Memory>) -> error::Result<Option<Timestamp>> {
        let latest = events::latest_of(&self.bindings.db()?, self.hospital_id()?).await?;
        let announced = self.checkpoint()?.map(|checkpoint| checkpoint.seq);
        if memory.is_none() && announced == Some(latest) && self.overdue()?.is_empty() {
            return Ok(None);
        }
        let memory = self.awake(memory).await?;
        if latest < memory.board.seq() {
            self.start_over(memory).await?;
        }
        self.catch_up(memory, latest).await?;
        for doctor_id in self.overdue()? {
            // Opening a socket waits for nobody: some may be back since the last one was recorded.
            if self.is_overdue(doctor_id)? && memory.board.is_live(doctor_id) {
                let (change, reason) = (Change::Logout, Some(Reason::ConnectionLost));
                let record = Record { doctor_id, change, reason, actor_id: None, by: None, departs: false };
                self.commit(memory, &[record]).await?;
            }
            // Nothing to record: not on duty, or not a doctor any more.
            if self.is_overdue(doctor_id)? {
                self.change_presence(doctor_id, |presence| presence.end(doctor_id))?;
            }
        }
        self.tell_relays(memory)?;
        // Otherwise it rings again soon: perhaps they have only not answered yet.
        if !self.relays_have_heard(memory.board.seq())? {
            return Ok(Some(clock::now() + RETRY));
        }
        self.move_checkpoint(memory)?;
        Ok(None)
    }

    fn is_overdue(&self, doctor_id: Id) -> Result<bool> {
        Ok(self.overdue()?.contains(&doctor_id))
    }

    /// Looks at every open socket, closes those that must go, and says when to look again.
    fn sweep(&self, memory: Option<&Memory>) -> Result<Option<Timestamp>> {
        let now = clock::now();
        let announced = self.announced(memory)?;
        let mut look_again = None;
        for socket in self.open_sockets() {
            let Some(mut attachment) = sockets::attachment(&socket) else {
                // Nobody knows what it is; if it is a client of ours, it comes back.
                self.close(&socket, &Rejection::Unavailable)?;
                continue;
            };
            let before = attachment.clone();
            match sweep::check(&mut attachment, self.pinged(&socket), &announced, now) {
                Ok(due) => {
                    look_again = Some(look_again.map_or(due, |earlier: Timestamp| earlier.min(due)));
                    if attachment != before {
                        sockets::store(&socket, &attachment)?;
                    }
                }
                Err(rejection) => self.close(&socket, &rejection)?,
            }
        }
        Ok(look_again)
    }

    /// Sets the alarm, unless it rings before that anyway.
    async fn set_alarm_by(&self, due: Timestamp) -> Result<()> {
        let storage = self.state.storage();
        if self.alarm.get().is_none() {
            let found = storage.get_alarm().await?.map(clock::from_millis);
            // Somebody else may have found out, and set it, in the meantime.
            self.alarm.set(Some(self.alarm.get().unwrap_or(found)));
        }
        if self.alarm.get().flatten().is_none_or(|set| due < set) {
            self.alarm.set(Some(Some(due)));
            let set = storage.set_alarm(due).await;
            set.inspect_err(|_| self.alarm.set(None))?;
        }
        Ok(())
    }
}
