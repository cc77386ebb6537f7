//! Recording a change, and announcing it.

use rollcall_core::{
    Id, Rejection, Seq,
    auth::Principal,
    board::{BACKLOG, Board},
    event::{Change, Event, Reason},
    wire::{StateAnswer, Success},
};
use worker::console_error;

use super::{Memory, Room};
use crate::{
    clock,
    db::events::{self, Record, Recorded},
    error::Result,
    faults,
};

/// How many events a room reads when it wakes: what a snapshot shows.
const WAKING_DEPTH: usize = 10;

/// Why a change is made.
pub(super) struct Cause {
    /// Where it is not the doctor's own call.
    pub reason: Option<Reason>,
    /// Whose call it is, if anybody's.
    pub actor_id: Option<Id>,
    /// The doctor is deactivated, or no doctor any more.
    pub departs: bool,
}

impl Room {
    /// Records `change` of a doctor's state, announces it, and says what became of it.
    pub(super) async fn record(&self, by: &Principal, doctor_id: Id, change: Change) -> Result<StateAnswer> {
        let mut memory = self.lock().await?;
        let memory = self.awake(&mut memory).await?;
        let cause = Cause { reason: by.reason(), actor_id: Some(by.user_id), departs: false };
        let recorded = self.commit(memory, doctor_id, change, cause).await?;
        let doctor = recorded.doctor.ok_or(Rejection::NotFound)?;
        Ok(StateAnswer { status: Success::Success, changed: recorded.event.is_some(), seq: recorded.latest, doctor })
    }

    /// Shows the roster as it is now, after somebody was added or changed. Who is no doctor any more leaves duty first.
    pub(super) async fn show_anew(&self, by: &Principal, user_id: Id, leaves_duty: bool) -> Result<()> {
        let mut memory = self.lock().await?;
        let memory = self.awake(&mut memory).await?;
        if leaves_duty {
            let cause = Cause { reason: by.reason(), actor_id: Some(by.user_id), departs: true };
            self.commit(memory, user_id, Change::Logout, cause).await?;
        }
        let depth = memory.board.depth().max(WAKING_DEPTH);
        self.reread(memory, depth).await?;
        self.send_snapshot(&memory.board);
        Ok(())
    }

    /// Sends a change to the database, and announces what came of it.
    pub(super) async fn commit(
        &self,
        memory: &mut Memory,
        doctor_id: Id,
        change: Change,
        Cause { reason, actor_id, departs }: Cause,
    ) -> Result<Recorded> {
        self.announce_in_time().await?;
        let (hospital_id, at) = (self.hospital_id()?, clock::now());
        let utc_offset = clock::utc_offset(&memory.time_zone, at);
        let record = Record { hospital_id, doctor_id, change, reason, actor_id, departs, at, utc_offset };
        let recorded = events::record(&self.bindings.db()?, record).await.inspect_err(|_| self.doubt())?;
        faults::point("committed", self).await?;
        if let Some(event) = recorded.event.clone() {
            self.announce(memory, event);
        }
        self.catch_up(memory, recorded.latest).await?;
        Ok(recorded)
    }

    /// The room's memory, read from the database if it has just woken up.
    pub(super) async fn awake<'a>(&self, memory: &'a mut Option<Memory>) -> Result<&'a mut Memory> {
        match memory {
            Some(memory) => Ok(memory),
            None => Ok(memory.insert(self.wake().await?)),
        }
    }

    /// Reads the hospital, and announces what was committed but perhaps not announced before the memory was lost.
    async fn wake(&self) -> Result<Memory> {
        let (time_zone, board) = self.read_board(WAKING_DEPTH).await?;
        let memory = Memory { time_zone, board };
        match self.checkpoint()? {
            Some(checkpoint) if checkpoint.seq < memory.board.seq() => {
                self.each_between(checkpoint.seq, memory.board.seq(), |event| self.send_event(&event)).await?;
            }
            // The first time; or the database was restored from a copy.
            _ => self.move_checkpoint(&memory)?,
        }
        Ok(memory)
    }

    /// Deepens the board to the whole backlog.
    pub(super) async fn deepen(&self, memory: &mut Memory) -> Result<()> {
        self.reread(memory, BACKLOG).await
    }

    /// Reads the board again, announcing on the way what it had missed.
    async fn reread(&self, memory: &mut Memory, depth: usize) -> Result<()> {
        let (time_zone, board) = self.read_board(depth).await?;
        self.catch_up(memory, board.seq()).await?;
        *memory = Memory { time_zone, board };
        Ok(())
    }

    async fn read_board(&self, depth: usize) -> Result<(String, Board)> {
        Ok(events::board(&self.bindings.db()?, self.hospital_id()?, depth).await?)
    }

    /// Announces what was committed behind this room's back: the database did it, but its answer was lost.
    pub(super) async fn catch_up(&self, memory: &mut Memory, latest: Seq) -> Result<()> {
        self.each_between(memory.board.seq(), latest, |event| self.announce(memory, event)).await
    }

    /// Reads the events after `since` up to `latest`, page by page.
    async fn each_between(&self, mut since: Seq, latest: Seq, mut each: impl FnMut(Event)) -> Result<()> {
        while since < latest {
            let page = events::after(&self.bindings.db()?, self.hospital_id()?, since).await?;
            let Some(last) = page.last() else { break };
            since = last.seq;
            page.into_iter().for_each(&mut each);
        }
        Ok(())
    }

    /// Applies a recorded event to the board and sends it to who hears it, unless it is out of turn.
    fn announce(&self, memory: &mut Memory, event: Event) {
        if memory.board.apply(event.clone()) {
            self.send_event(&event);
        }
    }

    /// Sends a recorded event to who hears it, and lets it have its effect on presence.
    fn send_event(&self, event: &Event) {
        let bytes = self.send_to_all(event.doctor.id, &event.message());
        let noted = self
            .count_announced(bytes)
            .and_then(|()| self.change_presence(event.doctor.id, |presence| presence.apply(event)));
        if let Err(error) = noted {
            // It is recorded and sent; the ledger is read anew when the room wakes next.
            console_error!("an event's effect on presence was not stored: {error}");
        }
    }
}
