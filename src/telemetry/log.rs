//! The log: one line of JSON for each thing worth telling, with the request and the hospital that it is about.
//!
//! **Invariant:** people are named by their ids; no email, token, ticket, query or body reaches a line.

use std::fmt::Display;

use rollcall_core::{HospitalId, UserId, metrics::Count};
use serde::Serialize;
use worker::{console_error, console_log};

use super::{
    context::{self, RequestContext},
    metrics,
};

/// A request that was rejected.
#[derive(Serialize)]
pub struct RejectedRequest<'a> {
    /// The code of the error.
    pub code: &'static str,
    /// Its HTTP status; for a join, the code that the socket was closed with.
    pub status: u16,
    /// The request's method.
    pub method: &'a str,
    /// The route that it matched, with its parameters' names; empty if none did.
    pub path: &'a str,
}

#[derive(Serialize)]
struct Line<'a> {
    level: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hospital_id: Option<HospitalId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    #[serde(rename = "refused", skip_serializing_if = "Option::is_none")]
    rejected: Option<&'a RejectedRequest<'a>>,
}

/// Logs something that somebody should look at.
pub fn error(message: impl Display) {
    console_error!("{}", line(&context::current(), "error", &message.to_string(), None));
}

/// Logs and counts a rejected request or join.
pub fn rejected(rejected: &RejectedRequest<'_>) {
    metrics::count(Count::Rejected(rejected.code));
    console_log!("{}", line(&context::current(), "info", "refused", Some(rejected)));
}

fn line(
    context: &RequestContext,
    level: &'static str,
    message: &str,
    rejected: Option<&RejectedRequest<'_>>,
) -> String {
    let (request_id, hospital_id, user_id) = (context.request_id(), context.hospital_id(), context.user_id());
    serde_json::to_string(&Line { level, message, request_id, hospital_id, user_id, rejected }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_request_and_hospital_of_the_work_that_logs_it() {
        let context = RequestContext::of_room(HospitalId::new(7), "ray".into());
        let logged = || line(&context::current(), "error", "\"x\"", None);
        let expected = r#"{"level":"error","message":"\"x\"","request_id":"ray","hospital_id":7}"#;
        assert_eq!(context::in_context(context, logged), expected);
        assert_eq!(logged(), r#"{"level":"error","message":"\"x\""}"#);
    }
}
