//! The hospital's log: its events, in `seq` order.

use rollcall_core::{Seq, Timestamp, event::Event, query::EventFilter};
use serde::Deserialize;
use worker::Result;

use super::{RoomStorage, hospital::number, json, time};
use crate::{
    d1::event_rows::{COLUMNS, EVENT, VALUES},
    platform::clock,
};

/// No read looks at more rows than this; it then returns what it has found, and where to go on.
pub const SCAN_LIMIT: usize = 5000;

/// What was found of the log.
#[derive(Debug, Default)]
pub struct Found {
    /// The events that match, in the order in which they were looked for.
    pub events: Vec<Event>,
    /// The last row that was looked at, if more may follow.
    pub scanned_to: Option<Seq>,
}

impl RoomStorage {
    /// Inserts events; those that are there already stay.
    pub fn insert_events(&self, events: &[Event]) -> Result<()> {
        let sql = format!("INSERT OR IGNORE INTO events ({COLUMNS}) SELECT {VALUES} FROM json_each(?)");
        self.exec(&sql, vec![json(&events)?])
    }

    /// Inserts the next event. One of its number must not be there yet.
    pub fn insert_event(&self, event: &Event) -> Result<()> {
        let sql = format!("INSERT INTO events ({COLUMNS}) SELECT {VALUES} FROM json_each(?)");
        self.exec(&sql, vec![json(&[event])?])
    }

    /// The latest seq; `None` before the first event.
    pub fn latest_seq(&self) -> Result<Option<Seq>> {
        self.query_one("SELECT json(seq) AS json FROM (SELECT seq FROM events ORDER BY seq DESC LIMIT 1)", vec![])
    }

    /// The oldest seq that is kept; `None` before the first event.
    pub fn oldest_seq(&self) -> Result<Option<Seq>> {
        self.query_one("SELECT json(seq) AS json FROM (SELECT seq FROM events ORDER BY seq LIMIT 1)", vec![])
    }

    /// The events after `since`, oldest first, no more than `limit`.
    pub fn events_after(&self, since: Seq, limit: usize) -> Result<Vec<Event>> {
        let sql = format!("SELECT {EVENT} FROM events WHERE seq > ? ORDER BY seq LIMIT {limit}");
        self.query(&sql, vec![number(since)])
    }

    /// The last events, oldest first, no more than `limit`.
    pub fn last_events(&self, limit: usize) -> Result<Vec<Event>> {
        let sql = format!("SELECT {EVENT} FROM events ORDER BY seq DESC LIMIT {limit}");
        let mut events: Vec<Event> = self.query(&sql, vec![])?;
        events.reverse();
        Ok(events)
    }

    /// When an event was recorded; `None` if it is not kept.
    pub fn recorded_at(&self, seq: Seq) -> Result<Option<Timestamp>> {
        let at = self.query_one("SELECT json(at_ms) AS json FROM events WHERE seq = ?", vec![number(seq)])?;
        Ok(at.map(clock::from_millis))
    }

    /// One event more than `filter` asks for, of those after `since` that match it. With `before` the newest first,
    /// otherwise the oldest first. What it looks at is bounded, not what matches.
    pub fn find_events(&self, filter: &EventFilter, since: Seq) -> Result<Found> {
        #[derive(Deserialize)]
        struct Row {
            event: Event,
            matches: bool,
            edge: Option<Seq>,
        }
        let (direction, end) = match filter.before {
            Some(before) => ("DESC", before),
            None => ("ASC", Seq::new(u64::MAX >> 11)),
        };
        let wanted = filter.limit as usize + 1;
        let is_plain = filter.doctor_id.is_none() && filter.from.is_none() && filter.to.is_none();
        let scanned = if is_plain { wanted } else { SCAN_LIMIT };
        // The last row that is looked at comes too, whether it matches or not.
        let sql = format!(
            "WITH scanned AS MATERIALIZED
                 (SELECT * FROM events WHERE seq > ?1 AND seq < ?2 ORDER BY seq {direction} LIMIT {scanned}),
               judged AS MATERIALIZED (SELECT *, (?3 IS NULL OR doctor_id = ?3) AND (?4 IS NULL OR at_ms >= ?4)
                 AND (?5 IS NULL OR at_ms < ?5) AS matches FROM scanned),
               edge AS MATERIALIZED (SELECT iif(COUNT(*) < {SCAN_LIMIT}, NULL,
                 iif('{direction}' = 'ASC', MAX(seq), MIN(seq))) AS seq FROM scanned)
             SELECT json_object('event', json(json), 'matches', json(iif(matches, 'true', 'false')),
               'edge', (SELECT seq FROM edge)) AS json FROM (
               SELECT matches, {EVENT} FROM judged WHERE matches OR seq = (SELECT seq FROM edge)
               ORDER BY seq {direction} LIMIT ?6)"
        );
        let rows: Vec<Row> = self.query(
            &sql,
            vec![
                number(since),
                number(end),
                filter.doctor_id.map(|id| id.get()).into(),
                filter.from.map(|at| at.timestamp_millis()).into(),
                filter.to.map(|at| at.timestamp_millis()).into(),
                (wanted as f64 + 1.0).into(),
            ],
        )?;
        let edge = rows.first().and_then(|row| row.edge);
        let mut events: Vec<_> = rows.into_iter().filter(|row| row.matches).map(|row| row.event).collect();
        events.truncate(wanted);
        let scanned_to = edge.filter(|_| events.len() < wanted);
        Ok(Found { events, scanned_to })
    }

    /// The last event that is to be forgotten, because it and all before it were recorded before `kept_since`: nothing
    /// behind an event that is kept is forgotten, wherever the clock was, nor is the latest one. It looks no further than
    /// a read does; the alarm forgets the rest.
    pub fn forgotten_to(&self, kept_since: Option<Timestamp>) -> Result<Seq> {
        let Some(kept_since) = kept_since else { return Ok(Seq::default()) };
        let sql = format!(
            "WITH oldest AS (SELECT seq, at_ms FROM events ORDER BY seq LIMIT {SCAN_LIMIT})
             SELECT json(COALESCE(MAX(seq), 0)) AS json FROM oldest
             WHERE seq < COALESCE((SELECT MIN(seq) FROM oldest WHERE at_ms >= ?), 1 << 53)
               AND seq < (SELECT MAX(seq) FROM events)"
        );
        Ok(self.query_one(&sql, vec![time(kept_since)])?.unwrap_or_default())
    }

    /// Forgets events that [`RoomStorage::forgotten_to`] finds, no more than `limit`, and none that D1 lacks. Says whether
    /// there may be more.
    pub fn forget_events(&self, before: Timestamp, archived: Seq, limit: usize) -> Result<bool> {
        let to = self.forgotten_to(Some(before))?.min(archived);
        let sql = format!(
            "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE seq <= ? ORDER BY seq LIMIT {limit})
             RETURNING json(seq) AS json"
        );
        let forgotten: Vec<Seq> = self.query(&sql, vec![number(to)])?;
        Ok(forgotten.len() >= limit)
    }
}
