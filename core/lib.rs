//! The rules of Rollcall: what can happen, who may do it, how it is said.
//!
//! **Invariant:** nothing here reads a clock, draws a random number, waits, or touches a network or a database. Time
//! and randomness are arguments, so every rule is tested natively in milliseconds.
//!
//! | asked | answered by |
//! |---|---|
//! | what crosses a socket or HTTP? | [`wire`]; inside, between the Worker and a room: [`call`] |
//! | what happened, and how is it told? | [`event`]; to whom has it been told: [`board`], [`welcome`] |
//! | who is asking, and may they? | [`token`], [`ticket`], [`password`]; [`auth`]; how often: [`throttle`] |
//! | what did they ask for? | [`body`], [`query`], [`account`] |
//! | in what words is it refused? | [`rejection`]; what of it is written down: [`audit`] |
//! | is a doctor still there? | [`presence`]; what their sockets may do: [`socket`], until when: [`sweep`] |
//!
//! A dashboard that was away is told what it has missed, and of nothing else:
//!
//! ```
//! use rollcall_core::{board::{Board, Missed}, call::Since, event::Event};
//!
//! # fn main() -> Result<(), serde_json::Error> {
//! let login: Event = serde_json::from_str(r#"{
//!     "seq": 42, "at": 1795251600000, "utc_offset": 0, "action": "login", "reason": null, "actor_id": 7,
//!     "doctor": {"id": 7, "username": "ann.lee", "first_name": "Ann", "last_name": "Lee",
//!         "is_available_for_consultation": true, "is_live": true, "consultation_hours": "09:00-17:00",
//!         "specialization": "Cardiology", "hospital": "General Hospital"}
//! }"#)?;
//! let mut board = Board::new(41, vec![], vec![]);
//! assert!(board.apply(login.clone()));
//! assert!(!board.apply(login.clone()), "the second time it changes nothing");
//!
//! assert_eq!(board.missed(Since::Seq(41)), Missed::Events(vec![login.message()]));
//! assert_eq!(board.missed(Since::Seq(42)), Missed::Events(vec![]));
//! assert_eq!(board.missed(Since::Seq(43)), Missed::Lost, "it is yet to happen");
//! # Ok(())
//! # }
//! ```

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
