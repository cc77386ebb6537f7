//! What the end-to-end tests stand on: a real runtime, hospitals of their own, HTTP and sockets.
//!
//! **Invariant:** a test knows only what any client knows: URLs, messages and close codes. Where it fails, it panics
//! with what it saw.

mod follower;
mod hospital;
mod http;
mod proxy;
mod server;
mod socket;

pub use follower::{Follower, Notes};
pub use hospital::{Hospital, PASSWORD};
pub use http::{Answer, Session, request};
pub use proxy::Proxy;
pub use server::{Build, Server, open, strict};
pub use socket::{Closed, Socket};
