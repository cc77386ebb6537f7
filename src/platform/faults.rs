//! Faults on demand, for the tests: only in a build with the feature `faults`, which is never deployed.
//!
//! A test arms a fault over HTTP; it strikes once, at the next passing of its point. Points of a room: `room` (a request
//! has arrived), `statement1` to `statement4` (before that statement of a change, in its transaction), `committed` (after
//! the transaction, before the sends), `sent` (after the sends), `alarm`, `flight` (before the archive asks D1), `landed`
//! (D1 has answered the archive) and `user_written` (D1 has answered a user's change).

#[cfg(not(feature = "faults"))]
use rollcall_core::HospitalId;

/// Where a fault may strike and something is waited for anyway.
///
/// # Errors
/// The fault, if it is an `error`.
#[cfg(not(feature = "faults"))]
#[inline]
pub async fn point(_name: &str, _hospital_id: HospitalId) -> worker::Result<()> {
    Ok(())
}

/// Where a fault may strike and nothing may be waited for: a `panic` or an `error`.
///
/// # Errors
/// The fault, if it is an `error`.
#[cfg(not(feature = "faults"))]
#[inline]
pub fn point_in_turn(_name: &str, _hospital_id: HospitalId) -> worker::Result<()> {
    Ok(())
}

#[cfg(feature = "faults")]
pub use armed::*;

#[cfg(feature = "faults")]
mod armed {
    use std::{
        cell::{Cell, RefCell},
        collections::BTreeMap,
        time::Duration,
    };

    use chrono::TimeDelta;
    use rollcall_core::HospitalId;
    use serde::Serialize;
    use worker::{D1Result, Delay};

    thread_local! {
        static ARMED: RefCell<Option<Armed>> = const { RefCell::new(None) };
        static CLOCK: Cell<TimeDelta> = const { Cell::new(TimeDelta::zero()) };
        /// For each hospital's room; `None` for the Worker.
        static COUNTS: RefCell<BTreeMap<Option<HospitalId>, Counts>> = RefCell::default();
    }

    /// What has been done since the isolate began.
    #[derive(Clone, Copy, Default, Serialize)]
    pub struct Counts {
        /// Round trips to D1.
        queries: usize,
        /// Rows that D1 has written, those of indexes too.
        rows_written: usize,
        /// Events sent to dashboards, times dashboards.
        sends: usize,
    }

    /// Which hospital's room is struck, where, and by what.
    type Armed = (HospitalId, String, String);

    /// The fault that is armed for this point of this hospital's room, disarmed by that.
    fn strike(name: &str, hospital_id: HospitalId) -> Option<String> {
        let here = |(hospital, point, _): &mut Armed| *hospital == hospital_id && *point == name;
        ARMED.with_borrow_mut(|armed| armed.take_if(here)).map(|(_, _, fault)| fault)
    }

    fn asked_for() -> worker::Error {
        worker::Error::RustError("a fault was asked for".into())
    }

    /// Strikes if a fault is armed for this point.
    #[expect(clippy::panic, reason = "that is what it is for")]
    pub async fn point(name: &str, hospital_id: HospitalId) -> worker::Result<()> {
        match strike(name, hospital_id).as_deref() {
            None => Ok(()),
            Some("panic") => panic!("a fault was asked for"),
            Some("hang") => loop {
                Delay::from(Duration::from_secs(60)).await;
            },
            Some("slow") => {
                Delay::from(Duration::from_secs(6)).await;
                Ok(())
            }
            Some(_) => Err(asked_for()),
        }
    }

    /// Strikes if a fault is armed for this point, without waiting.
    #[expect(clippy::panic, reason = "that is what it is for")]
    pub fn point_in_turn(name: &str, hospital_id: HospitalId) -> worker::Result<()> {
        match strike(name, hospital_id).as_deref() {
            None => Ok(()),
            Some("panic") => panic!("a fault was asked for"),
            Some(_) => Err(asked_for()),
        }
    }

    /// How far the clock was set forward.
    pub fn clock_offset() -> TimeDelta {
        CLOCK.get()
    }

    fn count(room: Option<HospitalId>, add: impl FnOnce(&mut Counts)) {
        COUNTS.with_borrow_mut(|counts| add(counts.entry(room).or_default()));
    }

    /// The counts of the Worker and of all rooms together.
    pub fn counts() -> Counts {
        COUNTS.with_borrow(|counts| sum(counts.values()))
    }

    /// The counts of the Worker and of one room. Other rooms may archive the work of earlier tests meanwhile.
    pub fn counts_of(hospital_id: HospitalId) -> Counts {
        COUNTS.with_borrow(|counts| sum([None, Some(hospital_id)].iter().filter_map(|room| counts.get(room))))
    }

    fn sum<'a>(counts: impl Iterator<Item = &'a Counts>) -> Counts {
        counts.fold(Counts::default(), |sum, counts| Counts {
            queries: sum.queries + counts.queries,
            rows_written: sum.rows_written + counts.rows_written,
            sends: sum.sends + counts.sends,
        })
    }

    /// Counts a round trip to D1, of a room or of the Worker.
    pub fn count_query(room: Option<HospitalId>) {
        count(room, |counts| counts.queries += 1);
    }

    /// Counts what D1 has written.
    pub fn count_rows(room: Option<HospitalId>, results: &[D1Result]) {
        let written = |result: &D1Result| result.meta().ok()??.rows_written;
        count(room, |counts| counts.rows_written += results.iter().filter_map(written).sum::<usize>());
    }

    /// Counts the dashboards that an event was sent to.
    pub fn count_sends(room: Option<HospitalId>, dashboards: usize) {
        count(room, |counts| counts.sends += dashboards);
    }

    /// Arms a fault, instead of one that was armed before.
    pub fn arm(hospital_id: HospitalId, point: &str, fault: &str) {
        ARMED.set(Some((hospital_id, point.into(), fault.into())));
    }

    /// Whether a fault has not struck yet.
    pub fn is_armed() -> bool {
        ARMED.with_borrow(Option::is_some)
    }

    /// Sets the clock forward, in seconds.
    pub fn set_clock_forward(seconds: i64) {
        CLOCK.set(TimeDelta::seconds(seconds));
    }
}
