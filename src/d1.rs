//! D1: what all hospitals share, and a copy of what their rooms have recorded.
//!
//! **Invariant:** all SQL for D1 is in this folder, no statement is put together from input, and everything that a room
//! writes here is conditional on the epoch that it knows.

pub mod archive;
pub mod counters;
pub mod event_rows;
pub mod hospitals;
pub mod imported_tokens;
pub mod retention;
pub mod security_events;
pub mod user_writes;
pub mod users;

use std::time::Duration;

use chrono::TimeDelta;
use rollcall_core::{HospitalId, Seq, Timestamp, UserId, metrics::Count};
use serde::{Deserialize, de::DeserializeOwned};
use wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result};

#[cfg(feature = "faults")]
use crate::telemetry::context;
use crate::{platform::clock, telemetry::metrics};

/// The first `seq` that no room gives: a 1.0 that writes late gives one from here on, and nobody reads it.
pub const SEQ_END: i64 = 1 << 52;

/// The room of the epoch `?2` is still the one of the hospital `?1`.
const IS_OURS: &str = "(SELECT epoch FROM hospitals WHERE id = ?1) = ?2";

/// A statement with its parameters bound.
fn statement(db: &D1Database, sql: &str, parameters: &[JsValue]) -> worker::Result<D1PreparedStatement> {
    db.prepare(sql).bind(parameters)
}

/// Runs one statement.
async fn all(statement: D1PreparedStatement) -> worker::Result<D1Result> {
    let result = with_timeout(statement.all()).await?;
    #[cfg(feature = "faults")]
    crate::platform::faults::count_rows(context::current().room(), std::slice::from_ref(&result));
    Ok(result)
}

/// No answer of the database is waited for longer.
const TIMEOUT: Duration = Duration::from_secs(4);

/// Waits for a query, and counts it. One that is given up may still be carried out.
async fn with_timeout<T>(query: impl Future<Output = worker::Result<T>>) -> worker::Result<T> {
    #[cfg(feature = "faults")]
    crate::platform::faults::count_query(context::current().room());
    let asked_at = clock::now();
    let answer = clock::timeout(TIMEOUT, query).await.and_then(|answer| answer);
    let took: TimeDelta = clock::now() - asked_at;
    metrics::count(Count::Queried(took, answer.is_ok()));
    answer
}

/// Runs `statements` in one transaction, with a result for each.
async fn batch<const N: usize>(db: &D1Database, statements: [D1PreparedStatement; N]) -> worker::Result<[D1Result; N]> {
    let results = with_timeout(db.batch(statements.into())).await?;
    #[cfg(feature = "faults")]
    crate::platform::faults::count_rows(context::current().room(), &results);
    results.try_into().map_err(|_| worker::Error::RustError("D1 answered another number of statements".into()))
}

/// The rows of a query that makes one column of each, called `json`: one value crosses from the runtime instead of many.
fn from_json<T: DeserializeOwned>(result: &D1Result) -> worker::Result<Vec<T>> {
    #[derive(Deserialize)]
    struct Row {
        json: String,
    }
    result.results::<Row>()?.into_iter().map(|row| Ok(serde_json::from_str(&row.json)?)).collect()
}

/// An integer parameter. D1 takes JavaScript numbers only, which are exact up to 2^53.
fn int(value: i64) -> JsValue {
    JsValue::from_f64(value as f64)
}

/// A hospital's id as a parameter.
fn hospital(id: HospitalId) -> JsValue {
    int(id.get())
}

/// A user's id as a parameter.
fn user(id: UserId) -> JsValue {
    int(id.get())
}

/// A seq as a parameter.
fn seq(value: Seq) -> JsValue {
    JsValue::from_f64(value.get() as f64)
}

/// A time as a parameter, in milliseconds since 1970.
fn time(value: Timestamp) -> JsValue {
    int(value.timestamp_millis())
}

/// A parameter that may be null.
fn nullable<T>(value: Option<T>, parameter: impl Fn(T) -> JsValue) -> JsValue {
    value.map_or(JsValue::NULL, parameter)
}
