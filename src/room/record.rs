//! Recording a change, and announcing it.

use rollcall_core::{
    Id, Rejection, Seq,
    auth::Principal,
    board::{BACKLOG, Board},
    event::{Change, Event},
    wire::{StateAnswer, Success},
};

use super::{Memory, Room};
use crate::{
    clock,
    db::events::{self, Record},
    error::Result,
};

/// How many events a room reads when it wakes: what a snapshot shows.
const WAKING_DEPTH: usize = 10;

impl Room {
    /// Records `change` of a doctor's state, announces it, and says what became of it.
    pub(super) async fn record(&self, by: &Principal, doctor_id: Id, change: Change) -> Result<StateAnswer> {
        let mut memory = self.memory.lock().await;
        let memory = self.awake(&mut memory).await?;
        let hospital_id = self.hospital_id()?;
        let at = clock::now();
        let record = Record {
            hospital_id,
            doctor_id,
            change,
            reason: by.reason(),
            actor_id: Some(by.user_id),
            at,
            utc_offset: clock::utc_offset(&memory.time_zone, at),
        };
        let recorded = events::record(&self.bindings.db()?, record).await?;
        let changed = recorded.event.is_some();
        if let Some(event) = recorded.event {
            self.announce(memory, event);
        }
        self.catch_up(memory, recorded.latest).await?;
        let doctor = recorded.doctor.ok_or(Rejection::NotFound)?;
        Ok(StateAnswer { status: Success::Success, changed, seq: recorded.latest, doctor })
    }

    /// The room's memory, read from the database if it has just woken up.
    pub(super) async fn awake<'a>(&self, memory: &'a mut Option<Memory>) -> Result<&'a mut Memory> {
        if memory.is_none() {
            let (time_zone, board) = self.read_board(WAKING_DEPTH).await?;
            *memory = Some(Memory { time_zone, board });
        }
        Ok(memory.as_mut().ok_or(Rejection::Unavailable)?)
    }

    /// Deepens the board to the whole backlog, announcing on the way what it had missed.
    pub(super) async fn deepen(&self, memory: &mut Memory) -> Result<()> {
        let (time_zone, board) = self.read_board(BACKLOG).await?;
        self.catch_up(memory, board.seq()).await?;
        *memory = Memory { time_zone, board };
        Ok(())
    }

    async fn read_board(&self, depth: usize) -> Result<(String, Board)> {
        Ok(events::board(&self.bindings.db()?, self.hospital_id()?, depth).await?)
    }

    /// Announces what was committed behind this room's back: the database did it, but its answer was lost.
    async fn catch_up(&self, memory: &mut Memory, latest: Seq) -> Result<()> {
        if memory.board.seq() < latest {
            for event in events::after(&self.bindings.db()?, self.hospital_id()?, memory.board.seq()).await? {
                self.announce(memory, event);
            }
        }
        Ok(())
    }

    /// Applies a recorded event to the board and sends it to every dashboard, unless it is out of turn.
    fn announce(&self, memory: &mut Memory, event: Event) {
        let message = event.message();
        if memory.board.apply(event) {
            self.send_to_watchers(&message);
        }
    }
}
