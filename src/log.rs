//! The log: one line of JSON for each thing worth telling, with the request and the hospital that it is about.
//!
//! **Invariant:** people are named by their ids; no email, token, ticket, query or body reaches a line.

use std::{
    cell::{Cell, RefCell},
    fmt::Display,
    future::poll_fn,
    pin::pin,
    rc::Rc,
};

use rollcall_core::{Id, auth::Principal, call::Place, metrics::Count};
use serde::Serialize;
use worker::{console_error, console_log};

use crate::metrics;

/// What is being done, and for whom.
#[derive(Default)]
pub struct About {
    request_id: String,
    hospital_id: Cell<Option<Id>>,
    user_id: Cell<Option<Id>>,
    relay: Option<u32>,
}

impl About {
    /// A request to the Worker.
    pub fn request(request_id: String) -> Rc<Self> {
        Rc::new(Self { request_id, ..Self::default() })
    }

    /// What an object of a hospital does; for a request, if there is one.
    pub fn object(place: Place, request_id: String) -> Rc<Self> {
        Rc::new(Self {
            request_id,
            hospital_id: Cell::new(Some(place.hospital_id)),
            relay: place.relay,
            ..Self::default()
        })
    }
}

thread_local! {
    /// What the future that is polled at this moment is about. An isolate does many things side by side.
    static NOW: RefCell<Option<Rc<About>>> = const { RefCell::new(None) };
}

/// Does `work`; what it logs and counts is about that.
pub async fn about<T>(about: Rc<About>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        let before = NOW.replace(Some(Rc::clone(&about)));
        let polled = work.as_mut().poll(context);
        NOW.set(before);
        polled
    })
    .await
}

/// It has turned out who asks.
pub fn is_by(who: &Principal) {
    NOW.with_borrow(|now| {
        if let Some(about) = now {
            about.hospital_id.set(Some(who.hospital_id));
            about.user_id.set(Some(who.user_id));
        }
    });
}

/// The hospital that this is about, where it is about one.
pub fn hospital_id() -> Option<Id> {
    NOW.with_borrow(|now| now.as_ref().and_then(|about| about.hospital_id.get()))
}

/// The request that this is about; empty where it is about none.
pub fn request_id() -> String {
    NOW.with_borrow(|now| now.as_ref().map(|about| about.request_id.clone()).unwrap_or_default())
}

/// A request that was refused.
#[derive(Serialize)]
pub struct Refused<'a> {
    /// With which code.
    pub code: &'static str,
    /// And status; of a join that the room refuses, the code it is closed with.
    pub status: u16,
    /// What was asked.
    pub method: &'a str,
    /// Of what, without what may name somebody.
    pub path: &'a str,
}

#[derive(Serialize)]
struct Line<'a> {
    level: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hospital_id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relay: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a Refused<'a>>,
}

/// Something went wrong that somebody should look at.
pub fn error(message: impl Display) {
    console_error!("{}", line("error", &message.to_string(), None));
}

/// A request or a join was refused: that is counted, too.
pub fn refused(refused: &Refused<'_>) {
    metrics::count(Count::Refused(refused.code));
    console_log!("{}", line("info", "refused", Some(refused)));
}

fn line(level: &'static str, message: &str, refused: Option<&Refused<'_>>) -> String {
    NOW.with_borrow(|now| {
        let (nothing, about) = (About::default(), now.as_deref());
        let About { request_id, hospital_id, user_id, relay } = about.unwrap_or(&nothing);
        let (hospital_id, user_id, relay) = (hospital_id.get(), user_id.get(), *relay);
        let line = Line { level, message, request_id, hospital_id, relay, user_id, refused };
        serde_json::to_string(&line).unwrap_or_default()
    })
}

/// A path without what may name somebody: of it only `words` stay.
pub fn nameless(path: &str, words: &[&str]) -> String {
    let segments = path.split('/').take(8).map(|segment| if words.contains(&segment) { segment } else { "{}" });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_named_by_a_path() {
        let nameless = |path: &str| nameless(path, &["", "api", "users", "reset-password"]);
        assert_eq!(nameless("/api/users/ann.lee"), "/api/users/{}");
        assert_eq!(nameless("/api/users/12/reset-password/"), "/api/users/{}/reset-password/");
        assert_eq!(nameless(&"/api".repeat(5000)), "/api/api/api/api/api/api/api");
    }

    #[test]
    fn a_line_says_what_it_is_about_as_long_as_that_is_done() {
        let who = About::object(Place { hospital_id: 7, relay: Some(2) }, "ray".into());
        let said = futures_util::future::FutureExt::now_or_never(about(who, async { line("error", "\"x\"", None) }));
        let expected = r#"{"level":"error","message":"\"x\"","request_id":"ray","hospital_id":7,"relay":2}"#;
        assert_eq!(said.as_deref(), Some(expected));
        assert_eq!(line("error", "x", None), r#"{"level":"error","message":"x"}"#);
    }
}
