//! Faults, against the real runtime: what is done to it, and what was lost. `cargo xtask faults` runs them at full
//! length and prints the table of `docs/reliability.md`; `cargo xtask test` runs them bounded.
//!
//! **Invariant:** a fault talks to 127.0.0.1 only, is bounded, and ends only what it started.

mod calls;
mod costs;
mod crashes;
mod inside;
mod presence;
mod relays;
mod sessions;
mod sockets;

use std::sync::OnceLock;

use rollcall_tests::{Build, Server, Session, request};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

/// How much is done of what can be done often.
fn scaled(bounded: usize, full: usize) -> usize {
    if std::env::var_os("ROLLCALL_FAULTS_FULL").is_some() { full } else { bounded }
}

/// Hands a row of the table to `cargo xtask faults`.
fn report(fault: u8, test: &str, done: String, lost: &str) {
    println!("fault {fault}: {done}: {lost}");
    if let Some(directory) = std::env::var_os("ROLLCALL_FAULTS_REPORT") {
        let row = json!({"fault": fault, "test": test, "done": done, "lost": lost});
        let path = std::path::Path::new(&directory).join(format!("{fault:02}-{test}.json"));
        std::fs::write(path, row.to_string()).unwrap();
    }
}

/// A server that one test at a time may kill, or write to the database of: the runtime does not wait for others.
async fn fragile() -> (&'static Server, MutexGuard<'static, ()>) {
    static SERVER: OnceLock<Server> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::const_new(());
    let turn = TURN.lock().await;
    // Hospital 100 is nobody else's: where sockets are open, dashboards without a session watch it.
    let start = || Server::start(&["--var", "DEFAULT_HOSPITAL:100", "--var", "AUTO_LOGOUT_GRACE_SECONDS:5"]);
    (SERVER.get_or_init(start), turn)
}

/// A server with faults on demand, for one test at a time.
async fn faulty() -> (&'static Server, MutexGuard<'static, ()>) {
    static SERVER: OnceLock<Server> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::const_new(());
    let turn = TURN.lock().await;
    let start = || Server::start_build(Build::Faults, &["--var", "AUTO_LOGOUT_GRACE_SECONDS:2"]);
    (SERVER.get_or_init(start), turn)
}

/// So many relays has the server of [`relayed`].
const RELAYS: usize = 3;

/// A server with faults on demand whose dashboards watch relays, for one test at a time.
async fn relayed() -> (&'static Server, MutexGuard<'static, ()>) {
    static SERVER: OnceLock<Server> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::const_new(());
    let turn = TURN.lock().await;
    let start = || Server::start_build(Build::Faults, &["--var", &format!("WATCH_RELAYS:{RELAYS}")]);
    (SERVER.get_or_init(start), turn)
}

/// What a server with faults on demand has done since it began.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Counts {
    /// Round trips to D1.
    queries: u64,
    /// Rows written there.
    rows_written: u64,
    /// Events sent to dashboards, times dashboards.
    sends: u64,
}

async fn counts(server: &Server) -> Counts {
    let answer = request(server, "GET", "/faults/counts", &[], None).await;
    serde_json::from_value(answer.json()).unwrap()
}

/// A server that goes on working.
fn calm() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(&["--var", "AUTO_LOGOUT_GRACE_SECONDS:5"]))
}

/// The whole history, page by page, ascending.
async fn audit(admin: &Session) -> Vec<Value> {
    let (mut events, mut since) = (Vec::new(), json!(0));
    while !since.is_null() {
        let page = admin.get(&format!("/api/events/?limit=1000&since={since}")).await.json();
        events.extend(page["events"].as_array().unwrap().iter().cloned());
        since = page["next"].clone();
    }
    events
}

/// An audit's event as dashboards hear it.
fn as_heard(mut event: Value) -> Value {
    event.as_object_mut().unwrap().remove("actor_id");
    event
}

/// Replays the history, and compares the outcome with a doctor's state.
async fn state_equals_history(doctor: &Session, audit: &[Value]) {
    let me = doctor.get("/api/users/me/").await.json();
    let mine = audit.iter().filter(|event| event["doctor_id"] == doctor.user.id);
    let live = mine.clone().rfind(|event| event["type"] == "doctor_login_logout");
    assert_eq!(me["is_live"], live.is_some_and(|event| event["action"] == "login"), "{me} after {live:?}");
    let free = mine.clone().rfind(|event| event["type"] == "doctor_status_change");
    let free = free.is_some_and(|event| event["is_available_for_consultation"] == true);
    assert_eq!(me["is_available_for_consultation"], free);
}

/// The events that were recorded because a connection was lost.
fn connections_lost(audit: &[Value]) -> usize {
    audit.iter().filter(|event| event["reason"] == "connection_lost").count()
}
