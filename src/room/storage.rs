//! A room's own SQLite, in the same thread: no network, no waiting.
//!
//! **Invariant:** all of its SQL is in this folder, and what belongs together is written in one transaction.

pub mod connectivity;
pub mod counters;
pub mod events;
pub mod hospital;
mod schema;
pub mod security_events;
pub mod sessions;
pub mod tickets;
pub mod users;

use std::rc::Rc;

use rollcall_core::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use worker::{Result, SqlStorageValue, State};

use crate::{platform::js, telemetry::error};

/// The room's tables.
pub struct RoomStorage {
    state: Rc<State>,
}

impl RoomStorage {
    /// The storage of an object. Opening it writes nothing.
    pub fn new(state: Rc<State>) -> Self {
        Self { state }
    }

    /// Runs `work` as one transaction: an error that it returns rolls everything back.
    ///
    /// # Errors
    /// The error of `work`, or SQLite's.
    pub fn transaction<T>(&self, work: impl FnOnce() -> error::Result<T>) -> error::Result<T> {
        js::transaction(&self.state, work)
    }

    /// Runs a statement that returns nothing.
    fn exec(&self, sql: &str, parameters: Vec<SqlStorageValue>) -> Result<()> {
        js::query(&self.state, sql, parameters).map(drop)
    }

    /// Runs statements without parameters.
    fn exec_all(&self, sql: &str) -> Result<()> {
        self.state.storage().sql().exec(sql, None)?;
        Ok(())
    }

    /// The rows of a statement that makes one column of each, which is JSON.
    fn query<T: DeserializeOwned>(&self, sql: &str, parameters: Vec<SqlStorageValue>) -> Result<Vec<T>> {
        Ok(serde_json::from_str(&js::query(&self.state, sql, parameters)?)?)
    }

    /// The first row of such a query.
    fn query_one<T: DeserializeOwned>(&self, sql: &str, parameters: Vec<SqlStorageValue>) -> Result<Option<T>> {
        Ok(self.query(sql, parameters)?.into_iter().next())
    }
}

/// A time as a parameter, in milliseconds since 1970.
fn time(at: Timestamp) -> SqlStorageValue {
    at.timestamp_millis().into()
}

/// Rows as a parameter, for `json_each`.
fn json(rows: &impl Serialize) -> Result<SqlStorageValue> {
    Ok(serde_json::to_string(rows)?.into())
}
