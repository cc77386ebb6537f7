//! Calls that race, and a database that does not answer.

use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use rollcall_tests::{Follower, Hospital, PASSWORD, Session, request};
use serde_json::json;
use tokio::time::sleep;

use crate::{audit, calm, connections_lost, faulty, fragile, report, scaled, state_equals_history};

#[tokio::test]
async fn fifty_identical_calls_at_once_are_one_event() {
    let hospital = Hospital::fresh(calm());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let rounds = scaled(4, 20);
    for round in 0..rounds {
        let answers =
            join_all((0..50).map(|_| async { if round % 2 == 0 { ann.go_live().await } else { ann.leave().await } }))
                .await;
        assert_eq!(answers.iter().filter(|answer| answer["changed"] == true).count(), 1);
    }
    assert_eq!(audit(&admin).await.len(), rounds);
    report(
        2,
        "fifty_identical_calls_at_once_are_one_event",
        format!("{rounds} × 50 identical calls at once: {rounds} events"),
        "nothing",
    );
}

#[tokio::test]
async fn a_refused_call_changes_nobody_whose_event_was_the_last() {
    let (server, _turn) = fragile().await;
    let (here, there) = (Hospital::fresh(server), Hospital::fresh(server));
    let (admin, ann) = (here.sign_in("admin").await, here.sign_in("ann").await);
    ann.go_live().await;
    // No call moves anybody; an operator may.
    let sql = "UPDATE users SET hospital_id = ?1 WHERE id = ?2";
    server.database().execute(sql, [there.id, ann.user.id]).unwrap();
    let moved = Session::open(server, &here.email("ann"), PASSWORD).await;
    moved.leave().await;
    let refused = admin.post("/api/users/login-status/", json!({"doctor_id": ann.user.id})).await;
    assert_eq!(refused.status, 404);
    assert_eq!(moved.get("/api/users/me/").await.json()["is_live"], false);
}

#[tokio::test]
async fn racing_logins_and_logouts_leave_the_state_of_the_last_event() {
    let hospital = Hospital::fresh(calm());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let rounds = scaled(10, 100);
    for _ in 0..rounds {
        let comes = join_all((0..4).map(|_| ann.go_live()));
        let goes = join_all((0..4).map(|_| ann.leave()));
        let (comes, goes) = join(comes, goes).await;
        assert!(comes.iter().chain(&goes).all(|answer| answer["status"] == "success"));
    }
    let events = audit(&admin).await;
    for pair in events.windows(2) {
        assert_ne!(pair[0]["action"], pair[1]["action"], "nobody comes twice");
    }
    state_equals_history(&ann, &events).await;
    report(
        3,
        "racing_logins_and_logouts_leave_the_state_of_the_last_event",
        format!("{rounds} × 4 logins racing 4 logouts of one doctor: {} events", events.len()),
        "nothing: state = last event",
    );
}

#[tokio::test]
async fn a_locked_database_is_503_and_recovers_by_itself() {
    let (server, _turn) = fragile().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann, bob) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    let mut dashboard = Follower::start(server, admin.authorization());
    ann.go_live().await;
    dashboard.hears(1, Duration::from_secs(5)).await;

    let database = server.database();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let began = Instant::now();
    let refused =
        join_all([ann.post("/api/users/logout-status/", json!({})), bob.post("/api/users/login-status/", json!({}))])
            .await;
    let slowest = began.elapsed();
    for answer in &refused {
        assert_eq!(answer.refusal(), (503, "unavailable".into()));
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
    database.execute_batch("COMMIT").unwrap();
    drop(database);

    let mut left = ann.post("/api/users/logout-status/", json!({})).await;
    for _ in 0..20 {
        if left.status == 200 {
            break;
        }
        sleep(Duration::from_millis(250)).await;
        left = ann.post("/api/users/logout-status/", json!({})).await;
    }
    assert_eq!(left.status, 200, "{left:?}");
    // What was given up may have been carried out after all; then it is an event like any other.
    sleep(Duration::from_secs(5)).await;
    let events = audit(&admin).await;
    dashboard.hears(events.len() as u64, Duration::from_secs(5)).await;
    for doctor in [&ann, &bob] {
        state_equals_history(doctor, &events).await;
    }
    report(
        4,
        "a_locked_database_is_503_and_recovers_by_itself",
        format!(
            "exclusive lock on the database file, 2 calls: 503 after {:.1} s, then recovery",
            slowest.as_secs_f64()
        ),
        "nothing: no event without its state, nor the reverse",
    );
}

