//! What outlives the room's memory: its doctors' presence, and up to where it has announced.
//!
//! **Invariant:** a change is stored in the same step in which it is made; nothing waits in between.

use std::cell::RefMut;

use chrono::TimeDelta;
use rollcall_core::{Id, Timestamp, board::Board, presence::Presence, sweep::Announced};
use worker::Result;

use super::{Memory, Room};
use crate::{
    clock,
    db::ledger::{Checkpoint, Ledger},
};

/// Who was let through with a session arrives here within this time: no request takes longer than ten seconds.
const LET_THROUGH: TimeDelta = TimeDelta::minutes(1);

/// The ledger, and what it holds.
pub(super) struct Durable {
    ledger: Ledger,
    presence: Presence,
    checkpoint: Option<Checkpoint>,
    /// All that was ever announced, in bytes on the wire; the checkpoint follows.
    announced_bytes: i64,
}

impl Room {
    /// Makes a change to a doctor's presence, one that says whether it changed anything, and stores it.
    pub(super) fn change_presence(&self, doctor_id: Id, change: impl FnOnce(&mut Presence) -> bool) -> Result<()> {
        let mut durable = self.durable()?;
        if change(&mut durable.presence) {
            durable.ledger.store_stay(doctor_id, durable.presence.stay(doctor_id))?;
        }
        Ok(())
    }

    /// A doctor's sockets are not what they were: is there still one open?
    pub(super) fn see(&self, doctor_id: Id) -> Result<()> {
        let connected = self.is_connected(doctor_id);
        self.change_presence(doctor_id, |presence| presence.seen(doctor_id, connected, clock::now()))
    }

    /// The doctors who have been gone for longer than the grace.
    pub(super) fn overdue(&self) -> Result<Vec<Id>> {
        Ok(self.durable()?.presence.overdue(clock::now()))
    }

    /// When presence has to be looked at again.
    pub(super) fn presence_due(&self) -> Result<Option<Timestamp>> {
        Ok(self.durable()?.presence.look_again(clock::now()))
    }

    /// Up to where events have certainly been announced.
    pub(super) fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        Ok(self.durable()?.checkpoint)
    }

    /// Moves the checkpoint to what has been announced by now.
    pub(super) fn move_checkpoint(&self, memory: &Memory) -> Result<()> {
        let mut durable = self.durable()?;
        let seq = memory.board.seq();
        if durable.checkpoint.is_none_or(|checkpoint| checkpoint.seq != seq) {
            let checkpoint = Checkpoint { seq, at: clock::now(), bytes: durable.announced_bytes };
            durable.ledger.store_checkpoint(checkpoint)?;
            durable.checkpoint = Some(checkpoint);
        }
        Ok(())
    }

    /// Whether a session has ended that was good when the Worker looked it up.
    pub(super) fn has_ended(&self, session_id: Id) -> Result<bool> {
        self.durable()?.ledger.has_ended(session_id)
    }

    /// Notes that sessions have ended.
    pub(super) fn note_ended(&self, session_ids: &[Id]) -> Result<()> {
        let now = clock::now();
        self.durable()?.ledger.store_ended(session_ids, now, now - LET_THROUGH)
    }

    /// All that was ever announced, in bytes on the wire.
    pub(super) fn announced_bytes(&self) -> Result<i64> {
        Ok(self.durable()?.announced_bytes)
    }

    /// Counts what is announced.
    pub(super) fn count_announced(&self, bytes: usize) -> Result<()> {
        self.durable()?.announced_bytes += i64::try_from(bytes).unwrap_or_default();
        Ok(())
    }

    /// What has been announced. A room that has just woken up knows it from its checkpoint.
    pub(super) fn announced<'a>(&self, memory: Option<&'a Memory>) -> Result<Announced<'a>> {
        let checkpoint = self.checkpoint()?.unwrap_or_default();
        let board = memory.map(|memory| &memory.board);
        Ok(Announced {
            seq: board.map_or(checkpoint.seq, Board::seq),
            certain: board.is_some(),
            bytes: self.announced_bytes()?,
            at: Box::new(move |seq| board.and_then(|board| board.recorded_by(seq)).unwrap_or(checkpoint.at)),
        })
    }

    /// Read from storage at first use. The borrow must end before anything waits, and before the next one.
    fn durable(&self) -> Result<RefMut<'_, Durable>> {
        if self.durable.borrow().is_none() {
            let durable = self.read_durable()?;
            *self.durable.borrow_mut() = Some(durable);
        }
        RefMut::filter_map(self.durable.borrow_mut(), Option::as_mut)
            .map_err(|_| worker::Error::RustError("the ledger was not read".into()))
    }

    /// Sockets that were lost with the runtime are gone since now: nobody knows better.
    fn read_durable(&self) -> Result<Durable> {
        let ledger = Ledger::open(&self.state.storage())?;
        let mut presence = Presence::new(self.bindings.auto_logout_grace(), ledger.stays()?);
        let now = clock::now();
        for doctor_id in presence.doctors() {
            if presence.seen(doctor_id, self.is_connected(doctor_id), now) {
                ledger.store_stay(doctor_id, presence.stay(doctor_id))?;
            }
        }
        let checkpoint = ledger.checkpoint()?;
        let announced_bytes = checkpoint.map_or(0, |checkpoint| checkpoint.bytes);
        Ok(Durable { ledger, presence, checkpoint, announced_bytes })
    }
}
