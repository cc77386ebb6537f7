//! The Worker: finds the hospital that a request is for, and hands the request on to its room, untouched.
//!
//! **Invariant:** what a client sent reaches a room by `fetch` only, which trusts nothing in it. Passwords stay here: the
//! room is called with a hash, or with word that one was verified.

pub mod accounts;
mod attempts;
mod documents;
#[cfg(feature = "faults")]
mod faults;
mod forward;
mod hospital;
mod metrics;
mod request;
mod room_calls;
pub mod router;
pub mod sign_in;
mod verification;

use std::{cell::OnceCell, rc::Rc};

use tower_http::cors::CorsLayer;
use wasm_bindgen::{JsValue, prelude::Closure};
use worker::web_sys;

use self::request::Request;
use crate::{
    d1::retention,
    platform::{
        clock,
        env::Bindings,
        js::{self, AfterFailure},
    },
    telemetry::{
        context::{RequestContext, with_context},
        error::Error,
        http, log,
        response::Body,
        routes::{Found, Routes},
    },
};

thread_local! {
    static ROUTES: Routes<Request> = router::routes();
    /// Read at the first request: the variables are the same for as long as the isolate lives.
    static CORS: OnceCell<Option<CorsLayer>> = const { OnceCell::new() };
    /// Answers a request whose room has failed.
    static AFTER_FAILURE: OnceCell<AfterFailure> = const { OnceCell::new() };
}

/// Answers a request, or hands it on to the room that does. Returns a response, or the promise of the room's.
///
/// # Errors
/// The runtime's.
pub async fn serve(raw: web_sys::Request, bindings: Bindings) -> Result<JsValue, JsValue> {
    Ok(answer(Rc::new(raw), bindings, None).await?)
}

/// Answers a request; with `failure`, which its room has met, if there is one.
async fn answer(
    raw: Rc<web_sys::Request>,
    bindings: Bindings,
    failure: Option<worker::Error>,
) -> worker::Result<JsValue> {
    let head = Rc::new(http::read_head(&raw)?);
    let context = RequestContext::of_request(http::request_id(head.headers())?);
    with_context(context, async {
        let Found { path, parameters, handler } = ROUTES.with(|routes| routes.find(&head));
        let request = Request { bindings: bindings.clone(), raw: Rc::clone(&raw), head: Rc::clone(&head), parameters };
        let answered = match (handler, failure) {
            (Err(response), _) => Ok(response),
            (Ok(handler), None) => handler(request).await,
            (Ok(_), Some(failure)) => forward::refuse(&request, failure.into()),
        };
        let response = answered.unwrap_or_else(Error::into_response);
        if let Body::OfRoom(room) = response.body() {
            let after_failure = || after_failure(bindings.clone());
            return Ok(AFTER_FAILURE.with(|after| js::forward(room, &raw, after.get_or_init(after_failure))));
        }
        let cors = CORS.with(|cors| cors.get_or_init(|| http::cors(&bindings.allowed_origins())).clone());
        Ok(http::finish(&head, path, response, cors.as_ref()).await?.into())
    })
    .await
}

fn after_failure(bindings: Bindings) -> AfterFailure {
    Closure::new(move |raw: web_sys::Request, error: JsValue| {
        let answered = answer(Rc::new(raw), bindings.clone(), Some(error.into()));
        js::now_or_promise(async { Ok(answered.await?) })
    })
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
