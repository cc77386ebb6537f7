//! What the Worker has counted; a room stores what it has counted itself.

use std::cell::Cell;

use chrono::TimeDelta;
use rollcall_core::{HospitalId, Timestamp, metrics::Samples};
use worker::D1Database;

use super::{all, from_json, statement};
use crate::{
    platform::{clock, env::Bindings},
    telemetry::{log, metrics},
};

/// No more often than this an isolate stores what it counted: each time is a row for each hospital.
const EVERY: TimeDelta = TimeDelta::minutes(5);

thread_local! {
    static STORED_AT: Cell<Timestamp> = const { Cell::new(Timestamp::MIN_UTC) };
}

/// Whether there is something to store, and it is time.
pub fn is_due() -> bool {
    // A clock may be set back.
    (clock::now() - STORED_AT.get()).abs() >= EVERY && metrics::has_worker_counts()
}

/// Adds what the Worker has counted here to what was counted before.
pub async fn flush(bindings: Bindings) {
    STORED_AT.set(clock::now());
    let counted = metrics::take_of_worker();
    let samples: Vec<(HospitalId, Samples)> =
        counted.iter().map(|(hospital_id, tally)| (hospital_id.unwrap_or_default(), tally.samples())).collect();
    let stored = match bindings.db() {
        Ok(db) => add(&db, &samples).await,
        Err(error) => Err(error),
    };
    if let Err(error) = stored {
        // It may have been stored: while the database is in trouble, better counted twice than not.
        counted.iter().for_each(|(hospital_id, tally)| metrics::put_back(*hospital_id, tally));
        log::error(format_args!("metrics were not saved, will retry: {error}"));
    }
}

async fn add(db: &D1Database, counted: &[(HospitalId, Samples)]) -> worker::Result<()> {
    let sql = "INSERT INTO counters (hospital_id, samples)
         SELECT value ->> 0, value -> 1 FROM json_each(?1) WHERE true
         ON CONFLICT (hospital_id) DO UPDATE SET samples = (
           SELECT json_group_array(json_array(sample, total)) FROM (
             SELECT value ->> 0 AS sample, SUM(value ->> 1) AS total FROM (
               SELECT value FROM json_each(counters.samples) UNION ALL SELECT value FROM json_each(excluded.samples))
             GROUP BY sample))";
    let json = serde_json::to_string(counted)?;
    // Not counted itself, or there would always be something to store.
    statement(db, sql, &[json.into()])?.run().await?;
    Ok(())
}

/// What the Worker has counted so far, of every hospital that exists; hospital 0 stands for no hospital.
pub async fn read(db: &D1Database) -> worker::Result<Vec<(HospitalId, Samples)>> {
    let sql = "SELECT json_array(id, json(COALESCE(samples, '[]'))) AS json
         FROM (SELECT id FROM hospitals UNION SELECT 0 AS id) LEFT JOIN counters ON hospital_id = id ORDER BY id";
    from_json(&all(statement(db, sql, &[])?).await?)
}
