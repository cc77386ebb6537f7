//! Recording a change of a doctor's state, and announcing it.
//!
//! **Invariant:** the event and the state are written in one transaction, only if the event changes something; the sends
//! follow in the same turn. What a lost turn left unsent is found by `announced_seq` when the room wakes.

use rollcall_core::{
    UserId,
    auth::Principal,
    event::{DutyChange, Event},
    metrics::Count,
    user::UserRecord,
    wire::{Reason, StateAnswer, Success},
};

use super::{parts::alarm::FLIGHT_AFTER, state::LiveRoom};
use crate::{
    platform::{clock, faults},
    telemetry::{error::Result, metrics},
};

/// A change to record.
pub(super) struct Change {
    /// The doctor, as they are before the change.
    pub doctor: UserRecord,
    /// What changes.
    pub change: DutyChange,
    /// Why, if it is not the doctor's own call.
    pub reason: Option<Reason>,
    /// Who makes the call, if anybody does.
    pub actor_id: Option<UserId>,
}

impl Change {
    /// A change that somebody asks for.
    pub(super) fn by(who: &Principal, doctor: UserRecord, change: DutyChange) -> Self {
        Self { doctor, change, reason: who.reason(), actor_id: Some(who.user_id) }
    }
}

impl LiveRoom {
    /// Records a change and announces it, and says what became of it.
    pub(super) fn change_duty(&self, change: &Change) -> Result<StateAnswer> {
        let status = Success::Success;
        let Some(event) = self.event_of(change) else {
            metrics::count(Count::Unchanged);
            let doctor = change.doctor.doctor_info(&self.row().name);
            return Ok(StateAnswer { status, changed: false, seq: self.latest(), doctor });
        };
        self.transaction(|| {
            faults::point_in_turn("statement2", self.hospital_id())?;
            self.storage.insert_event(&event)?;
            faults::point_in_turn("statement3", self.hospital_id())?;
            self.storage.set_state(&event)?;
            faults::point_in_turn("statement4", self.hospital_id())?;
            self.alarm.arm(event.at + FLIGHT_AFTER)?;
            Ok(())
        })?;
        // A turn that fails from here on heals: what is recorded but not sent is read again, by the alarm at the latest.
        self.after_commit(&event).inspect_err(|_| self.is_ready.set(false))?;
        Ok(StateAnswer { status, changed: true, seq: event.seq, doctor: event.doctor })
    }

    fn after_commit(&self, event: &Event) -> Result<()> {
        faults::point_in_turn("committed", self.hospital_id())?;
        metrics::count(Count::Recorded(event));
        self.announce(event)?;
        Ok(faults::point_in_turn("sent", self.hospital_id())?)
    }

    /// The event that a change is; `None` if it changes nothing.
    fn event_of(&self, change: &Change) -> Option<Event> {
        let before = &change.doctor;
        let mut doctor = before.doctor_info(&self.row().name);
        match change.change {
            DutyChange::GoOnDuty => doctor.is_live = true,
            DutyChange::GoOffDuty => doctor.is_live = false,
            DutyChange::SetAvailability(available) => doctor.is_available_for_consultation = available,
        }
        let unchanged = doctor.is_live == before.is_live
            && doctor.is_available_for_consultation == before.is_available_for_consultation;
        let at = clock::now();
        (!unchanged).then(|| Event {
            seq: self.latest().next(),
            at,
            utc_offset: self.utc_offset(at),
            kind: change.change.kind(),
            reason: change.reason,
            actor_id: change.actor_id,
            doctor,
        })
    }

    /// Sends a recorded event to everybody who receives it, and applies it to what the room remembers.
    pub(super) fn announce(&self, event: &Event) -> Result<()> {
        self.board().apply(event.clone());
        let bytes = self.sockets.broadcast(event.doctor.id, &event.message());
        self.count_announced(bytes);
        self.presence.apply(&self.storage, event)?;
        Ok(())
    }

    /// Takes doctors off duty who have been disconnected for longer than the grace.
    pub(super) fn log_out_disconnected(&self) -> Result<()> {
        for doctor_id in self.presence.overdue(clock::now()) {
            if self.sockets.is_connected(doctor_id) {
                self.presence.set_connected(&self.storage, doctor_id, true)?;
                continue;
            }
            if let Some(doctor) = self.storage.user(doctor_id)?.filter(UserRecord::is_active_doctor) {
                let (change, reason) = (DutyChange::GoOffDuty, Some(Reason::ConnectionLost));
                self.change_duty(&Change { doctor, change, reason, actor_id: None })?;
            }
            // Nothing to record: not on duty, or not a doctor any more.
            self.presence.end(&self.storage, doctor_id)?;
        }
        Ok(())
    }
}
