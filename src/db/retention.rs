//! What is forgotten when its time has come.

use rollcall_core::{Id, Timestamp};
use worker::D1Database;

use super::{batch, from_json, security_events, sessions, statement};

/// Forgets what is over for everybody, and says which hospitals there are.
pub async fn forget(db: &D1Database, now: Timestamp) -> worker::Result<Vec<Id>> {
    let hospitals = statement(db, "SELECT json(id) AS json FROM hospitals ORDER BY id", &[])?;
    let statements = [hospitals, sessions::forget(db, now)?, security_events::forget(db, now)?];
    let [hospitals, _, _] = batch(db, statements).await?;
    from_json(&hospitals)
}
