//! Recording a change, and announcing it.

use std::pin::pin;

use futures_util::future::{Either, select};
use rollcall_core::{
    Id, Rejection, Seq, Timestamp,
    auth::Principal,
    board::BACKLOG,
    call::Call,
    event::{Change, Event},
    metrics::Count,
    rejection::TokenFault,
    wire::{StateAnswer, Success},
};
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::{Memory, PATIENCE, Room, relays::tell_all};
use crate::{
    clock,
    db::events::{self, Found, Record},
    error::Result,
    faults, log, metrics,
};

/// How many events a room reads when it wakes: what a snapshot shows.
const WAKING_DEPTH: usize = 10;

/// No more changes than this go to the database at once.
const TURN: usize = 16;

/// A change that waits for its turn.
pub(super) struct Waiting {
    record: Record,
    asked_at: Timestamp,
    /// Dropped by a caller who has given up.
    answer: oneshot::Sender<Result<StateAnswer, Rejection>>,
}

impl Room {
    /// Records `change` of a doctor's state, announces it, and says what became of it.
    ///
    /// Whoever gets the room takes along everybody who waits for it: a burst costs few transactions.
    pub(super) async fn record(&self, by: Principal, doctor_id: Id, change: Change) -> Result<StateAnswer> {
        let (answer, mut answered) = oneshot::channel();
        let reason = by.reason();
        let record = Record { doctor_id, change, reason, actor_id: Some(by.user_id), by: Some(by), departs: false };
        self.waiting.borrow_mut().push_back(Waiting { record, asked_at: clock::now(), answer });
        let mut memory = match self.memory.try_lock() {
            Ok(memory) => memory,
            Err(_) => match clock::within(PATIENCE, select(&mut answered, pin!(self.memory.lock()))).await? {
                Either::Left((taken_along, _)) => return Ok(taken_along.map_err(|_| Rejection::Unavailable)??),
                Either::Right((memory, _)) => memory,
            },
        };
        loop {
            let taken = self.take_turn(&mut memory).await;
            match answered.try_recv() {
                // Also where others have no answer.
                Ok(answer) => return Ok(answer?),
                // Many came before.
                Err(TryRecvError::Empty) => taken?,
                Err(TryRecvError::Closed) => return Err(taken.err().unwrap_or(Rejection::Unavailable.into())),
            }
        }
    }

    /// Records the changes that wait.
    async fn take_turn(&self, memory: &mut Option<Memory>) -> Result<()> {
        let memory = self.awake(memory).await?;
        let (mut records, mut answers) = (Vec::new(), Vec::new());
        while records.len() < TURN
            && let Some(Waiting { record, asked_at, answer }) = self.next_waiting()
        {
            records.push(record);
            answers.push((answer, asked_at));
        }
        if records.is_empty() {
            return Ok(());
        }
        let (mut unchanged, mut waiting) = (Vec::new(), Vec::new());
        let recorded = self.commit(memory, &records).await?;
        for ((record, (answer, asked_at)), event) in records.into_iter().zip(answers).zip(recorded) {
            match event {
                Some(Event { seq, doctor, .. }) => {
                    metrics::count(Count::Announced(clock::now() - asked_at));
                    let _ = answer.send(Ok(StateAnswer { status: Success::Success, changed: true, seq, doctor }));
                }
                None => {
                    metrics::count(Count::Unchanged);
                    unchanged.push(record);
                    waiting.push(answer);
                }
            }
        }
        for (answer, found) in waiting.into_iter().zip(self.look(memory, &unchanged).await?) {
            let _ = answer.send(unchanged_answer(found));
        }
        Ok(())
    }

    fn next_waiting(&self) -> Option<Waiting> {
        let mut waiting = self.waiting.borrow_mut();
        // Who has given up may have asked for something else by now.
        std::iter::from_fn(|| waiting.pop_front()).find(|waiting| !waiting.answer.is_closed())
    }

    /// Shows the roster as it is now, after somebody was added or changed. Who is no doctor any more leaves duty first.
    pub(super) async fn show_anew(&self, by: &Principal, user_id: Id, leaves_duty: bool) -> Result<()> {
        let mut memory = self.lock().await?;
        let memory = self.awake(&mut memory).await?;
        if leaves_duty {
            let (reason, actor_id) = (by.reason(), Some(by.user_id));
            // The Worker has asked already, and made the change that this one follows from.
            let record =
                Record { doctor_id: user_id, change: Change::Logout, reason, actor_id, by: None, departs: true };
            self.commit(memory, &[record]).await?;
        }
        self.show(memory).await?;
        tell_all(&self.state, &self.bindings, self.relays()?, &Call::Show(self.connections()))?;
        Ok(())
    }

    /// Reads the roster again, and sends it to the dashboards that know snapshots.
    pub(super) async fn show(&self, memory: &mut Memory) -> Result<()> {
        let depth = memory.board.depth().max(WAKING_DEPTH);
        self.reread(memory, depth).await?;
        self.send_snapshot(&mut memory.board);
        Ok(())
    }

