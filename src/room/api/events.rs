//! The history: as pages of JSON, or as CSV.

use ::http::{HeaderMap, HeaderName, header};
use rollcall_core::{ApiError, Seq, auth::Permission, event::Event, export, query::EventFilter, wire::EventPage};

use crate::{
    d1::archive,
    room::{request::Request, state::LiveRoom, storage::events::Found},
    telemetry::{
        error::Result,
        response::{Response, json, typed},
    },
};

/// `next` and `previous` of a page that is CSV.
const NEXT: HeaderName = HeaderName::from_static("rollcall-next");
const PREVIOUS: HeaderName = HeaderName::from_static("rollcall-previous");

/// The number of events that are read from D1 at once.
const PAGE: u32 = 1001;

/// The history.
///
/// `GET /api/events/`
#[cfg_attr(test, utoipa::path(
    get, path = "/api/events/", tag = "History", operation_id = "list_events",
    params(
        ("since" = Option<u64>, Query, minimum = 0, maximum = 9007199254740991_i64, nullable = false),
        ("before" = Option<u64>, Query, minimum = 0, maximum = 9007199254740991_i64, nullable = false,
            description = "The last events before this one, instead of the first: pages backwards."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, nullable = false),
        ("doctor_id" = Option<i64>, Query, nullable = false),
        ("from" = Option<String>, Query, format = DateTime, nullable = false),
        ("to" = Option<String>, Query, format = DateTime, nullable = false),
    ),
    responses((status = 200, content((EventPage = "application/json"), (String = "text/csv"))))
))]
pub async fn list(request: Request) -> Result<Response> {
    request.permitted(Permission::ReadEvents)?;
    let filter = EventFilter::parse(&request.query())?;
    let found = find(&request.room, &filter).await?;
    let latest = request.room.latest();
    let Page { events, next, previous } = page(found, &filter);
    if wants_csv(request.headers()) {
        let table = export::csv(&events).ok_or(ApiError::Unavailable)?;
        let mut response = typed("text/csv; charset=utf-8", table.into());
        let cursors = [(NEXT, next), (PREVIOUS, previous)];
        for (name, seq) in cursors.into_iter().filter_map(|(name, seq)| Some((name, seq?))) {
            response.headers_mut().insert(name, seq.get().into());
        }
        return Ok(response);
    }
    let events = events.iter().map(Event::recorded).collect();
    Ok(json(&EventPage { events, latest, next, previous })?)
}

/// A page of the history.
struct Page {
    /// Oldest first.
    events: Vec<Event>,
    /// The `since` of the page behind it, if there is one.
    next: Option<Seq>,
    /// The `before` of the page in front of it, if there is one and it was asked for by `before`.
    previous: Option<Seq>,
}

/// One event more than the filter asks for, from the room's log; of what is not copied there yet, from D1.
async fn find(room: &LiveRoom, filter: &EventFilter) -> Result<Found> {
    let (copied_from, since) = (room.row().copied_from, filter.since.max(room.forgotten_to()?));
    if copied_from == Seq::default() {
        return Ok(room.storage.find_events(filter, since)?);
    }
    let newest = filter.before.is_some();
    let wanted = filter.limit as usize + 1;
    let here = || room.storage.find_events(filter, since.max(Seq::new(copied_from.get().saturating_sub(1))));
    let mut found = if newest { here()? } else { Found::default() };
    if found.events.len() >= wanted || found.scanned_to.is_some() {
        return Ok(found);
    }
    let end = filter.before.map_or(copied_from, |before| before.min(copied_from));
    if since < end {
        let older = archive::between(&room.bindings().db()?, room.hospital_id(), (since, end), newest, PAGE).await?;
        let edge = older.last().map(|event| event.seq).filter(|_| older.len() >= PAGE as usize);
        let is_kept = |event: &Event| room.kept_since().is_none_or(|kept_since| kept_since <= event.at);
        found.events.extend(older.into_iter().filter(|event| is_kept(event) && filter.matches(event)));
        found.events.truncate(wanted);
        found.scanned_to = edge.filter(|_| found.events.len() < wanted);
    }
    if newest || found.events.len() >= wanted || found.scanned_to.is_some() {
        return Ok(found);
    }
    let rest = here()?;
    found.events.extend(rest.events);
    found.events.truncate(wanted);
    found.scanned_to = rest.scanned_to.filter(|_| found.events.len() < wanted);
    Ok(found)
}

fn page(Found { mut events, scanned_to }: Found, filter: &EventFilter) -> Page {
    let limit = filter.limit as usize;
    let more = events.len() > limit;
    events.truncate(limit);
    let further = if more { events.last().map(|event| event.seq) } else { scanned_to };
    match filter.before {
        Some(_) => {
            events.reverse();
            Page { events, next: None, previous: further }
        }
        None => Page { events, next: further, previous: None },
    }
}

fn wants_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|range| range.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv"))
}
