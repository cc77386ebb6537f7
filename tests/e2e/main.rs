//! End-to-end tests: the real runtime with a real database and real sockets. The files mirror the paths they test.

mod backup;
mod clients;
mod cors;
mod deploy;
mod events;
mod hms;
mod import_django;
mod metrics;
mod migrations;
mod originals;
mod production;
mod retention;
mod routing;
mod security_events;
mod table;
mod upgrade;
mod users;
mod ws;
