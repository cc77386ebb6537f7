//! What the end-to-end tests stand on: a real runtime, hospitals of their own, HTTP and sockets.
//!
//! **Invariant:** a test knows only what any client knows: URLs, messages and close codes. Where it fails, it panics
//! with what it saw.

mod follower;
mod hospital;
mod http;
mod proxy;
mod secrets;
mod server;
mod socket;

pub use follower::{Follower, Notes};
pub use hospital::{Hospital, PASSWORD, SLOW};
pub use http::{Answer, Session, request, request_from};
pub use proxy::Proxy;
pub use secrets::keep_out_of_logs;
pub use server::{Build, METRICS_TOKEN, Server, database_in, either, open, strict, xtask};
pub use socket::{Closed, Socket};
