//! Forgetting what is older than it may be, every hour (`crons` in `wrangler.toml`).
//!
//! **Invariant:** a little at a time, and nothing that a dashboard could still resume from is missing in the middle: a
//! hospital's history is forgotten from its beginning.

use crate::{
    clock,
    db::{events, retention},
    env::Bindings,
    error::Result,
    log,
};

/// So many statements at most, in an hour: D1 allows a thousand for one call of the Worker.
const STATEMENTS: usize = 500;

/// Forgets what is due. What is left over is for the next hour.
pub async fn forget(bindings: Bindings) {
    if let Err(error) = forget_some(&bindings).await {
        let error = error.into_rejection();
        log::error(format_args!("what is old was not forgotten: {error}"));
    }
}

async fn forget_some(bindings: &Bindings) -> Result<()> {
    let (db, now) = (bindings.db()?, clock::now());
    let hospitals = retention::forget(&db, now).await?;
    let Some(kept) = bindings.event_retention() else { return Ok(()) };
    let mut statements = 0..STATEMENTS;
    for hospital_id in hospitals {
        while statements.next().is_some() && events::forget(&db, hospital_id, now - kept).await? {}
    }
    Ok(())
}
