//! Faults on demand, for the tests: only in a build with the feature `faults`, which is never deployed.
//!
//! A test arms a fault over HTTP; it strikes once, at the next passing of its point.

use crate::room::Room;

/// Where a fault may strike a room: `room` (a call has arrived; `relay` at a relay), `committed` (recorded, not announced), `alarm` (it rings).
#[cfg(not(feature = "faults"))]
#[inline]
pub async fn point(_name: &str, _room: &Room) -> worker::Result<()> {
    Ok(())
}

#[cfg(feature = "faults")]
pub use armed::*;

#[cfg(feature = "faults")]
mod armed {
    use std::{
        cell::{Cell, RefCell},
        time::Duration,
    };

    use axum::{Json, Router, extract::Path, routing::get};
    use chrono::TimeDelta;
    use rollcall_core::Id;
    use serde::Serialize;
    use worker::{D1Result, Delay};

    use super::Room;

    thread_local! {
        static ARMED: RefCell<Option<Armed>> = const { RefCell::new(None) };
        static CLOCK: Cell<TimeDelta> = const { Cell::new(TimeDelta::zero()) };
        static COUNTS: Cell<Counts> = const { Cell::new(Counts { queries: 0, rows_written: 0, sends: 0 }) };
    }

    /// What has been done since the isolate began.
    #[derive(Clone, Copy, Serialize)]
    struct Counts {
        /// Round trips to D1.
        queries: usize,
        /// Rows that D1 has written, those of indexes too.
        rows_written: usize,
        /// Events sent to dashboards, times dashboards.
        sends: usize,
    }

    /// Which hospital's room is struck, where, and by what.
    type Armed = (Id, String, String);

    /// Strikes, if a fault is armed for this point of this room.
    #[expect(clippy::panic, reason = "that is what it is for")]
    pub async fn point(name: &str, room: &Room) -> worker::Result<()> {
        let hospital_id = room.hospital_id()?;
        let Some((_, _, fault)) = ARMED
            .with_borrow_mut(|armed| armed.take_if(|(hospital, point, _)| *hospital == hospital_id && *point == name))
        else {
            return Ok(());
        };
        match fault.as_str() {
            "panic" => panic!("a fault was asked for"),
            "hang" => loop {
                Delay::from(Duration::from_secs(60)).await;
            },
            "slow" => {
                Delay::from(Duration::from_secs(6)).await;
                Ok(())
            }
            _ => Err(worker::Error::RustError("a fault was asked for".into())),
        }
    }

    /// How far the clock was set forward.
    pub fn clock_offset() -> TimeDelta {
        CLOCK.get()
    }

    /// Counts a round trip to D1.
    pub fn count_query() {
        let counts = COUNTS.get();
        COUNTS.set(Counts { queries: counts.queries + 1, ..counts });
    }

    /// Counts what D1 has written.
    pub fn count_rows(results: &[D1Result]) {
        let written = |result: &D1Result| result.meta().ok()??.rows_written;
        let (rows, counts) = (results.iter().filter_map(written).sum::<usize>(), COUNTS.get());
        COUNTS.set(Counts { rows_written: counts.rows_written + rows, ..counts });
    }

    /// Counts the dashboards that an event was sent to.
    pub fn count_sends(dashboards: usize) {
        let counts = COUNTS.get();
        COUNTS.set(Counts { sends: counts.sends + dashboards, ..counts });
    }

    /// `/faults/arm/{hospital}/{point}/{panic,error,hang,slow}`, `/faults/armed`, `/faults/clock/{seconds}`,
    /// `/faults/counts`, `/faults/panic`
    #[expect(clippy::panic, reason = "that is what it is for")]
    pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
        let arm = async |Path(fault): Path<Armed>| ARMED.set(Some(fault));
        let clock = async |Path(seconds): Path<i64>| CLOCK.set(TimeDelta::seconds(seconds));
        let strike = async || -> () { panic!("a fault was asked for") };
        Router::new()
            .route("/faults/arm/{hospital}/{point}/{fault}", get(arm))
            .route("/faults/armed", get(async || Json(ARMED.with_borrow(Option::is_some))))
            .route("/faults/clock/{seconds}", get(clock))
            .route("/faults/counts", get(async || Json(COUNTS.get())))
            .route("/faults/panic", get(strike))
    }
}
