//! Whether doctors on duty are still there: `core/presence.rs` decides, this stores.
//!
//! **Invariant:** a change is stored in the same step in which it is made.

use std::cell::{RefCell, RefMut};

use chrono::TimeDelta;
use rollcall_core::{Timestamp, UserId, event::Event, presence::Presence};
use worker::Result;

use crate::{platform::clock, room::storage::RoomStorage};

/// The doctors whose connections are watched.
#[derive(Default)]
pub struct PresenceWatch(RefCell<Option<Presence>>);

impl PresenceWatch {
    /// Reads who is watched. Sockets that were lost with the runtime are gone since now: nobody knows better.
    pub fn fill(
        &self,
        storage: &RoomStorage,
        grace: Option<TimeDelta>,
        is_connected: impl Fn(UserId) -> bool,
    ) -> Result<()> {
        let presence = Presence::new(grace, storage.connectivity()?);
        let doctors = presence.doctors();
        *self.0.borrow_mut() = Some(presence);
        doctors.into_iter().try_for_each(|doctor_id| self.set_connected(storage, doctor_id, is_connected(doctor_id)))
    }

    /// A doctor has opened a socket.
    pub fn opened(&self, storage: &RoomStorage, doctor_id: UserId) -> Result<()> {
        self.change(storage, doctor_id, |presence| presence.opened(doctor_id, clock::now()))
    }

    /// Whether a doctor has an open socket now.
    pub fn set_connected(&self, storage: &RoomStorage, doctor_id: UserId, connected: bool) -> Result<()> {
        self.change(storage, doctor_id, |presence| presence.set_connected(doctor_id, connected, clock::now()))
    }

    /// An event was recorded.
    pub fn apply(&self, storage: &RoomStorage, event: &Event) -> Result<()> {
        self.change(storage, event.doctor.id, |presence| presence.apply(event))
    }

    /// A doctor is not watched any more.
    pub fn end(&self, storage: &RoomStorage, doctor_id: UserId) -> Result<()> {
        self.change(storage, doctor_id, |presence| presence.end(doctor_id))
    }

    /// The doctors who have been disconnected for longer than the grace.
    pub fn overdue(&self, now: Timestamp) -> Vec<UserId> {
        self.get().map(|presence| presence.overdue(now)).unwrap_or_default()
    }

    /// When to look again.
    pub fn next_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        self.get().and_then(|presence| presence.next_deadline(now))
    }

    fn change(
        &self,
        storage: &RoomStorage,
        doctor_id: UserId,
        change: impl FnOnce(&mut Presence) -> bool,
    ) -> Result<()> {
        let Some(mut presence) = self.get() else { return Ok(()) };
        if change(&mut presence) {
            storage.store_connectivity(doctor_id, presence.connectivity(doctor_id))?;
        }
        Ok(())
    }

    fn get(&self) -> Option<RefMut<'_, Presence>> {
        RefMut::filter_map(self.0.borrow_mut(), Option::as_mut).ok()
    }
}
