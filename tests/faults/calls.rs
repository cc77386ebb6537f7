//! Calls that race, calls whose answer is lost, and a doctor who is moved meanwhile.

use std::time::Instant;

use futures_util::future::{join, join_all};
use rollcall_tests::{Follower, Hospital, PASSWORD, Session};
use serde_json::json;

use crate::{
    CARRIED_OVER, RECOVERY, arm, audit, calm, faulty, fragile, is_unavailable, report, scaled, state_equals_history,
};

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
async fn a_lost_answer_loses_no_event_and_makes_no_second_one() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboard = Follower::start(server, admin.authorization());
    dashboard.hears(0, RECOVERY).await;
    arm(server, &hospital, "committed/error").await;
    is_unavailable(&ann.post("/api/users/login-status/", json!({})).await);
    let lost = Instant::now();
    dashboard.hears(1, RECOVERY).await;
    let heard = lost.elapsed();
    let again = ann.go_live().await;
    assert_eq!((&again["changed"], &again["seq"]), (&json!(false), &json!(1)));
    assert_eq!(audit(&admin).await.len(), 1);
    report(
        5,
        "a_lost_answer_loses_no_event_and_makes_no_second_one",
        format!(
            "the change is recorded, its answer is lost; no other call comes: announced {:.1} s later",
            heard.as_secs_f64()
        ),
        "nothing: the caller's retry finds it done",
    );
}

/// No call moves anybody; an operator may, who raises the revision of both hospitals as every command does that writes
/// past the rooms.
#[tokio::test]
async fn a_doctor_who_is_moved_to_another_hospital_goes_off_duty_in_the_first() {
    let (server, _turn) = fragile().await;
    let (here, there) = (Hospital::fresh(server), Hospital::fresh(server));
    let (admin, ann) = (here.sign_in("admin").await, here.sign_in("ann").await);
    let mut dashboard = admin.socket("/ws/doctor-status/", true).await;
    dashboard.json().await;
    ann.go_live().await;
    assert_eq!(dashboard.json().await["seq"], 1);
    server.archive_catches_up(here.id, CARRIED_OVER).await;
    let moved = format!(
        "BEGIN IMMEDIATE;
         UPDATE users SET hospital_id = {there}, version = version + 1 WHERE id = {ann};
         UPDATE hospitals SET revision = revision + 1 WHERE id IN ({here}, {there});
         COMMIT;",
        here = here.id,
        there = there.id,
        ann = ann.id()
    );
    server.database().execute_batch(&moved).unwrap();
    // A sign-in in each hospital shows the revision to its room.
    here.sign_in("bob").await;
    let event = loop {
        let message = dashboard.json().await;
        if message["type"] == "doctor_login_logout" {
            break message;
        }
    };
    assert_eq!((&event["seq"], &event["action"], &event["doctor_id"]), (&json!(2), &json!("logout"), &json!(ann.id())));
    assert_eq!(ann.get("/api/users/me/").await.status, 401, "her session was the first hospital's");
    let moved = Session::open(server, &here.email("ann"), PASSWORD).await;
    moved.leave().await;
    let refused = admin.post("/api/users/login-status/", json!({"doctor_id": ann.id()})).await;
    assert_eq!(refused.refusal(), (404, "not_found".into()));
    assert_eq!(moved.get("/api/users/me/").await.json()["is_live"], false, "the refused call changed nobody");
    assert_eq!(moved.go_live().await["changed"], true);
    assert_eq!(audit(&admin).await.len(), 2);
}
