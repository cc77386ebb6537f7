//! Signing in and out: what time does to tickets, tries and passwords, and what a room or a database does that cannot
//! be reached. What a session may do at all is tested in `tests/e2e/users`.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all, join4};
use rollcall_tests::{
    Answer, Closed, Hospital, PASSWORD, SLOW, Server, Session, Socket, keep_out_of_logs, request, request_from,
};
use serde_json::{Value, json};
use tokio::{sync::MutexGuard, time::sleep};

use crate::{Exclusive, audit, connections_lost, cost, fragile, with_faults};

const WATCH: &str = "/ws/doctor-status/";

const NEW: &str = " a brand new ☤ password ";

const DAY: i64 = 24 * 3600;

/// No request waits longer (promise 7).
const PATIENCE: Duration = Duration::from_secs(10);

/// A server with faults on demand, for one of these tests at a time: the others would wait for them.
async fn faulty() -> (&'static Server, MutexGuard<'static, ()>) {
    static SERVER: Exclusive = Exclusive::new();
    SERVER.take(with_faults).await
}

/// The server's clock: set forward, and right again when dropped, so also when a test fails.
struct Clock(&'static Server);

impl Clock {
    async fn set_forward(&self, seconds: i64) {
        request(self.0, "GET", &format!("/faults/clock/{seconds}"), &[], None).await;
    }
}

impl Drop for Clock {
    /// Nothing can be awaited here.
    fn drop(&mut self) {
        let set = || {
            let mut stream = TcpStream::connect(self.0.address.strip_prefix("http://").unwrap_or_default())?;
            stream.write_all(b"GET /faults/clock/0 HTTP/1.1\r\nHost: rollcall\r\nConnection: close\r\n\r\n")?;
            stream.read_to_end(&mut Vec::new())
        };
        if let Err(error) = set() {
            println!("the clock was left as it was: {error}");
        }
    }
}

/// The next call of the hospital's room meets `fault`.
async fn arm(server: &Server, hospital: &Hospital, fault: &str) {
    let answer = request(server, "GET", &format!("/faults/arm/{}/{fault}", hospital.id), &[], None).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Waits until the fault has struck.
async fn struck(server: &Server) {
    let began = Instant::now();
    while request(server, "GET", "/faults/armed", &[], None).await.json() == true {
        assert!(began.elapsed() < PATIENCE, "nothing came by");
        sleep(Duration::from_millis(20)).await;
    }
}

fn is_unavailable(answer: &Answer) {
    assert_eq!(answer.refusal(), (503, "unavailable".into()));
    assert_eq!(answer.header("retry-after"), "1");
}

fn not_accepted() -> Closed {
    Closed { code: 4001, reason: "Email or credentials not accepted".into() }
}

fn session_ended() -> Closed {
    Closed { code: 4002, reason: "The session ended".into() }
}

/// Somebody's own connection, joined.
async fn connected(session: &Session) -> Socket {
    let mut socket = session.socket(&format!("/ws/connect/?email={}", session.user.email), false).await;
    assert_eq!(socket.json().await["type"], "connection_established");
    socket
}

async fn sessions(session: &Session) -> Vec<Value> {
    let listed = session.get("/api/users/sessions/").await.json();
    listed["sessions"].as_array().unwrap().clone()
}

/// A temporary password.
async fn reset(admin: &Session, user: &Session) -> String {
    let answer = admin.post_nothing(&format!("/api/users/{}/reset-password/", user.user.id)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let temporary = answer.json()["temporary_password"].as_str().unwrap().to_string();
    keep_out_of_logs(&temporary);
    temporary
}

#[tokio::test]
async fn a_ticket_is_none_after_thirty_seconds() {
    let (server, _turn) = faulty().await;
    let clock = Clock(server);
    let hospital = Hospital::fresh(server);
    let admin = hospital.sign_in("admin").await;
    let join = async |ticket: &str| Socket::open(server, &format!("{WATCH}?ticket={ticket}"), &[], true).await;

    let ticket = admin.ticket(WATCH).await;
    clock.set_forward(31).await;
    assert_eq!(join(&ticket).await.closed().await, not_accepted(), "31 s old");
    clock.set_forward(0).await;
    assert_eq!(join(&ticket).await.closed().await, not_accepted(), "no ticket comes alive when the clock is set back");

    // The clock also goes by itself: where this machine is so slow that a second passes meanwhile, it is tried again.
    for _ in 0..5 {
        let began = Instant::now();
        let ticket = admin.ticket(WATCH).await;
        clock.set_forward(29).await;
        let mut dashboard = join(&ticket).await;
        let took = began.elapsed();
        clock.set_forward(0).await;
        if took < Duration::from_millis(900) {
            assert_eq!(dashboard.json().await["type"], "snapshot", "29 s old");
            return;
        }
    }
    panic!("too slow to tell");
}

#[tokio::test]
async fn who_failed_five_times_may_try_again_after_five_minutes() {
    let (server, _turn) = faulty().await;
    let clock = Clock(server);
    let email = Hospital::fresh(server).email("ann");
    let login = async |password: &str| {
        let body = json!({"email": email, "password": password});
        request_from(server, "203.0.113.21", "POST", "/api/users/login/", Some(body)).await
    };
    let began = Instant::now();
    for _ in 0..5 {
        assert_eq!(login("wrong").await.refusal(), (401, "invalid_credentials".into()));
    }
    for (forward, left) in [(0, 300), (100, 200), (290, 10)] {
        clock.set_forward(forward).await;
        let answer = login(PASSWORD).await;
        assert_eq!(answer.refusal(), (429, "throttled".into()), "after {forward} s");
        // The clock also goes by itself.
        let slack = 1 + began.elapsed().as_secs();
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!(
            seconds <= left && left <= seconds + slack,
            "{seconds} s to wait after {forward} s and up to {slack} s"
        );
    }
    // Who was told to wait and tries nevertheless does not wait longer.
    for _ in 0..5 {
        assert_eq!(login(PASSWORD).await.status, 429);
    }
    clock.set_forward(301).await;
    assert_eq!(login(PASSWORD).await.status, 200);
}

/// The look-up comes before the hash: who is not looked up is not verified either, not even against the dummy.
#[tokio::test]
async fn who_has_to_wait_is_not_looked_up_let_alone_hashed() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    for name in ["ann", "nobody"] {
        let body = json!({"email": hospital.email(name), "password": PASSWORD.trim()});
        let fail = async || request_from(server, "203.0.113.11", "POST", "/api/users/login/", Some(body.clone())).await;
        for _ in 0..5 {
            assert_eq!(fail().await.status, 401);
        }
        // The first one that is refused is recorded, with whom it was for.
        assert_eq!(fail().await.status, 429);
        let refused = async || assert_eq!(fail().await.refusal(), (429, "throttled".into()));
        assert_eq!(cost(server, refused).await.queries, 0, "{name}");
    }
}

#[tokio::test]
async fn a_temporary_password_is_none_after_three_days() {
    let (server, _turn) = faulty().await;
    let clock = Clock(server);
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let temporary = reset(&admin, &ann).await;
    let login =
        async |password: &str| hospital.login(json!({"email": hospital.email("ann"), "password": password})).await;

    clock.set_forward(3 * DAY - 60).await;
    let session = Session::of(server, &login(&temporary).await);
    clock.set_forward(3 * DAY).await;
    let (late, wrong) = (login(&temporary).await, login("wrong").await);
    assert_eq!(late.refusal(), (401, "invalid_credentials".into()));
    assert_eq!(late.text, wrong.text, "nobody learns that it was the right one");

    // The session that was opened in time is what it was: good for choosing another password, and nothing else.
    assert_eq!(session.get("/api/users/me/").await.json()["must_change_password"], true);
    for path in ["/api/users/online-doctors/", "/api/users/sessions/"] {
        assert_eq!(session.get(path).await.refusal(), (403, "password_change_required".into()), "{path}");
    }
    let connect = format!("/ws/connect/?email={}", hospital.email("ann"));
    assert_eq!(session.socket(&connect, false).await.closed().await.code, 4003);
    // But the temporary password is none there either.
    let change = json!({"current_password": temporary, "new_password": NEW});
    let answer = session.post("/api/users/password/", change.clone()).await;
    assert_eq!((answer.status, &answer.json()["field"]), (400, &json!("current_password")));
    clock.set_forward(3 * DAY - 60).await;
    assert_eq!(session.post("/api/users/password/", change).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_a_token_is_not_looked_up() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let connect = format!("/ws/connect/?email={}", hospital.email("ann"));
    let refused = async |name: &str, value: &str| {
        let headers = [(name, value)];
        assert_eq!(request(server, "GET", "/api/users/me/", &headers, None).await.status, 401);
    };
    let not_joined = async |path: &str, headers: &[(&str, &str)]| {
        assert_eq!(Socket::open(server, path, headers, false).await.closed().await, not_accepted());
    };
    // What has the form of a token is looked up: the counter counts.
    let unknown = format!("Token {}", "0".repeat(64));
    assert_eq!(cost(server, async || refused("authorization", &unknown).await).await.queries, 1);

    let long = "a".repeat(10_240);
    let hex = |digits: &str| digits.repeat(64);
    for none in ["", "schlüssel", &long, "a b", &hex("g"), &hex("A"), &"0".repeat(63), &"0".repeat(65)] {
        let (header, cookie) = (format!("Token {none}"), format!("rollcall_session={none}"));
        for (name, value) in [("authorization", &header), ("cookie", &cookie)] {
            assert_eq!(cost(server, async || refused(name, value).await).await.queries, 0, "{value:.30}");
        }
        let encoded = none.replace('ü', "%C3%BC").replace(' ', "%20");
        let asks = [
            (WATCH.to_string(), Some(&header)),
            (connect.clone(), Some(&header)),
            (format!("{WATCH}?ticket={encoded}"), None),
            (format!("{connect}&ticket={encoded}"), None),
        ];
        for (path, header) in asks {
            let headers: Vec<_> = header.iter().map(|header| ("authorization", header.as_str())).collect();
            let cost = cost(server, async || not_joined(&path, &headers).await).await.queries;
            assert_eq!(cost, 0, "{path:.60} {none:.30}");
        }
    }
}

#[tokio::test]
async fn a_logout_that_does_not_reach_the_room_ends_nothing_and_can_be_repeated() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let ann = hospital.sign_in("ann").await;
    let mut socket = connected(&ann).await;
    arm(server, &hospital, "room/error").await;
    is_unavailable(&ann.post_nothing("/api/users/logout/").await);
    socket.hears_nothing().await;
    assert_eq!(ann.get("/api/users/me/").await.status, 200);
    connected(&ann).await;

    assert_eq!(ann.post_nothing("/api/users/logout/").await.status, 204);
    assert_eq!(socket.closed().await, session_ended());
    assert_eq!(ann.get("/api/users/me/").await.refusal(), (401, "invalid_token".into()));
}

#[tokio::test]
async fn a_session_that_is_ended_from_another_one_ends_in_the_room_or_not_at_all() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (lost, kept) = (hospital.sign_in("ann").await, hospital.sign_in("ann").await);
    let (mut lost_socket, mut kept_socket) = (connected(&lost).await, connected(&kept).await);
    let of_lost = format!("/api/users/sessions/{}/", sessions(&kept).await[1]["id"]);
    arm(server, &hospital, "room/error").await;
    is_unavailable(&kept.delete(&of_lost).await);
    lost_socket.hears_nothing().await;
    assert_eq!(lost.get("/api/users/me/").await.status, 200);
    assert_eq!(sessions(&kept).await.len(), 2);
    connected(&lost).await;

    assert_eq!(kept.delete(&of_lost).await.status, 204);
    assert_eq!(lost_socket.closed().await, session_ended());
    assert_eq!(lost.get("/api/users/me/").await.refusal(), (401, "invalid_token".into()));
    kept_socket.hears_nothing().await;
    assert_eq!(sessions(&kept).await.len(), 1);
}

#[tokio::test]
async fn a_password_whose_change_does_not_reach_the_room_is_the_old_one() {
    keep_out_of_logs(NEW);
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (here, elsewhere) = (hospital.sign_in("ann").await, hospital.sign_in("ann").await);
    let (mut first, mut second) = (connected(&here).await, connected(&elsewhere).await);
    let login =
        async |password: &str| hospital.login(json!({"email": hospital.email("ann"), "password": password})).await;
    let change =
        async || here.post("/api/users/password/", json!({"current_password": PASSWORD, "new_password": NEW})).await;
    arm(server, &hospital, "room/error").await;
    is_unavailable(&change().await);
    first.hears_nothing().await;
    second.hears_nothing().await;
    for session in [&here, &elsewhere] {
        assert_eq!(session.get("/api/users/me/").await.status, 200);
        connected(session).await;
    }
    assert_eq!(login(NEW).await.refusal(), (401, "invalid_credentials".into()));
    let meanwhile = Session::of(server, &login(PASSWORD).await);

    let new = Session::of(server, &change().await);
    assert_eq!(first.closed().await, session_ended());
    assert_eq!(second.closed().await, session_ended());
    for dead in [&here, &elsewhere, &meanwhile] {
        assert_eq!(dead.get("/api/users/me/").await.refusal(), (401, "invalid_token".into()));
    }
    connected(&new).await;
    assert_eq!(login(PASSWORD).await.refusal(), (401, "invalid_credentials".into()));
    assert_eq!(login(NEW).await.status, 200);
}

#[tokio::test]
async fn a_deactivation_that_does_not_reach_the_room_is_completed_by_its_repetition() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut socket = connected(&ann).await;
    // Of no session: where sockets are open, an email is enough.
    let mut named = hospital.connect("ann").await;
    named.json().await;
    ann.go_live().await;
    let mut dashboard = admin.socket(WATCH, true).await;
    dashboard.json().await;
    let deactivate = async || admin.patch(&format!("/api/users/{}/", ann.user.id), json!({"is_active": false})).await;
    arm(server, &hospital, "room/error").await;
    is_unavailable(&deactivate().await);
    assert_eq!(ann.get("/api/users/me/").await.refusal(), (401, "invalid_token".into()), "she is locked out at once");
    dashboard.hears_nothing().await;

    let answer = deactivate().await;
    assert_eq!((answer.status, &answer.json()["is_live"]), (200, &json!(false)), "{answer:?}");
    assert_eq!(socket.closed().await, session_ended());
    assert_eq!(named.closed().await, session_ended());
    let event = dashboard.json().await;
    assert_eq!((&event["action"], &event["reason"]), (&json!("logout"), &json!("admin")));
    // The grace of two seconds has run out by then, and a third time changes nothing.
    sleep(Duration::from_secs(4)).await;
    assert_eq!(deactivate().await.status, 200);
    let events = audit(&admin).await;
    let actions: Vec<_> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!((actions.as_slice(), connections_lost(&events)), (&["login", "logout"][..], 0));
}

