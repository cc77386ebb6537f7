//! Rollcall: the live duty board of a hospital, as a Cloudflare Worker.
//!
//! One way through: the Worker finds the hospital and hands the request on; the hospital's room answers it. The rules are
//! in `rollcall-core`; this crate brings them to the platform. `ARCHITECTURE.md` is the map.

mod d1;
mod edge;
mod login_throttle;
mod platform;
mod room;
#[cfg(test)]
mod schema;
mod telemetry;

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{Context, Env, ScheduleContext, ScheduledEvent, event, web_sys, worker_sys};

use crate::platform::{env::Bindings, js};

/// Before anything else: a panic's log line has the JavaScript stack.
#[event(start)]
fn start() {
    // The `worker` crate's own hook must still run: it makes a new instance.
    let worker_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        console_error_panic_hook::hook(panic);
        worker_hook(panic);
    }));
}

/// Every request that is not a static asset. Returns a response or a promise of one; `#[event(fetch)]` would make each of
/// them a promise, which takes a turn of the event loop.
#[wasm_bindgen]
pub fn fetch(request: web_sys::Request, env: Env, context: worker_sys::Context) -> Result<JsValue, JsValue> {
    let bindings = Bindings::new(env);
    if d1::counters::is_due() {
        Context::new(context).wait_until(d1::counters::flush(bindings.clone()));
    }
    js::now_or_promise(edge::serve(request, bindings))
}

/// Every hour.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    edge::forget_old(&Bindings::new(env)).await;
}
