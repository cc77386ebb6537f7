//! What this isolate has counted, until it is added to the rest in the database.
//!
//! **Invariant:** counting never waits and never fails. What an isolate counted last is lost with it, and nothing else.

use std::cell::{Cell, RefCell};

use chrono::TimeDelta;
use rollcall_core::{
    Id, Timestamp,
    metrics::{Count, Tally},
};

use crate::{clock, db::counters, env::Bindings, log};

/// No more often than this an isolate adds what it counted: each time is a row for each hospital.
const EVERY: TimeDelta = TimeDelta::minutes(5);

thread_local! {
    /// By hospital; 0 is none. Never borrowed while anything waits.
    static COUNTED: RefCell<Vec<(Id, Tally)>> = const { RefCell::new(Vec::new()) };
    static ADDED_AT: Cell<Timestamp> = const { Cell::new(Timestamp::MIN_UTC) };
}

/// Counts something of the hospital that this is about.
pub fn count(what: Count<'_>) {
    count_of(log::hospital_id(), what);
}

/// Counts something of a hospital, or of none.
pub fn count_of(hospital_id: Option<Id>, what: Count<'_>) {
    of(hospital_id.unwrap_or_default(), |tally| tally.count(what));
}

fn of(hospital_id: Id, change: impl FnOnce(&mut Tally)) {
    COUNTED.with_borrow_mut(|counted| match counted.iter_mut().find(|(id, _)| *id == hospital_id) {
        Some((_, tally)) => change(tally),
        None => {
            let mut tally = Tally::default();
            change(&mut tally);
            counted.push((hospital_id, tally));
        }
    });
}

/// Whether there is something to add, and it is time.
pub fn is_due() -> bool {
    let now = clock::now();
    // A clock may be set back.
    let since = (now - ADDED_AT.get()).abs();
    since >= EVERY && COUNTED.with_borrow(|counted| !counted.is_empty())
}

/// Adds what was counted to the rest.
pub async fn add(bindings: Bindings) {
    ADDED_AT.set(clock::now());
    let counted = COUNTED.take();
    let samples = counted.iter().map(|(hospital_id, tally)| (*hospital_id, tally.samples())).collect::<Vec<_>>();
    let added = match bindings.db() {
        Ok(db) => counters::add(&db, &samples).await,
        Err(error) => Err(error),
    };
    if let Err(error) = added {
        // Perhaps it was done: better counted twice than not, where the database is in trouble.
        counted.iter().for_each(|(hospital_id, tally)| of(*hospital_id, |now| now.absorb(tally)));
        log::error(format_args!("what was counted waits: {error}"));
    }
}
