//! The history: as pages of JSON, or as CSV.

use ::http::{HeaderMap, header};
use axum::{
    Json,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use rollcall_core::{
    auth::Action,
    csv,
    event::{CSV_HEADER, Event},
    query::{EventFilter, Query},
    wire::EventPage,
};
use worker::send::SendFuture;

use super::auth::SignedIn;
use crate::{
    db::events::{self, Page},
    env::Bindings,
    error::{Error, Result},
};

/// The history.
///
/// `GET /api/events/`
#[cfg_attr(test, utoipa::path(
    get, path = "/api/events/", tag = "History", operation_id = "list_events",
    params(
        ("since" = Option<u64>, Query, minimum = 0, maximum = 9007199254740991_i64, nullable = false),
        ("before" = Option<u64>, Query, minimum = 0, maximum = 9007199254740991_i64, nullable = false,
            description = "The last events before this one, in place of the first: pages backwards."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, nullable = false),
        ("doctor_id" = Option<i64>, Query, nullable = false),
        ("from" = Option<String>, Query, format = DateTime, nullable = false),
        ("to" = Option<String>, Query, format = DateTime, nullable = false),
    ),
    responses((status = 200, content((EventPage = "application/json"), (String = "text/csv"))))
))]
pub async fn list(
    State(bindings): State<Bindings>,
    caller: SignedIn,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let (Page { events, next, previous }, latest) = SendFuture::new(async {
        caller.may(&bindings, Action::ReadEvents).await?;
        let filter = EventFilter::parse(&Query::parse(&query.unwrap_or_default()))?;
        Ok::<_, Error>(events::page(&bindings.db()?, caller.who.hospital_id, &filter).await?)
    })
    .await?;
    if wants_csv(&headers) {
        let table = csv::table(CSV_HEADER, events.iter().map(Event::csv_row));
        return Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], table).into_response());
    }
    let events = events.iter().map(Event::recorded).collect();
    Ok(Json(EventPage { events, latest, next, previous }).into_response())
}

fn wants_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|range| range.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv"))
}
