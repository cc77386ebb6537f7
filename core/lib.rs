//! The rules of Rollcall: what can happen, who may do it, how it is said.
//!
//! **Invariant:** nothing here reads a clock, draws a random number, waits, or touches a network or a database. Time
//! and randomness are arguments, so every rule is tested natively in milliseconds.

pub mod account;
pub mod audit;
pub mod auth;
pub mod board;
pub mod body;
pub mod call;
pub mod csv;
pub mod event;
pub mod metrics;
pub mod password;
pub mod presence;
pub mod query;
pub mod registry;
pub mod rejection;
#[cfg(feature = "utoipa")]
pub mod request;
pub mod socket;
pub mod sweep;
pub mod throttle;
pub mod ticket;
pub mod token;
pub mod welcome;
pub mod wire;

pub use rejection::Rejection;

/// A row id of D1. Signed, because that is what SQLite's integers and JSON numbers are.
pub type Id = i64;

/// An event's position in its hospital's sequence: 1, 2, 3, … without gaps. 0 stands before the first event.
pub type Seq = u64;

/// A point in time, UTC. On the wire RFC 3339; in D1 milliseconds since 1970.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