#[tokio::test]
async fn a_change_of_role_that_does_not_reach_the_room_is_completed_by_its_repetition() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut socket = connected(&ann).await;
    ann.go_live().await;
    let change = async || admin.patch(&format!("/api/users/{}/", ann.user.id), json!({"role": "user"})).await;
    arm(server, &hospital, "room/error").await;
    is_unavailable(&change().await);
    assert_eq!(ann.get("/api/users/me/").await.refusal(), (401, "invalid_token".into()));

    // By then she has that role, and no good session.
    assert_eq!(change().await.status, 200);
    assert_eq!(socket.closed().await, session_ended());
    let events = audit(&admin).await;
    let actions: Vec<_> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["login", "logout"]);
}

#[tokio::test]
async fn a_reset_password_that_does_not_reach_the_room_is_completed_by_its_repetition() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut socket = connected(&ann).await;
    arm(server, &hospital, "room/error").await;
    is_unavailable(&admin.post_nothing(&format!("/api/users/{}/reset-password/", ann.user.id)).await);
    let old = hospital.login(json!({"email": hospital.email("ann"), "password": PASSWORD})).await;
    assert_eq!(old.refusal(), (401, "invalid_credentials".into()), "the old password is gone at once");

    let temporary = reset(&admin, &ann).await;
    assert_eq!(socket.closed().await, session_ended());
    assert!(Session::open(server, &hospital.email("ann"), &temporary).await.user.must_change_password);
}

