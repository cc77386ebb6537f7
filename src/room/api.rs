//! The handlers of a hospital's endpoints, one file for each path.

pub mod connections;
pub mod duty;
pub mod events;
pub mod metrics;
pub mod sessions;
pub mod sockets;
pub mod tickets;
pub mod users;
