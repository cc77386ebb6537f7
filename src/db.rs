//! The database: typed rows and statements.
//!
//! **Invariant:** the Worker has no SQL outside this module, no statement is put together from input, and only
//! [`events::record`] writes a doctor's state.

pub mod accounts;
pub mod counters;
pub mod doctors;
pub mod events;
pub mod ledger;
pub mod retention;
pub mod security_events;
pub mod sessions;
pub mod tries;
pub mod users;

use std::time::Duration;

use rollcall_core::{Id, Seq, Timestamp, metrics::Count};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result};

use crate::{clock, metrics};

/// A statement with its parameters bound.
fn statement(db: &D1Database, sql: &str, parameters: &[JsValue]) -> worker::Result<D1PreparedStatement> {
    db.prepare(sql).bind(parameters)
}

/// Runs one statement.
async fn all(statement: D1PreparedStatement) -> worker::Result<D1Result> {
    let result = counted(statement.all()).await?;
    #[cfg(feature = "faults")]
    crate::faults::count_rows(std::slice::from_ref(&result));
    Ok(result)
}

/// No answer from the database is waited for longer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Waits for a query. One that is given up may still be carried out.
async fn patiently<T>(query: impl Future<Output = worker::Result<T>>) -> worker::Result<T> {
    #[cfg(feature = "faults")]
    crate::faults::count_query();
    clock::within(PATIENCE, query).await?
}

/// The same, counted.
async fn counted<T>(query: impl Future<Output = worker::Result<T>>) -> worker::Result<T> {
    let asked_at = clock::now();
    let answer = patiently(query).await;
    metrics::count(Count::Queried(clock::now() - asked_at, answer.is_ok()));
    answer
}

/// Runs `statements` in one transaction, with a result for each.
async fn batch<const N: usize>(db: &D1Database, statements: [D1PreparedStatement; N]) -> worker::Result<[D1Result; N]> {
    let results = batch_of(db, statements.into()).await?;
    results.try_into().map_err(|_| worker::Error::RustError("D1 answered another number of statements".into()))
}

/// The same for as many as there are.
async fn batch_of(db: &D1Database, statements: Vec<D1PreparedStatement>) -> worker::Result<Vec<D1Result>> {
    let results = counted(db.batch(statements)).await?;
    #[cfg(feature = "faults")]
    crate::faults::count_rows(&results);
    Ok(results)
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
fn int(value: Id) -> JsValue {
    JsValue::from_f64(value as f64)
}

/// A seq parameter.
fn seq(value: Seq) -> JsValue {
    JsValue::from_f64(value as f64)
}

/// A time parameter.
fn time(value: Timestamp) -> JsValue {
    int(value.timestamp_millis())
}

/// A parameter that may be null.
fn nullable<T>(value: Option<T>, parameter: impl Fn(T) -> JsValue) -> JsValue {
    value.map_or(JsValue::NULL, parameter)
}

/// D1 has no truth values: they come back as 0 and 1.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(i64::deserialize(deserializer)? != 0)
}