#[tokio::test]
async fn who_is_signed_out_while_joining_does_not_get_in() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let admin = hospital.sign_in("admin").await;
    let mut joining = Vec::new();
    for path in [WATCH.to_string(), format!("/ws/connect/?email={}", hospital.email("admin"))] {
        // Held up on its way into the room, after the session was found to be good.
        arm(server, &hospital, "room/slow").await;
        let admin = admin.clone();
        joining.push(tokio::spawn(async move { admin.socket(&path, true).await.closed().await }));
        struck(server).await;
    }
    assert_eq!(admin.post_nothing("/api/users/logout/").await.status, 204);
    assert!(joining.iter().all(|join| !join.is_finished()), "too slow to tell");
    for join in joining {
        assert_eq!(join.await.unwrap(), session_ended());
    }
}

#[tokio::test]
async fn who_is_signed_out_while_waiting_for_a_turn_does_not_get_in() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    // It is somebody else's turn for six seconds, of which nobody waits for more than four.
    arm(server, &hospital, "committed/slow").await;
    let busy = tokio::spawn(async move { ann.go_live().await });
    struck(server).await;
    sleep(Duration::from_secs(3)).await;
    let waiting = admin.clone();
    let join = tokio::spawn(async move { waiting.socket(WATCH, true).await.closed().await });
    // It waits by then.
    sleep(Duration::from_secs(1)).await;
    assert_eq!(admin.post_nothing("/api/users/logout/").await.status, 204);
    assert!(!busy.is_finished() && !join.is_finished(), "too slow to tell");
    assert_eq!(join.await.unwrap(), session_ended());
    assert_eq!(busy.await.unwrap()["changed"], true);
}

