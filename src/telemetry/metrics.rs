//! What this isolate has counted and nobody has stored yet.
//!
//! **Invariant:** counting never waits and never fails. An isolate that ends loses what it counted last, and nothing else.

use std::{cell::RefCell, collections::BTreeMap};

use rollcall_core::{
    HospitalId,
    metrics::{Count, Tally},
};

use super::context;

/// Whose counts: of a hospital's room, or of the Worker, for a hospital or for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Counter {
    Room(HospitalId),
    Worker(Option<HospitalId>),
}

thread_local! {
    /// Never borrowed while anything waits.
    static COUNTED: RefCell<BTreeMap<Counter, Tally>> = const { RefCell::new(BTreeMap::new()) };
}

/// Counts something that the current request, alarm or frame has led to.
pub fn count(what: Count<'_>) {
    let context = context::current();
    let counter = match context.hospital_id() {
        Some(hospital_id) if context.in_room() => Counter::Room(hospital_id),
        hospital_id => Counter::Worker(hospital_id),
    };
    COUNTED.with_borrow_mut(|counted| counted.entry(counter).or_default().count(what));
}

/// Takes what a hospital's room has counted here, for it to store.
pub fn take_of_room(hospital_id: HospitalId) -> Option<Tally> {
    COUNTED.with_borrow_mut(|counted| counted.remove(&Counter::Room(hospital_id)))
}

/// Takes what the Worker has counted here, for it to store. No hospital: of none.
pub fn take_of_worker() -> Vec<(Option<HospitalId>, Tally)> {
    // `Worker` sorts behind `Room`.
    let counted = COUNTED.with_borrow_mut(|counted| counted.split_off(&Counter::Worker(None)));
    let of_worker = counted.into_iter().filter_map(|(counter, tally)| match counter {
        Counter::Worker(hospital_id) => Some((hospital_id, tally)),
        Counter::Room(_) => None,
    });
    of_worker.collect()
}

/// Puts back what could not be stored.
pub fn put_back(hospital_id: Option<HospitalId>, tally: &Tally) {
    COUNTED.with_borrow_mut(|counted| counted.entry(Counter::Worker(hospital_id)).or_default().absorb(tally));
}

/// Whether the Worker has counted anything here.
pub fn has_worker_counts() -> bool {
    COUNTED.with_borrow(|counted| counted.range(Counter::Worker(None)..).next().is_some())
}