    /// Sends changes to the database, and announces what came of each: an event, unless it changed nothing.
    pub(super) async fn commit(&self, memory: &mut Memory, records: &[Record]) -> Result<Vec<Option<Event>>> {
        self.announce_in_time().await?;
        let (db, hospital_id, at) = (self.bindings.db()?, self.hospital_id()?, clock::now());
        let when = (at, self.offset.of(&memory.time_zone, at));
        let recorded = events::record(&db, hospital_id, when, records).await.inspect_err(|_| self.doubt())?;
        faults::point("committed", self).await?;
        for event in recorded.iter().flatten() {
            metrics::count(Count::Recorded(event));
            self.catch_up(memory, event.seq - 1).await?;
            self.announce(memory, event.clone());
        }
        self.tell_relays(memory)?;
        Ok(recorded)
    }

    /// Asks the database about changes of which nothing was recorded.
    async fn look(&self, memory: &mut Memory, records: &[Record]) -> Result<Vec<Found>> {
        if records.is_empty() {
            return Ok(vec![]);
        }
        let found = events::found(&self.bindings.db()?, self.hospital_id()?, clock::now(), records).await?;
        // They may have been recorded before, and the answer was lost.
        if let Some(latest) = found.iter().map(|found| found.latest).max() {
            self.catch_up(memory, latest).await?;
            self.tell_relays(memory)?;
        }
        Ok(found)
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
        let mut memory = self.read(WAKING_DEPTH).await?;
        match self.checkpoint()? {
            // Who nobody watches has nothing to announce.
            Some(checkpoint) if checkpoint.seq < memory.board.seq() && !self.nobody_watches_this_relay()? => {
                self.each_between(checkpoint.seq, memory.board.seq(), |event| self.send_event(&event)).await?;
            }
            // The database was put back to an older state while the room slept.
            Some(checkpoint) if checkpoint.seq > memory.board.seq() => {
                self.move_checkpoint(&memory)?;
                self.send_snapshot(&mut memory.board);
            }
            // The first time; or there is nothing new.
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
        let read = self.read(depth).await?;
        self.catch_up(memory, read.board.seq()).await?;
        // A relay may read between two events of its room.
        if read.board.seq() >= memory.board.seq() {
            *memory = read;
        }
        Ok(())
    }

    async fn read(&self, depth: usize) -> Result<Memory> {
        let (time_zone, board) = events::board(&self.bindings.db()?, self.hospital_id()?, depth).await?;
        Ok(Memory { time_zone, board })
    }

    /// Announces what was committed behind this room's back: the database did it, but its answer was lost.
    pub(super) async fn catch_up(&self, memory: &mut Memory, latest: Seq) -> Result<()> {
        let (since, mut beyond) = (memory.board.seq(), Vec::new());
        self.each_between(since, latest, |event| {
            if !self.announce(memory, event.clone()) {
                beyond.push(event);
            }
        })
        .await?;
        if !beyond.is_empty() {
            // What was between is gone: the database was put back to an older state. Who takes a snapshot has these in it.
            self.start_over(memory).await?;
            beyond.iter().for_each(|event| self.send_event(event));
        }
        Ok(())
    }

    /// The database was put back to an older state while the room was awake: shows what it has now.
    pub(super) async fn start_over(&self, memory: &mut Memory) -> Result<()> {
        *memory = self.read(WAKING_DEPTH).await?;
        self.send_snapshot(&mut memory.board);
        Ok(())
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

    /// Applies a recorded event to the board and sends it to who hears it. `false` where it is out of turn.
    pub(super) fn announce(&self, memory: &mut Memory, event: Event) -> bool {
        let in_turn = memory.board.apply(event.clone());
        if in_turn {
            self.send_event(&event);
        }
        in_turn
    }

    /// Sends a recorded event to who hears it, and lets it have its effect on presence.
    fn send_event(&self, event: &Event) {
        let bytes = self.send_to_all(event.doctor.id, &event.message());
        let noted = self
            .count_announced(bytes)
            .and_then(|()| self.change_presence(event.doctor.id, |presence| presence.apply(event)));
        if let Err(error) = noted {
            // It is recorded and sent; the ledger is read anew when the room wakes next.
            log::error(format_args!("an event's effect on presence was not stored: {error}"));
        }
    }
}

/// What a caller is told who changed nothing.
fn unchanged_answer(Found { allowed, doctor, latest: seq }: Found) -> Result<StateAnswer, Rejection> {
    if !allowed {
        return Err(Rejection::InvalidToken(TokenFault::NotValid));
    }
    let doctor = doctor.ok_or(Rejection::NotFound)?;
    Ok(StateAnswer { status: Success::Success, changed: false, seq, doctor })
}
