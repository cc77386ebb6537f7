//! Faults, against the real runtime: what is done to it, and what was lost. `cargo xtask faults` runs them at full
//! length and prints the table of `docs/reliability.md`; `cargo xtask test` runs them bounded.
//!
//! **Invariant:** a fault talks to 127.0.0.1 only, is bounded, and ends only what it started.

mod archive;
mod calls;
mod changes;
mod clock;
mod costs;
mod crashes;
mod entrances;
mod inside;
mod presence;
mod rebuild;
mod sessions;
mod sockets;
mod tokens;
mod users;

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use rollcall_tests::{Answer, Build, Closed, Hospital, Server, Session, Socket, keep_out_of_logs, request};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::sleep,
};

/// No request waits longer (promise 7).
const PATIENCE: Duration = Duration::from_secs(10);

/// What is missing is announced within this time (promise 2).
const RECOVERY: Duration = Duration::from_secs(5);

/// D1 has what a room recorded within this time, if it answers: two seconds, and some for a machine that is busy.
const CARRIED_OVER: Duration = Duration::from_secs(10);

/// The path of dashboards.
const WATCH: &str = "/ws/doctor-status/";

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

/// A server that may be killed, or whose database may be locked or written to: the runtime does not wait for others.
async fn fragile() -> (&'static Server, MutexGuard<'static, ()>) {
    static SERVER: Exclusive = Exclusive::new();
    // No other test has hospital 100, which dashboards without a session watch while sockets are open.
    SERVER.take(|| Server::start(&["--var", "DEFAULT_HOSPITAL:100", "--var", "AUTO_LOGOUT_GRACE_SECONDS:5"])).await
}

/// A server with faults on demand, for the tests of what a room does.
async fn faulty() -> (&'static Server, MutexGuard<'static, ()>) {
    static SERVER: Exclusive = Exclusive::new();
    SERVER.take(with_faults).await
}

/// Another one, for the tests of sessions and users, which would wait for the others.
async fn faulty_for_users() -> (&'static Server, MutexGuard<'static, ()>) {
    static SERVER: Exclusive = Exclusive::new();
    SERVER.take(with_faults).await
}

/// Another one, for the tests of the archive, which take long.
async fn faulty_for_archive() -> (&'static Server, MutexGuard<'static, ()>) {
    static SERVER: Exclusive = Exclusive::new();
    SERVER.take(with_faults).await
}

fn with_faults() -> Server {
    let key = format!("TOKEN_KEY:{TOKEN_KEY}");
    Server::start_build(Build::Faults, &["--var", "AUTO_LOGOUT_GRACE_SECONDS:2", "--var", &key])
}

/// The key of the servers with faults, by which a test issues tokens as the Worker does.
const TOKEN_KEY: &str = "a key that only these tests know";

/// The hospital's room meets `fault`: `<point>/<panic, error, hang or slow>`.
async fn arm(server: &Server, hospital: &Hospital, fault: &str) {
    let answer = request(server, "GET", &format!("/faults/arm/{}/{fault}", hospital.id), &[], None).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// No room meets a fault any more.
async fn disarm(server: &Server) {
    request(server, "GET", "/faults/arm/0/none/none", &[], None).await;
}

/// Whether the fault has not struck yet.
async fn is_armed(server: &Server) -> bool {
    request(server, "GET", "/faults/armed", &[], None).await.json() == true
}

/// Waits until the fault has struck.
async fn struck(server: &Server) {
    let began = Instant::now();
    while is_armed(server).await {
        assert!(began.elapsed() < PATIENCE, "the fault did not strike");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Posts nothing until that is answered with success: a request right after a panic may still meet it.
async fn insist(session: &Session, path: &str) -> Value {
    let began = Instant::now();
    loop {
        let answer = session.post_nothing(path).await;
        if answer.status == 200 {
            return answer.json();
        }
        assert!(answer.status >= 500 && began.elapsed() < PATIENCE, "{path}: {answer:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

fn is_unavailable(answer: &Answer) {
    assert_eq!(answer.refusal(), (503, "unavailable".into()));
    assert_eq!(answer.header("retry-after"), "1");
}

async fn is_signed_out(session: &Session) {
    assert_eq!(session.get("/api/users/me/").await.refusal(), (401, "invalid_token".into()));
}

/// How a join is refused.
fn not_accepted() -> Closed {
    Closed { code: 4001, reason: "Email or credentials not accepted".into() }
}

/// How a socket ends with its session.
fn session_ended() -> Closed {
    Closed { code: 4002, reason: "The session ended".into() }
}

/// A user's own connection, joined.
async fn connected(session: &Session) -> Socket {
    let mut socket = session.socket(&format!("/ws/connect/?email={}", session.user.email), false).await;
    assert_eq!(socket.json().await["type"], "connection_established");
    socket
}

/// Resets a password, and returns the temporary one.
async fn reset(admin: &Session, user: &Session) -> String {
    let answer = admin.post_nothing(&format!("/api/users/{}/reset-password/", user.id())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let temporary = answer.json()["temporary_password"].as_str().unwrap().to_string();
    keep_out_of_logs(&temporary);
    temporary
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

impl Counts {
    fn since(self, before: Self) -> Self {
        Self {
            queries: self.queries - before.queries,
            rows_written: self.rows_written - before.rows_written,
            sends: self.sends - before.sends,
        }
    }
}

async fn counts(server: &Server) -> Counts {
    counts_at(server, "/faults/counts").await
}

/// The counts of one hospital's room and of the Worker. Other rooms may archive the work of earlier tests meanwhile.
async fn counts_of(server: &Server, hospital: &Hospital) -> Counts {
    counts_at(server, &format!("/faults/counts/{}", hospital.id)).await
}

async fn counts_at(server: &Server, path: &str) -> Counts {
    serde_json::from_value(request(server, "GET", path, &[], None).await.json()).unwrap()
}

/// What `work` costs before its answer: it begins after the alarms have done what was due, and what it cost is read before
/// the alarm that follows it a second later. An alarm may still ring meanwhile: the least of three times counts.
async fn cost(server: &Server, mut work: impl AsyncFnMut()) -> Counts {
    let mut costs = Vec::new();
    quiet(server).await;
    for _ in 0..3 {
        let before = counts(server).await;
        work().await;
        costs.push(counts(server).await.since(before));
    }
    costs.into_iter().min().unwrap()
}

/// Waits until the server has done nothing that is counted for longer than a room waits before it archives.
async fn quiet(server: &Server) -> Counts {
    let (began, mut latest, mut changed) = (Instant::now(), counts(server).await, Instant::now());
    while changed.elapsed() < Duration::from_millis(2_500) {
        assert!(began.elapsed() < Duration::from_secs(30), "the server does not become quiet");
        sleep(Duration::from_millis(100)).await;
        let now = counts(server).await;
        if now != latest {
            (latest, changed) = (now, Instant::now());
        }
    }
    latest
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
    let mine = audit.iter().filter(|event| event["doctor_id"] == doctor.id());
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