#[tokio::test]
async fn while_the_database_is_locked_nobody_gets_in_and_afterwards_everybody() {
    keep_out_of_logs(NEW);
    let (server, _turn) = fragile().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut socket = connected(&ann).await;
    let login = async |name: &str| hospital.login(json!({"email": hospital.email(name), "password": PASSWORD})).await;
    let everything = async || {
        let change = json!({"current_password": PASSWORD, "new_password": NEW});
        join4(
            login("bob"),
            admin.post("/api/ws-ticket/", json!({"path": WATCH})),
            admin.get("/api/users/"),
            ann.post("/api/users/password/", change),
        )
        .await
    };

    let database = server.database();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let began = Instant::now();
    let (bob, ticket, users, change) = everything().await;
    let slowest = began.elapsed();
    // Before anything is asserted: nobody else is to find it locked.
    database.execute_batch("COMMIT").unwrap();
    drop(database);
    [bob, ticket, users, change].iter().for_each(is_unavailable);
    assert!(slowest < PATIENCE, "{slowest:?}");

    let recovering = Instant::now();
    while admin.get("/api/users/me/").await.status != 200 {
        assert!(recovering.elapsed() < Duration::from_secs(5), "it did not recover");
        sleep(Duration::from_millis(100)).await;
    }
    socket.hears_nothing().await;
    Session::of(server, &login("ann").await);
    let (bob, ticket, users, change) = everything().await;
    assert_eq!([bob.status, ticket.status, users.status, change.status], [200; 4]);
    assert_eq!(socket.closed().await, session_ended());
    assert_eq!(sessions(&Session::of(server, &bob)).await.len(), 1, "none was opened by the login that was refused");
    assert_eq!(sessions(&Session::of(server, &change)).await.len(), 1);
}