#[tokio::test]
async fn a_database_that_is_locked_when_a_grace_runs_out_is_waited_for() {
    let (server, _turn) = fragile().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboard = Follower::start(server, admin.authorization());
    let mut socket = hospital.connect("ann").await;
    socket.json().await;
    ann.go_live().await;
    dashboard.hears(1, Duration::from_secs(5)).await;
    // Other hospitals on this server may be waiting for the database too.
    let own = format!("\"hospital_id\":{}", hospital.id);
    let is_try = |line: &&str| line.contains("the alarm tries again") && line.contains(&own);
    let tries = || server.said().lines().filter(is_try).count();
    let before = tries();
    drop(socket);
    sleep(Duration::from_secs(3)).await;
    let database = server.database();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    sleep(Duration::from_secs(8)).await;
    let tried = tries() - before;
    assert!((1..=5).contains(&tried), "tried {tried} times in some 6 s");
    database.execute_batch("COMMIT").unwrap();
    let began = Instant::now();
    dashboard.hears(2, Duration::from_secs(5)).await;
    let took = began.elapsed();
    assert_eq!(connections_lost(&audit(&admin).await), 1);
    report(
        4,
        "a_database_that_is_locked_when_a_grace_runs_out_is_waited_for",
        format!(
            "the lock is held while a doctor's grace runs out: {tried} tries in some 6 s, logged out {:.1} s after the lock",
            took.as_secs_f64()
        ),
        "nothing: one logout",
    );
}

#[tokio::test]
async fn a_lost_answer_loses_no_event_and_makes_no_second_one() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboard = Follower::start(server, admin.authorization());
    dashboard.hears(0, Duration::from_secs(5)).await;
    request(server, "GET", &format!("/faults/arm/{}/committed/error", hospital.id), &[], None).await;
    let answer = ann.post("/api/users/login-status/", json!({})).await;
    assert_eq!(answer.refusal(), (503, "unavailable".into()));
    let lost = Instant::now();
    dashboard.hears(1, Duration::from_secs(5)).await;
    let heard = lost.elapsed();
    let again = ann.go_live().await;
    assert_eq!((&again["changed"], &again["seq"]), (&json!(false), &json!(1)));
    assert_eq!(audit(&admin).await.len(), 1);
    report(
        5,
        "a_lost_answer_loses_no_event_and_makes_no_second_one",
        format!(
            "the database commits, its answer is lost; no other call comes: announced {:.1} s later",
            heard.as_secs_f64()
        ),
        "nothing: the caller's retry finds it done",
    );
}

#[tokio::test]
async fn a_database_that_was_put_back_is_shown_to_everybody_and_no_seq_is_given_twice() {
    let (server, _turn) = fragile().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann, bob) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    let mut dashboard = admin.socket("/ws/doctor-status/", true).await;
    let mut original = admin.socket("/ws/doctor-status/", false).await;
    dashboard.json().await;
    for doctor in [&ann, &bob] {
        doctor.go_live().await;
        dashboard.json().await;
        original.json().await;
    }
    // Bob's latest login is not in the copy. `cargo xtask restore` does the last of these.
    let put_back = |seq: u64, floor: u64| {
        let (id, bob) = (hospital.id, bob.user.id);
        let sql = format!(
            "DELETE FROM events WHERE hospital_id = {id} AND seq = {seq};
             UPDATE doctors SET is_live = 0 WHERE user_id = {bob};
             UPDATE hospitals SET seq_floor = {floor} WHERE id = {id};"
        );
        server.database().execute_batch(&sql).unwrap();
    };
    put_back(2, 1_000_001);
    // The alarm finds it out.
    let snapshot = dashboard.json().await;
    assert_eq!((&snapshot["type"], &snapshot["seq"]), (&json!("snapshot"), &json!(1)), "{snapshot}");
    let seq = json!(1_000_002);
    assert_eq!(bob.go_live().await["seq"], seq, "he is on duty again, under a number that nobody has seen");
    assert_eq!(original.json().await["seq"], seq);
    let snapshot = dashboard.json().await;
    assert_eq!((&snapshot["type"], &snapshot["seq"]), (&json!("snapshot"), &seq), "{snapshot}");
    assert_eq!(dashboard.json().await["seq"], seq, "which it knows by then");
    // Once more, while the room sleeps: it finds out when somebody wakes it.
    sleep(Duration::from_secs(17)).await;
    put_back(1_000_002, 2_000_001);
    hospital.dashboard("").await.json().await;
    let snapshot = dashboard.json().await;
    assert_eq!((&snapshot["type"], &snapshot["seq"]), (&json!("snapshot"), &json!(1)), "{snapshot}");
    let seq = json!(2_000_002);
    assert_eq!(bob.go_live().await["seq"], seq);
    let snapshot = dashboard.json().await;
    assert_eq!((&snapshot["type"], &snapshot["seq"]), (&json!("snapshot"), &seq), "{snapshot}");
    assert_eq!(dashboard.json().await["seq"], seq, "which it knows by then");
    for since in [0, 1, 2, 1_000_002] {
        let resumed = hospital.dashboard(&format!("?since={since}")).await.json().await;
        assert_eq!((&resumed["recovered"], &resumed["seq"]), (&json!(false), &seq), "{since}: {resumed}");
    }
    ann.leave().await;
    assert_eq!(dashboard.json().await["seq"], json!(2_000_003));
}
