//! Faults inside the Worker: panics, hangs, a failing alarm, a clock that jumps.

use std::time::{Duration, Instant};

use futures_util::future::join;
use rollcall_tests::{Answer, Follower, Hospital, Server, Session, request};
use serde_json::json;
use tokio::time::sleep;

use crate::{as_heard, audit, connections_lost, counts, faulty, report, state_equals_history};

/// No request waits longer (promise 7).
const PATIENCE: Duration = Duration::from_secs(10);

async fn get(server: &Server, path: &str) -> Answer {
    request(server, "GET", path, &[], None).await
}

/// Tries until it works: what comes right after a panic may still meet it.
async fn go_live(doctor: &Session) -> u64 {
    let began = Instant::now();
    loop {
        let answer = doctor.post("/api/users/login-status/", json!({})).await;
        if answer.status == 200 {
            return answer.json()["seq"].as_u64().unwrap();
        }
        assert!(began.elapsed() < PATIENCE, "{answer:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_panic_answers_its_caller_and_the_next_request_works() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann, bob) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    let mut dashboard = hospital.dashboard("").await;
    dashboard.json().await;

    let mut slowest = Duration::ZERO;
    for fault in ["worker", "room/panic", "room/hang"] {
        if fault != "worker" {
            get(server, &format!("/faults/arm/{}/{fault}", hospital.id)).await;
        }
        let began = Instant::now();
        let answer = match fault {
            "worker" => get(server, "/faults/panic").await,
            _ => ann.post("/api/users/login-status/", json!({})).await,
        };
        slowest = slowest.max(began.elapsed());
        assert_eq!(answer.refusal(), (503, "unavailable".into()), "{fault}");
        assert!(began.elapsed() < PATIENCE, "{fault}: {:?}", began.elapsed());
        assert_eq!(get(server, "/healthz").await.status, 200, "after {fault}");
    }
    go_live(&ann).await;
    assert_eq!(dashboard.json().await["seq"], 1, "the sockets outlived it");
    go_live(&bob).await;
    assert_eq!(dashboard.json().await["seq"], 2);
    state_equals_history(&ann, &audit(&admin).await).await;
    report(
        14,
        "a_panic_answers_its_caller_and_the_next_request_works",
        format!(
            "a panic in the Worker, one in the room, a room that hangs: callers answered within {:.1} s",
            slowest.as_secs_f64()
        ),
        "nothing: the next request works, sockets stay",
    );
}

#[tokio::test]
async fn how_many_are_connected_is_told_though_a_panic_ended_the_timer_that_would_have() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let mut dashboard = hospital.dashboard("?connections=1").await;
    dashboard.json().await;
    let mut ann = hospital.connect("ann").await;
    ann.text().await;
    assert_eq!(get(server, "/faults/panic").await.status, 503);
    assert_eq!(dashboard.json().await, json!({"type": "connections", "connections": 1}));
}

#[tokio::test]
async fn what_a_panic_left_unannounced_is_announced_without_another_call() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboard = hospital.dashboard("").await;
    dashboard.json().await;
    get(server, &format!("/faults/arm/{}/committed/panic", hospital.id)).await;
    let began = Instant::now();
    let heard = async {
        let event = dashboard.json().await;
        (event, began.elapsed())
    };
    let (answer, (event, heard)) = join(ann.post("/api/users/login-status/", json!({})), heard).await;
    assert!(answer.status >= 500, "{answer:?}");
    assert!(heard < Duration::from_secs(5), "{heard:?}");
    assert_eq!(event, as_heard(audit(&admin).await[0].clone()));
    report(
        14,
        "what_a_panic_left_unannounced_is_announced_without_another_call",
        format!("a panic between commit and announcement: announced {:.1} s later", heard.as_secs_f64()),
        "nothing",
    );
}

