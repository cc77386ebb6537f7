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
mod random;
mod room;
mod throttle;

use worker::{Context, Env, HttpRequest, event};

/// Every request that is not a static asset.
#[event(fetch)]
async fn fetch(request: HttpRequest, env: Env, _context: Context) -> worker::Result<worker::Response> {
    http::serve(request, env).await
}
