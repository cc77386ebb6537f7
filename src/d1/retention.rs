//! Forgetting what is older than it may be, every hour (`crons` in `wrangler.toml`).
//!
//! **Invariant:** a hospital's history is forgotten from its beginning, so nothing is missing in the middle of it. The
//! latest event is always kept.

use chrono::TimeDelta;
use rollcall_core::{HospitalId, Timestamp};
use worker::D1Database;

use super::{SEQ_END, all, batch, from_json, hospital, security_events, statement, time};

/// The most statements in an hour: D1 allows a thousand for one call of the Worker.
const STATEMENTS: usize = 500;

/// No more events are forgotten in one statement.
const AT_ONCE: usize = 500;

/// Forgets what is due: events older than `kept`, if anything is ever too old. What is left over is for the next hour.
pub async fn forget(db: &D1Database, kept: Option<TimeDelta>, now: Timestamp) -> worker::Result<()> {
    let hospitals = statement(db, "SELECT json(id) AS json FROM hospitals ORDER BY id", &[])?;
    // The sessions of 1.0 are nobody's any more.
    let old = ["DELETE FROM tickets", "DELETE FROM sessions"].map(|sql| statement(db, sql, &[]));
    let [tickets, sessions] = old;
    let forget = security_events::forget(db, now)?;
    let statements = [hospitals, forget, security_events::forget_archived(db, now)?, tickets?, sessions?];
    let [hospitals, ..] = batch(db, statements).await?;
    let mut hospitals = from_json::<HospitalId>(&hospitals)?;
    let Some(kept) = kept else { return Ok(()) };
    // Each hour begins with another hospital: if there are very many, all have their turn.
    let hours = usize::try_from(now.timestamp() / 3600).unwrap_or_default();
    let begin = hours.checked_rem(hospitals.len()).unwrap_or_default();
    hospitals.rotate_left(begin);
    let mut statements = 0..STATEMENTS;
    for hospital_id in hospitals {
        while statements.next().is_some() && forget_events(db, hospital_id, now - kept).await? {}
    }
    Ok(())
}

/// Forgets events recorded before `before`, the oldest first, and says whether there may be more of them. Nothing
/// behind an event that is kept is forgotten, wherever the clock was.
async fn forget_events(db: &D1Database, id: HospitalId, before: Timestamp) -> worker::Result<bool> {
    let sql = format!(
        "WITH oldest AS (SELECT seq, at_ms FROM events WHERE hospital_id = ?1 ORDER BY seq LIMIT {AT_ONCE})
         DELETE FROM events WHERE hospital_id = ?1 AND seq <= (SELECT MAX(seq) FROM oldest)
           AND seq < COALESCE((SELECT MIN(seq) FROM oldest WHERE at_ms >= ?2), {SEQ_END})
           AND seq < (SELECT MAX(seq) FROM events WHERE hospital_id = ?1)"
    );
    let deleted = all(statement(db, &sql, &[hospital(id), time(before)])?).await?;
    Ok(deleted.meta()?.and_then(|meta| meta.changes) >= Some(AT_ONCE))
}
