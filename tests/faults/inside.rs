//! Faults inside the Worker: panics, hangs, a failing alarm.

use std::time::{Duration, Instant};

use futures_util::future::join;
use rollcall_tests::{Answer, Follower, Hospital, Server, request};
use serde_json::json;
use tokio::time::sleep;

use crate::{
    CARRIED_OVER, PATIENCE, RECOVERY, arm, as_heard, audit, connections_lost, disarm, faulty, insist, is_armed, report,
    state_equals_history,
};

const LOGIN: &str = "/api/users/login-status/";

async fn get(server: &Server, path: &str) -> Answer {
    request(server, "GET", path, &[], None).await
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
            arm(server, &hospital, fault).await;
        }
        let began = Instant::now();
        let answer = match fault {
            "worker" => get(server, "/faults/panic").await,
            _ => ann.post(LOGIN, json!({})).await,
        };
        slowest = slowest.max(began.elapsed());
        assert_eq!(answer.refusal(), (503, "unavailable".into()), "{fault}");
        assert!(began.elapsed() < PATIENCE, "{fault}: {:?}", began.elapsed());
        assert_eq!(get(server, "/healthz").await.status, 200, "after {fault}");
    }
    insist(&ann, LOGIN).await;
    assert_eq!(dashboard.json().await["seq"], 1, "the sockets outlived it");
    insist(&bob, LOGIN).await;
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
async fn a_panics_log_line_has_the_javascript_stack() {
    let (server, _turn) = faulty().await;
    let before = server.said().len();
    assert_eq!(get(server, "/faults/panic").await.status, 503);
    // The runtime prints it after the answer.
    let began = Instant::now();
    loop {
        let said = server.said().split_off(before);
        let stack = said.split_once("a fault was asked for").and_then(|(_, panic)| panic.split_once("Stack:"));
        if stack.is_some_and(|(_, stack)| stack.contains("at ") && stack.contains("index.js")) {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{said}");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(get(server, "/healthz").await.status, 200, "the hook of the `worker` crate made a new instance");
}

#[tokio::test]
async fn a_panic_does_not_stop_the_count_of_connections() {
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
async fn an_event_that_a_panic_left_unannounced_is_announced_without_another_call() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboard = hospital.dashboard("").await;
    dashboard.json().await;
    arm(server, &hospital, "committed/panic").await;
    let began = Instant::now();
    let heard = async {
        let event = dashboard.json().await;
        (event, began.elapsed())
    };
    let (answer, (event, heard)) = join(ann.post(LOGIN, json!({})), heard).await;
    assert!(answer.status >= 500, "{answer:?}");
    assert!(heard < RECOVERY, "{heard:?}");
    assert_eq!(event, as_heard(audit(&admin).await[0].clone()));
    report(
        14,
        "an_event_that_a_panic_left_unannounced_is_announced_without_another_call",
        format!("a panic between commit and announcement: announced {:.1} s later", heard.as_secs_f64()),
        "nothing",
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
    arm(server, &hospital, "committed/error").await;
    assert_eq!(ann.post(LOGIN, json!({})).await.status, 503);
    let mut deep = admin.socket("/ws/doctor-status/?since=1", true).await;
    assert_eq!(deep.json().await["seq"], 2);
    assert_eq!(dashboard.json().await["seq"], 21);
}

#[tokio::test]
async fn a_room_with_nobody_on_duty_rings_no_alarm() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let mut connection = hospital.connect("ann").await;
    connection.json().await;
    drop(connection);
    // Her grace has run out by then, and there is nothing to record.
    sleep(Duration::from_secs(4)).await;
    // An alarm would meet it.
    arm(server, &hospital, "alarm/error").await;
    sleep(Duration::from_secs(4)).await;
    assert!(is_armed(server).await, "an alarm rang for nothing");
    disarm(server).await;
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
        dashboard.hears(1, RECOVERY).await;
        server.archive_catches_up(hospital.id, CARRIED_OVER).await;
        sleep(Duration::from_secs(1)).await;
        let began = Instant::now();
        drop(connection);
        sleep(Duration::from_millis(200)).await;
        arm(server, &hospital, &format!("alarm/{fault}")).await;
        dashboard.hears(2, Duration::from_secs(40)).await;
        let took = began.elapsed();
        assert!(!is_armed(server).await, "it has struck");
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
