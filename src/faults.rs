//! Faults on demand, for the tests: only in a build with the feature `faults`, which is never deployed.
//!
//! A test arms a fault over HTTP; it strikes once, at the next passing of its point.

/// Where a fault may strike: `room` (a call has arrived), `committed` (recorded, not announced), `alarm` (it rings).
#[cfg(not(feature = "faults"))]
#[inline]
pub async fn point(_name: &str) -> worker::Result<()> {
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
    use worker::{Delay, send::SendFuture};

    use crate::error::Result;

    thread_local! {
        static ARMED: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
        static CLOCK: Cell<TimeDelta> = const { Cell::new(TimeDelta::zero()) };
        static QUERIES: Cell<u64> = const { Cell::new(0) };
    }

    /// Strikes, if a fault is armed for this point.
    #[expect(clippy::panic, reason = "that is what it is for")]
    pub async fn point(name: &str) -> worker::Result<()> {
        let armed = ARMED.take();
        match armed {
            Some((point, fault)) if point == name => match fault.as_str() {
                "panic" => panic!("a fault was asked for"),
                "hang" => loop {
                    Delay::from(Duration::from_secs(60)).await;
                },
                _ => Err(worker::Error::RustError("a fault was asked for".into())),
            },
            armed => {
                ARMED.set(armed);
                Ok(())
            }
        }
    }

    /// How far the clock was set forward.
    pub fn clock_offset() -> TimeDelta {
        CLOCK.get()
    }

    /// Counts a query.
    pub fn count_query() {
        QUERIES.set(QUERIES.get() + 1);
    }

    /// `/faults/arm/{point}/{panic,error,hang}`, `/faults/armed`, `/faults/clock/{seconds}`, `/faults/queries`, `/faults/panic`
    pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
        let arm = async |Path(fault): Path<(String, String)>| ARMED.set(Some(fault));
        let clock = async |Path(seconds): Path<i64>| CLOCK.set(TimeDelta::seconds(seconds));
        let strike = async || -> Result<()> {
            ARMED.set(Some(("worker".into(), "panic".into())));
            SendFuture::new(async { Ok(point("worker").await?) }).await
        };
        Router::new()
            .route("/faults/arm/{point}/{fault}", get(arm))
            .route("/faults/armed", get(async || Json(ARMED.with_borrow(Option::is_some))))
            .route("/faults/clock/{seconds}", get(clock))
            .route("/faults/queries", get(async || Json(QUERIES.get())))
            .route("/faults/panic", get(strike))
    }
}