/// The lock comes while their passwords are verified: some were looked up already, some not, some are in.
#[tokio::test]
async fn a_login_that_is_answered_with_503_opens_no_session() {
    let (server, _turn) = fragile().await;
    let hospital = Hospital::of_slow_hashes(server);
    let opened = || {
        let sql = "SELECT COUNT(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.hospital_id = ?1";
        server.database().query_row(sql, [hospital.id], |row| row.get::<_, u32>(0)).unwrap()
    };
    let login = async |n| {
        let body = json!({"email": hospital.email(&format!("active{n}")), "password": PASSWORD});
        hospital.login(body).await
    };
    let (mut admitted, mut refused) = (0, 0);
    for milliseconds in [0, 30, 60, 90, 120, 150, 180] {
        let locked = async {
            sleep(Duration::from_millis(milliseconds)).await;
            let database = server.database();
            // A login may be writing just now.
            database.busy_timeout(Duration::from_secs(3)).unwrap();
            database.execute_batch("BEGIN EXCLUSIVE").unwrap();
            database
        };
        let (answers, database) = join(join_all((0..SLOW).map(login)), locked).await;
        database.execute_batch("COMMIT").unwrap();
        drop(database);
        for answer in &answers {
            if answer.status == 200 {
                keep_out_of_logs(answer.json()["token"].as_str().unwrap());
                admitted += 1;
            } else {
                is_unavailable(answer);
                refused += 1;
            }
        }
        // What was answered with 503 counts as a failure; too many in a row would be throttled.
        for answer in join_all((0..SLOW).map(login)).await {
            assert_eq!(answer.status, 200, "{answer:?}");
            keep_out_of_logs(answer.json()["token"].as_str().unwrap());
            admitted += 1;
        }
    }
    // What was given up may be carried out late; not this.
    sleep(Duration::from_secs(1)).await;
    assert!(refused > 0, "the lock came too late each time");
    assert_eq!(opened(), admitted);
}

