//! The parts of a room that is awake, each with its own private state. What the room does with them is next to this folder.

pub mod alarm;
pub mod archive_pace;
pub mod connections;
pub mod presence;
pub mod sockets;
