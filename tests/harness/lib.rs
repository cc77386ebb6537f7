//! What the end-to-end tests stand on: a real runtime, hospitals of their own, HTTP and sockets.
//!
//! **Invariant:** a test knows what any client knows: URLs, messages and close codes. A test of storage also knows the
//! tables of D1 and of a room. A test that fails panics with what it saw.

mod follower;
mod hospital;
mod http;
mod proxy;
mod secrets;
mod server;
mod socket;
mod storage;

pub use follower::{Follower, Notes};
pub use hospital::{Hospital, PASSWORD, SLOW};
pub use http::{Answer, Session, request, request_from};
pub use proxy::Proxy;
pub use secrets::keep_out_of_logs;
pub use server::{Build, METRICS_TOKEN, Server, either, open, strict, xtask};
pub use socket::{Closed, Socket};
pub use storage::{Row, database_in, rows};
