//! The rules of Rollcall: what can happen, who may do it, how it is said.
//!
//! **Invariant:** nothing here reads a clock, draws a random number, waits, or touches a network or a database. Time
//! and randomness are arguments, so every rule is tested natively in milliseconds.
//!
//! | asked | answered by |
//! |---|---|
//! | what crosses a socket or HTTP? | [`wire`]; as a table: [`export`] |
//! | what happened, and what is said of it? | [`event`] |
//! | what does a dashboard show, and what is it sent when it joins? | [`board`], [`welcome`] |
//! | what is a thing called? | [`id`], [`room`] |
//! | who is asking, and may they? | [`token`], [`ticket`], [`password`]; [`auth`]; how often: [`throttle`] |
//! | what did they ask for? | [`body`], [`query`], [`account`] |
//! | in what words is it refused? | [`error`]; what of it is written down: [`audit`] |
//! | is a doctor still there? | [`presence`]; what their sockets may do: [`socket`], until when: [`sweep`] |
//! | what is measured? | [`metrics`] |
//!
//! An event changes the board once, however often it arrives; and a dashboard that was away resumes after the last event
//! that it has seen:
//!
//! ```
//! use rollcall_core::{Seq, board::Board, event::Event, room::Since};
//!
//! # fn main() -> Result<(), serde_json::Error> {
//! let login: Event = serde_json::from_str(r#"{
//!     "seq": 42, "at": 1795251600000, "utc_offset": 0, "action": "login", "reason": null, "actor_id": 7,
//!     "doctor": {"id": 7, "username": "ann.lee", "first_name": "Ann", "last_name": "Lee",
//!         "is_available_for_consultation": true, "is_live": true, "consultation_hours": "09:00-17:00",
//!         "specialization": "Cardiology", "hospital": "General Hospital"}
//! }"#)?;
//! let mut board = Board::new(Seq::new(41), vec![], vec![]);
//! assert!(board.apply(login.clone()));
//! assert!(!board.apply(login), "the second time it changes nothing");
//!
//! assert_eq!(Since::Seq(Seq::new(41)).resume_after(board.seq()), Some(Seq::new(41)));
//! assert_eq!(Since::Seq(Seq::new(43)).resume_after(board.seq()), None, "it is yet to happen");
//! # Ok(())
//! # }
//! ```

pub mod account;
pub mod audit;
pub mod auth;
pub mod board;
pub mod body;
pub mod error;
pub mod event;
pub mod export;
pub mod id;
pub mod internal;
pub mod metrics;
pub mod password;
pub mod presence;
pub mod query;
pub mod registry;
#[cfg(feature = "utoipa")]
pub mod request;
pub mod room;
pub mod socket;
pub mod sweep;
pub mod throttle;
pub mod ticket;
pub mod token;
pub mod user;
pub mod welcome;
pub mod wire;

pub use error::ApiError;
pub use id::{HospitalId, Seq, SessionId, UserId};

/// A point in time, UTC. On the wire RFC 3339; in D1 milliseconds since 1970.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
