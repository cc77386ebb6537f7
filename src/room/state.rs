//! A room that is awake: its parts, each with its own state.

use std::{
    cell::{Cell, Ref, RefCell, RefMut},
    rc::Rc,
};

use chrono::{FixedOffset, TimeDelta};
use rollcall_core::{HospitalId, Seq, Timestamp, board::Board};
use tokio::sync::Mutex;
use worker::State;

use super::{
    parts::{
        alarm::Alarm, archive_pace::ArchivePace, connections::ConnectionCounter, presence::PresenceWatch,
        sockets::Sockets,
    },
    storage::{RoomStorage, hospital::RoomRow},
};
use crate::{
    platform::{
        clock::{self, UtcOffsetCache},
        env::Bindings,
    },
    telemetry::error::Result,
};

/// What a room knows while it is awake. It is filled by [`LiveRoom::ready`].
pub struct LiveRoom {
    hospital_id: HospitalId,
    bindings: Bindings,
    state: Rc<State>,
    pub(super) storage: RoomStorage,
    pub(super) sockets: Sockets,
    pub(super) alarm: Alarm,
    pub(super) archive: ArchivePace,
    pub(super) presence: PresenceWatch,
    pub(super) connections: ConnectionCounter,
    /// The room's row, as it is stored. Never borrowed while anything waits, like the board.
    row: RefCell<RoomRow>,
    board: RefCell<Board>,
    /// All that was ever sent to dashboards, in bytes on the wire.
    announced_bytes: Cell<i64>,
    utc_offset: UtcOffsetCache,
    /// Whether the above is filled; locked while it is being filled.
    pub(super) is_ready: Cell<bool>,
    pub(super) filling: Mutex<()>,
    /// Locked while what D1 has after it was put back is adopted.
    pub(super) adopting_epoch: Mutex<()>,
    /// Up to where events are too old to be shown, and when that was found out.
    forgotten_to: Cell<Option<(Timestamp, Seq)>>,
    /// When what is old was forgotten last; `None` if that was not read since the room woke up.
    pub(super) forgotten_at: Cell<Option<Timestamp>>,
    /// When the room could not be filled last.
    pub(super) failed_at: Cell<Option<Timestamp>>,
}

impl LiveRoom {
    /// A room that has just woken up. It reads nothing yet.
    pub fn new(state: State, bindings: Bindings, hospital_id: HospitalId) -> Rc<Self> {
        let state = Rc::new(state);
        Rc::new(Self {
            hospital_id,
            storage: RoomStorage::new(Rc::clone(&state)),
            sockets: Sockets::new(Rc::clone(&state)),
            alarm: Alarm::new(Rc::clone(&state)),
            archive: ArchivePace::default(),
            presence: PresenceWatch::default(),
            connections: ConnectionCounter::default(),
            row: RefCell::default(),
            board: RefCell::new(Board::new(Seq::default(), vec![], vec![])),
            announced_bytes: Cell::new(0),
            utc_offset: UtcOffsetCache::default(),
            is_ready: Cell::new(false),
            filling: Mutex::new(()),
            adopting_epoch: Mutex::new(()),
            forgotten_to: Cell::new(None),
            forgotten_at: Cell::new(None),
            failed_at: Cell::new(None),
            bindings,
            state,
        })
    }

    /// Whose room it is.
    pub fn hospital_id(&self) -> HospitalId {
        self.hospital_id
    }

    /// The bindings and variables.
    pub fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    /// The room's row.
    pub(super) fn row(&self) -> Ref<'_, RoomRow> {
        self.row.borrow()
    }

    /// The roster and the last events.
    pub(super) fn board(&self) -> RefMut<'_, Board> {
        self.board.borrow_mut()
    }

    /// The latest seq.
    pub(super) fn latest(&self) -> Seq {
        self.board.borrow().seq()
    }

    /// Replaces what was read from the storage.
    pub(super) fn fill(&self, row: RoomRow, board: Board) {
        self.announced_bytes.set(row.announced_bytes);
        *self.row.borrow_mut() = row;
        *self.board.borrow_mut() = board;
    }

    /// Changes the room's row, and stores it.
    pub(super) fn change_row(&self, change: impl FnOnce(&mut RoomRow)) -> worker::Result<()> {
        let mut row = self.row.borrow_mut();
        let mut changed = row.clone();
        change(&mut changed);
        self.storage.store_room(&changed)?;
        *row = changed;
        Ok(())
    }

    /// All that was ever sent to dashboards, in bytes on the wire.
    pub(super) fn announced_bytes(&self) -> i64 {
        self.announced_bytes.get()
    }

    /// Counts what was sent to dashboards.
    pub(super) fn count_announced(&self, bytes: usize) {
        self.announced_bytes.set(self.announced_bytes.get() + i64::try_from(bytes).unwrap_or_default());
    }

    /// Notes in the storage that everything up to the latest event was sent.
    pub(super) fn store_announced(&self) -> worker::Result<()> {
        let (seq, bytes) = (self.latest(), self.announced_bytes());
        let mut row = self.row.borrow_mut();
        if row.announced_seq != seq {
            self.storage.store_announced(seq, bytes)?;
            (row.announced_seq, row.announced_bytes) = (seq, bytes);
        }
        Ok(())
    }

    /// How far the hospital is from UTC at `at`.
    pub(super) fn utc_offset(&self, at: Timestamp) -> FixedOffset {
        self.utc_offset.of(&self.row.borrow().time_zone, at)
    }

    /// Up to where events are too old to be shown. It is found out again after a minute.
    pub(super) fn forgotten_to(&self) -> worker::Result<Seq> {
        let now = clock::now();
        if let Some((_, seq)) = self.forgotten_to.get().filter(|(at, _)| (now - *at).abs() < TimeDelta::minutes(1)) {
            return Ok(seq);
        }
        let seq = self.storage.forgotten_to(self.kept_since())?;
        self.forgotten_to.set(Some((now, seq)));
        Ok(seq)
    }

    /// Runs `work` as one transaction. If it is rolled back, so is an alarm that it set.
    pub(super) fn transaction<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.storage.transaction(work).inspect_err(|_| self.alarm.forget())
    }

    /// The oldest time that an event may have; `None` if events are kept for ever.
    pub(super) fn kept_since(&self) -> Option<Timestamp> {
        self.bindings.event_retention().map(|kept| clock::now() - kept)
    }

    /// Somebody has come or gone: the dashboards that ask for it are sent the number of people soon.
    pub(super) fn connections_changed(&self) {
        if let Some(work) = self.connections.changed(&self.sockets) {
            self.spawn(work);
        }
    }

    /// Goes on with `work` after the answer. The runtime keeps the room awake for it.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        self.state.wait_until(work);
    }
}
