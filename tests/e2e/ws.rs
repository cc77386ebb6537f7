//! `/ws/…`

mod connect;
mod doctor_status;
mod strict;
mod tickets;
