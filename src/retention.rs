//! Forgetting what is older than it may be, every hour (`crons` in `wrangler.toml`).
//!
//! **Invariant:** a hospital's history is forgotten from its beginning, so nothing is missing in the middle of what a
//! dashboard may resume from.

use crate::{
    clock,
    db::{events, retention},
    env::Bindings,
    log,
};

/// So many statements at most, in an hour: D1 allows a thousand for one call of the Worker.
const STATEMENTS: usize = 500;

/// Forgets what is due. What is left over is for the next hour.
pub async fn forget(bindings: Bindings) {
    if let Err(error) = forget_some(&bindings).await {
        log::error(format_args!("what is old was not forgotten: {error}"));
    }
}

async fn forget_some(bindings: &Bindings) -> worker::Result<()> {
    let (db, now) = (bindings.db()?, clock::now());
    let mut hospitals = retention::forget(&db, now).await?;
    let Some(kept) = bindings.event_retention() else { return Ok(()) };
    // Each hour it begins with another one: where there are very many, all have their turn.
    let hours = usize::try_from(now.timestamp() / 3600).unwrap_or_default();
    let begin = hours.checked_rem(hospitals.len()).unwrap_or_default();
    hospitals.rotate_left(begin);
    let mut statements = 0..STATEMENTS;
    for hospital_id in hospitals {
        while statements.next().is_some() && events::forget(&db, hospital_id, now - kept).await? {}
    }
    Ok(())
}
