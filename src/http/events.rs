//! The history: as pages of JSON, or as CSV.

use ::http::{HeaderMap, header};
use axum::{
    Json,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use rollcall_core::{
    auth::may_read_events,
    event::{CsvRow, Event},
    query::{EventFilter, Query},
    wire::EventPage,
};
use worker::send::SendFuture;

use super::auth::SignedIn;
use crate::{db::events, env::Bindings, error::Result};

/// `GET /api/events/`
pub async fn list(
    State(bindings): State<Bindings>,
    SignedIn(who): SignedIn,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    may_read_events(&who)?;
    let filter = EventFilter::parse(&Query::parse(&query.unwrap_or_default()))?;
    let (events, more, latest) = SendFuture::new(async {
        let db = bindings.db()?;
        events::page(&db, who.hospital_id, &filter).await
    })
    .await?;
    if wants_csv(&headers) {
        let table = csv(&events).map_err(|error| worker::Error::RustError(error.to_string()))?;
        return Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], table).into_response());
    }
    let next = events.last().filter(|_| more).map(|event| event.seq);
    Ok(Json(EventPage { events: events.iter().map(Event::recorded).collect(), latest, next }).into_response())
}

fn wants_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|range| range.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv"))
}

fn csv(events: &[Event]) -> csv::Result<Vec<u8>> {
    let mut table = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    table.write_record(CsvRow::HEADER)?;
    for event in events {
        table.serialize(event.csv_row())?;
    }
    Ok(table.into_inner().map_err(|error| error.into_error())?)
}
