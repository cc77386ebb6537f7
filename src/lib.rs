//! Rollcall: the live duty board of a hospital, as a Cloudflare Worker.
//!
//! One way through: request → who is asking → room → one D1 batch → announce. The rules are in `rollcall-core`; this
//! crate is the thin shell that brings them to the platform. `ARCHITECTURE.md` is the map.

mod clock;
mod db;
mod env;
mod error;
mod faults;
mod http;
mod log;
mod metrics;
mod random;
mod retention;
mod room;
mod throttle;

use worker::{Context, Env, HttpRequest, ScheduleContext, ScheduledEvent, event};

use crate::env::Bindings;

/// Every request that is not a static asset.
#[event(fetch)]
async fn fetch(request: HttpRequest, env: Env, context: Context) -> worker::Result<worker::Response> {
    let bindings = Bindings::new(env);
    let response = http::serve(request, bindings.clone()).await;
    if metrics::is_due() {
        context.wait_until(metrics::add(bindings));
    }
    response
}

/// Every hour.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    retention::forget(Bindings::new(env)).await;
}
