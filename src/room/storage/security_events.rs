//! Security events of signed-in users, in the hospital's own numbering.
//!
//! **Invariant:** the same attempt within a minute is counted in one row; when that minute is over, the row is sealed: it
//! never changes again, and only then is it archived.

use chrono::TimeDelta;
use rollcall_core::{
    Timestamp, UserId,
    audit::{ArchivedSecurityEvent, RETENTION, SecurityEvent},
};
use worker::Result;

use super::{RoomStorage, time};
use crate::{d1::security_events::COALESCE, platform::clock};

/// A row as the JSON of an [`ArchivedSecurityEvent`].
const EVENT: &str = "json_object('number', number, 'at_ms', at_ms, 'actor_id', actor_id, 'action', action,
    'target_id', target_id, 'result', result, 'address', address, 'times', times) AS json";

/// A row is archived so long after it was sealed.
const MARGIN: TimeDelta = TimeDelta::seconds(1);

/// A column of this address, action, result, actor and target.
const SAME: &str =
    "address = ? AND action = ? AND result = ? AND actor_id IS ? AND target_id IS ? AND at_ms > ? AND at_ms <= ?
    AND number > (SELECT archived_security FROM room)";

impl RoomStorage {
    /// Records an event that came from an address.
    pub fn record(&self, event: &SecurityEvent, address: &str, now: Timestamp) -> Result<()> {
        let id = |id: Option<UserId>| id.map(|id| id.get()).into();
        let what = || {
            vec![
                address.into(),
                event.what.as_str().into(),
                event.outcome.as_str().into(),
                id(event.actor_id),
                id(event.target_id),
            ]
        };
        let mut same = what();
        same.extend([time(now - COALESCE), time(now)]);
        let count = format!(
            "UPDATE security_events SET times = times + 1 WHERE number = (SELECT MAX(number) FROM security_events
               WHERE number > (SELECT COALESCE(MAX(number), 0) - 200 FROM security_events) AND {SAME})
             RETURNING json(number) AS json"
        );
        let counted: Vec<i64> = self.query(&count, same)?;
        if counted.is_empty() {
            let mut row = what();
            row.push(time(now));
            let insert =
                "INSERT INTO security_events (number, address, action, result, actor_id, target_id, at_ms, times)
                 SELECT 1 + MAX(COALESCE((SELECT MAX(number) FROM security_events), 0), archived_security),
                   ?, ?, ?, ?, ?, ?, 1 FROM room";
            self.exec(insert, row)?;
        }
        Ok(())
    }

    /// Sealed rows that D1 lacks, the oldest first.
    pub fn security_events_after(
        &self,
        number: i64,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ArchivedSecurityEvent>> {
        let sql = format!(
            "SELECT {EVENT} FROM security_events WHERE number > ?1
               AND number < COALESCE((SELECT MIN(number) FROM security_events WHERE number > ?1 AND at_ms > ?2), 1 << 53)
             ORDER BY number LIMIT {limit}"
        );
        self.query(&sql, vec![number.into(), time(now - COALESCE - MARGIN)])
    }

    /// The time of the oldest row that D1 lacks.
    pub fn security_event_to_archive(&self, archived: i64) -> Result<Option<Timestamp>> {
        let sql = "SELECT json(at_ms) AS json FROM security_events WHERE number > ? ORDER BY number LIMIT 1";
        Ok(self.query_one(sql, vec![archived.into()])?.map(clock::from_millis))
    }

    /// Forgets archived rows older than [`RETENTION`], no more than a page of them.
    pub fn forget_security_events(&self, archived: i64, now: Timestamp) -> Result<()> {
        let sql = "DELETE FROM security_events
             WHERE number IN (SELECT number FROM security_events ORDER BY number LIMIT 200) AND number <= ? AND at_ms < ?";
        self.exec(sql, vec![archived.into(), time(now - RETENTION)])
    }
}
