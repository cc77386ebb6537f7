//! `/ws/…`

mod connect;
mod connection_count;
mod doctor_status;
mod sleep;
mod strict;
mod tickets;
