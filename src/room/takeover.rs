//! Waking up: with what the storage has, or, if it has nothing, with what D1 has.
//!
//! **Invariant:** a room writes nothing, not even its schema, before D1 has confirmed its hospital.

use chrono::TimeDelta;
use rollcall_core::{ApiError, Seq, board::Board, error::TokenFault, room::BACKLOG};

use super::{state::LiveRoom, storage::hospital::RoomRow};
use crate::{
    d1::hospitals::{self, HospitalRecord, Takeover},
    platform::{clock, random},
    telemetry::error::{Error, Result},
};

/// After D1 has not answered, callers are sent away for so long without asking it.
const PAUSE: TimeDelta = TimeDelta::seconds(1);

/// How many events a snapshot shows.
const RECENT: usize = 10;

impl LiveRoom {
    /// Waits until the room has read what it knows.
    ///
    /// # Errors
    /// [`ApiError::InvalidToken`] if D1 says that there is no such hospital; otherwise that D1 does not answer, which a
    /// room that has nothing needs.
    pub async fn ready(&self) -> Result<()> {
        if self.is_ready.get() {
            return Ok(());
        }
        let _filling = self.filling.lock().await;
        if self.is_ready.get() {
            return Ok(());
        }
        if self.failed_at.get().is_some_and(|at| clock::now() - at < PAUSE) {
            return Err(ApiError::Unavailable.into());
        }
        let filled = self.read_all().await;
        self.failed_at.set(matches!(filled, Err(Error::Platform(_))).then(clock::now));
        self.is_ready.set(filled.is_ok());
        filled
    }

    async fn read_all(&self) -> Result<()> {
        if !self.storage.is_initialized()? {
            self.take_over().await?;
        }
        self.storage.transaction(|| Ok(self.storage.migrate()?))?;
        let row = self.storage.room()?;
        if row.hospital_id != self.hospital_id() {
            return Err(worker::Error::RustError("this is the room of another hospital".into()).into());
        }
        let latest = self.storage.latest_seq()?.unwrap_or_default().max(row.first_seq);
        let unsent = row.announced_seq;
        let roster = self.storage.users()?.into_iter().filter(|user| user.is_active_doctor());
        let roster = roster.map(|user| user.roster_entry(&row.name)).collect();
        let forgotten_to = self.storage.forgotten_to(self.kept_since())?;
        let recent = self.storage.last_events(RECENT)?.into_iter().filter(|event| event.seq > forgotten_to).collect();
        self.fill(row, Board::new(latest, roster, recent));
        let is_connected = |doctor_id| self.sockets.is_connected(doctor_id);
        self.presence.fill(&self.storage, self.bindings().auto_logout_grace(), is_connected)?;
        self.heal(unsent)
    }

    /// Sends what was recorded but perhaps not sent before the room lost its memory. Clients ignore what they have.
    fn heal(&self, mut announced: Seq) -> Result<()> {
        while announced < self.latest() {
            let page = self.storage.events_after(announced, BACKLOG)?;
            let Some(last) = page.last() else { break };
            announced = last.seq;
            for event in &page {
                let bytes = self.sockets.broadcast(event.doctor.id, &event.message());
                self.count_announced(bytes);
                self.presence.apply(&self.storage, event)?;
            }
        }
        Ok(self.store_announced()?)
    }

    /// Takes the hospital over from D1.
    async fn take_over(&self) -> Result<()> {
        let epoch = hex::encode(random::bytes::<16>()?);
        let taken = hospitals::take_over(&self.bindings().db()?, self.hospital_id(), &epoch).await?;
        let Takeover { hospital, first_seq, archived_security, users, events, has_older } =
            taken.ok_or(ApiError::InvalidToken(TokenFault::NotValid))?;
        let HospitalRecord { name, time_zone, epoch, revision } = hospital;
        let row = RoomRow {
            hospital_id: self.hospital_id(),
            name,
            time_zone,
            epoch,
            revision,
            first_seq,
            announced_seq: first_seq,
            announced_bytes: 0,
            archived_seq: first_seq,
            archived_security,
            copied_from: events.first().filter(|_| has_older).map(|event| event.seq).unwrap_or_default(),
        };
        self.storage.transaction(|| {
            self.storage.migrate()?;
            self.storage.store_room(&row)?;
            self.storage.store_users(&users)?;
            self.storage.insert_events(&events)?;
            Ok(self.storage.take_over_presence()?)
        })?;
        self.archive.succeeded();
        Ok(())
    }
}
