//! The Worker: finds the hospital that a request is for, and hands the request on to its room, untouched.
//!
//! **Invariant:** what a client sent reaches a room by `fetch` only, which trusts nothing in it. Passwords stay here: the
//! room is called with a hash, or with word that one was verified.

pub mod accounts;
mod attempts;
mod documents;
mod forward;
mod metrics;
mod request;
mod room_calls;
pub mod router;
pub mod sign_in;
mod verification;

use std::cell::OnceCell;

use worker::web_sys;

use crate::{
    d1::retention,
    platform::{clock, env::Bindings},
    telemetry::{
        context::{RequestContext, with_context},
        http, log,
    },
};

thread_local! {
    /// Made at the first request: the bindings are the same for as long as the isolate lives.
    static APP: OnceCell<http::App> = const { OnceCell::new() };
    /// For requests whose room cannot be found or reached, whatever their path.
    static WITHOUT_ROOM: OnceCell<http::App> = const { OnceCell::new() };
    static OWN_PATHS: router::OwnPaths = router::OwnPaths::new();
}

/// Answers a request: from its hospital's room if it names one, otherwise here.
///
/// # Errors
/// The runtime's.
pub async fn serve(request: &web_sys::Request, bindings: &Bindings) -> worker::Result<web_sys::Response> {
    let head = http::read_head(request)?;
    let request_id = http::request_id(head.headers())?;
    with_context(RequestContext::of_request(request_id), async {
        let is_own = OWN_PATHS.with(|own| own.contain(head.method(), head.uri().path()));
        let forwarded = if is_own { Ok(None) } else { forward::to_room(request, &head, bindings).await };
        match forwarded {
            Ok(Some(response)) => Ok(response),
            Ok(None) => {
                let app = APP.with(|app| app.get_or_init(|| router::app(bindings.clone())).clone());
                Ok(http::respond(app, http::with_body(head, request).await?).await?.into())
            }
            Err(error) => {
                let app = WITHOUT_ROOM.with(|app| app.get_or_init(|| router::without_room(bindings.clone())).clone());
                Ok(http::respond(app, forward::with_error(head, error)).await?.into())
            }
        }
    })
    .await
}

/// Forgets in D1 what is older than it may be.
pub async fn forget_old(bindings: &Bindings) {
    let forgotten = match bindings.db() {
        Ok(db) => retention::forget(&db, bindings.event_retention(), clock::now()).await,
        Err(error) => Err(error),
    };
    if let Err(error) = forgotten {
        log::error(format_args!("what is old was not forgotten: {error}"));
    }
}
