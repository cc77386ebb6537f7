//! What operators see: log lines, counters, and the request that they are about; and how an error becomes an answer.

pub mod context;
pub mod error;
pub mod http;
pub mod log;
pub mod metrics;
pub mod response;
pub mod routes;