#[tokio::test]
async fn what_is_remembered_of_a_caller_lets_nobody_in() {
    let (server, _turn) = fragile().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let login = async || ann.post("/api/users/login-status/", json!({})).await;
    for (now, before, refused) in [
        ("users SET role = 'user'", "users SET role = 'doctor'", (403, "permission_denied")),
        ("users SET temporary_until_ms = 1", "users SET temporary_until_ms = NULL", (403, "password_change_required")),
        ("users SET is_active = 0", "users SET is_active = 1", (401, "invalid_token")),
        (
            "sessions SET created_ms = created_ms + 3600000",
            "sessions SET created_ms = created_ms - 3600000",
            (401, "invalid_token"),
        ),
        ("sessions SET revoked_ms = 1", "sessions SET revoked_ms = NULL", (401, "invalid_token")),
        ("sessions SET expires_ms = 1", "sessions SET expires_ms = 9999999999999", (401, "invalid_token")),
    ] {
        // Remembered from then on, in every isolate of one.
        ann.go_live().await;
        ann.leave().await;
        let events = audit(&admin).await.len();
        let whose = if now.starts_with("users") { "id" } else { "user_id" };
        let set = |what: &str| {
            server.database().execute(&format!("UPDATE {what} WHERE {whose} = ?1"), [ann.user.id]).unwrap();
        };
        set(now);
        assert_eq!(login().await.refusal(), (refused.0, refused.1.to_string()), "{now}");
        set(before);
        assert_eq!(audit(&admin).await.len(), events, "{now}");
    }
    assert_eq!(login().await.status, 401, "what has expired stays expired");
}
