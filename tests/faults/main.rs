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

/// A server that is one test's at a time.
struct Exclusive {
    server: OnceLock<Server>,
    turn: Mutex<()>,
}

impl Exclusive {
    const fn new() -> Self {
        Self { server: OnceLock::new(), turn: Mutex::const_new(()) }
    }

    /// Waits until nobody else has it; `start` is for the first who does.
    async fn take(&'static self, start: impl FnOnce() -> Server) -> (&'static Server, MutexGuard<'static, ()>) {
        let turn = self.turn.lock().await;
        (self.server.get_or_init(start), turn)
    }
}

/// A server that may be killed, or whose database may be written to: the runtime does not wait for others.
async fn fragile() -> (&'static Server, MutexGuard<'static, ()>) {
    static SERVER: Exclusive = Exclusive::new();
    // Hospital 100 is nobody else's: where sockets are open, dashboards without a session watch it.
    SERVER.take(|| Server::start(&["--var", "DEFAULT_HOSPITAL:100", "--var", "AUTO_LOGOUT_GRACE_SECONDS:5"])).await
}

/// A server with faults on demand.
async fn faulty() -> (&'static Server, MutexGuard<'static, ()>) {
    static SERVER: Exclusive = Exclusive::new();
    SERVER.take(with_faults).await
}

fn with_faults() -> Server {
    Server::start_build(Build::Faults, &["--var", "AUTO_LOGOUT_GRACE_SECONDS:2"])
}

/// So many relays has the server of [`relayed`].
const RELAYS: usize = 3;

/// A server with faults on demand whose dashboards watch relays.
async fn relayed() -> (&'static Server, MutexGuard<'static, ()>) {
    static SERVER: Exclusive = Exclusive::new();
    SERVER.take(|| Server::start_build(Build::Faults, &["--var", &format!("WATCH_RELAYS:{RELAYS}")])).await
}

/// What a server with faults on demand has done since it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
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

/// What `work` costs. A room's alarm may ring meanwhile, and ask the database: the least of three times counts.
async fn cost(server: &Server, mut work: impl AsyncFnMut()) -> Counts {
    let mut costs = Vec::new();
    for _ in 0..3 {
        let before = counts(server).await;
        work().await;
        let after = counts(server).await;
        costs.push(Counts {
            queries: after.queries - before.queries,
            rows_written: after.rows_written - before.rows_written,
            sends: after.sends - before.sends,
        });
    }
    costs.into_iter().min().unwrap()
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
