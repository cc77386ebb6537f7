//! What time does: to tickets, tries, passwords and sessions; and a clock that jumps.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use chrono::{TimeDelta, Utc};
use rollcall_tests::{Hospital, PASSWORD, Server, Session, Socket, request, request_from};
use serde_json::json;
use tokio::time::sleep;

use crate::{WATCH, as_heard, audit, faulty, faulty_for_users, fragile, is_signed_out, not_accepted, report, reset};

const NEW: &str = " a brand new ☤ password ";

const DAY: i64 = 24 * 3600;

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

#[tokio::test]
async fn a_ticket_is_none_after_thirty_seconds() {
    let (server, _turn) = faulty_for_users().await;
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
async fn a_caller_who_failed_five_times_may_try_again_after_five_minutes() {
    let (server, _turn) = faulty_for_users().await;
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
    // A caller that tries although it was told to wait does not wait longer.
    for _ in 0..5 {
        assert_eq!(login(PASSWORD).await.status, 429);
    }
    clock.set_forward(301).await;
    assert_eq!(login(PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_temporary_password_is_none_after_three_days() {
    let (server, _turn) = faulty_for_users().await;
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

/// Its room wakes with a session that is about to expire.
#[tokio::test]
async fn a_session_that_expires_takes_its_sockets_with_it() {
    let (server, _turn) = fragile().await;
    let hospital = Hospital::fresh(server);
    let admin = hospital.sign_in("admin").await;
    server.stop();
    // Long enough for the runtime to start.
    let expires = Utc::now() + TimeDelta::seconds(20);
    let storage = server.room_storage(hospital.id);
    let sql = "UPDATE sessions SET expires_ms = ?1 WHERE user_id = ?2";
    assert_eq!(storage.execute(sql, [expires.timestamp_millis(), admin.id()]).unwrap(), 1);
    drop(storage);
    server.restart();
    let mut dashboard = admin.socket(WATCH, true).await;
    dashboard.json().await;
    // Comes later, and has to be looked at later: the alarm stays where it is.
    let mut other = hospital.connect("user").await;
    other.json().await;
    let left = expires - Utc::now();
    assert!(left > TimeDelta::seconds(1), "too slow to tell");
    sleep(left.to_std().unwrap() - Duration::from_secs(1)).await;
    assert_eq!(dashboard.closed().await.code, 4002);
    assert!(Utc::now() >= expires, "it ended too early");
    other.hears_nothing().await;
    is_signed_out(&admin).await;
}

#[tokio::test]
async fn a_clock_that_jumps_keeps_the_order_and_revives_no_token() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    ann.go_live().await;
    let clock = Clock(server);
    clock.set_forward(DAY).await;
    assert_eq!(ann.post("/api/users/logout-status/", json!({})).await.refusal(), (401, "invalid_token".into()));
    let tomorrow = hospital.sign_in("bob").await;
    tomorrow.go_live().await;
    clock.set_forward(0).await;
    for dead in [&ann, &tomorrow] {
        let answer = dead.post("/api/users/logout-status/", json!({})).await;
        assert_eq!(answer.refusal(), (401, "invalid_token".into()), "no token comes alive");
    }
    let bob = hospital.sign_in("bob").await;
    bob.leave().await;
    let events = audit(&admin).await;
    let seqs: Vec<_> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [1, 2, 3]);
    assert!(events[1]["timestamp"].as_str() > events[2]["timestamp"].as_str(), "the clock did jump");
    let mut dashboard = hospital.dashboard("?since=0").await;
    for event in events {
        assert_eq!(dashboard.json().await, as_heard(event));
    }
    report(
        11,
        "a_clock_that_jumps_keeps_the_order_and_revives_no_token",
        "the clock jumps by a day, and back".into(),
        "nothing: order by `seq`; tokens that had expired stay dead, and so do those of the day that was not",
    );
}