#[tokio::test]
async fn who_was_sent_away_is_not_served_later() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann, bob) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    get(server, &format!("/faults/arm/{}/committed/slow", hospital.id)).await;
    let waits = async {
        sleep(Duration::from_millis(300)).await;
        bob.post("/api/users/login-status/", json!({})).await
    };
    let (slow, waited) = join(ann.go_live(), waits).await;
    assert_eq!(slow["changed"], true);
    assert_eq!(waited.refusal(), (503, "unavailable".into()));
    sleep(Duration::from_secs(1)).await;
    let events = audit(&admin).await;
    assert_eq!(events.len(), 1, "only what was acknowledged");
    state_equals_history(&bob, &events).await;
    report(
        14,
        "who_was_sent_away_is_not_served_later",
        "the database takes 6 s for a call while another waits: that one is refused after 4 s".into(),
        "nothing; and nothing is done behind the second caller's back",
    );
}

#[tokio::test]
async fn an_event_that_the_room_missed_is_announced_when_somebody_resumes_far_back() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    for _ in 0..10 {
        ann.go_live().await;
        ann.leave().await;
    }
    // Asleep by then; it wakes with ten events.
    sleep(Duration::from_secs(16)).await;
    let mut dashboard = admin.socket("/ws/doctor-status/", true).await;
    assert_eq!(dashboard.json().await["seq"], 20);
    get(server, &format!("/faults/arm/{}/committed/error", hospital.id)).await;
    assert_eq!(ann.post("/api/users/login-status/", json!({})).await.status, 503);
    let mut deep = admin.socket("/ws/doctor-status/?since=1", true).await;
    assert_eq!(deep.json().await["seq"], 2);
    assert_eq!(dashboard.json().await["seq"], 21);
}

#[tokio::test]
async fn nobody_on_duty_keeps_no_alarm_ringing() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let mut connection = hospital.connect("ann").await;
    connection.json().await;
    drop(connection);
    // Her grace has run out by then, and there is nothing to record.
    sleep(Duration::from_secs(4)).await;
    let queries = async || counts(server).await.queries;
    let before = queries().await;
    sleep(Duration::from_secs(4)).await;
    let asked = queries().await - before;
    assert!(asked < 8, "{asked} queries in 4 s for nothing");
}

#[tokio::test]
async fn an_alarm_that_fails_is_set_again() {
    let (server, _turn) = faulty().await;
    for fault in ["error", "panic"] {
        let hospital = Hospital::fresh(server);
        let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
        let mut dashboard = Follower::start(server, admin.authorization());
        let mut connection = hospital.connect("ann").await;
        connection.json().await;
        ann.go_live().await;
        dashboard.hears(1, Duration::from_secs(5)).await;
        // The alarm of that call has rung by then.
        sleep(Duration::from_secs(4)).await;
        let began = Instant::now();
        drop(connection);
        sleep(Duration::from_millis(200)).await;
        get(server, &format!("/faults/arm/{}/alarm/{fault}", hospital.id)).await;
        dashboard.hears(2, Duration::from_secs(40)).await;
        let took = began.elapsed();
        assert_eq!(get(server, "/faults/armed").await.json(), false, "it has struck");
        let events = audit(&admin).await;
        assert_eq!((events.len(), connections_lost(&events)), (2, 1));
        report(
            13,
            &format!("an_alarm_that_fails_is_set_again ({fault})"),
            format!(
                "the alarm meets a fault ({fault}) while a doctor is gone; grace 2 s: logged out after {:.1} s",
                took.as_secs_f64()
            ),
            "nothing: one logout",
        );
    }
}

#[tokio::test]
async fn a_clock_that_jumps_keeps_the_order_and_revives_no_token() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    ann.go_live().await;
    let day = 24 * 3600;
    get(server, &format!("/faults/clock/{day}")).await;
    assert_eq!(ann.post("/api/users/logout-status/", json!({})).await.refusal(), (401, "invalid_token".into()));
    let tomorrow = hospital.sign_in("bob").await;
    tomorrow.go_live().await;
    get(server, "/faults/clock/0").await;
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
