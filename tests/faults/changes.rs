//! One change of a doctor's state, struck in its middle or held up on its way.

use std::time::Duration;

use rollcall_tests::{Follower, Hospital, Server, Session, rows};
use rusqlite::types::Value;
use serde_json::json;
use tokio::time::sleep;

use crate::{
    PATIENCE, RECOVERY, arm, as_heard, audit, faulty, insist, is_armed, is_unavailable, report, state_equals_history,
    struck,
};

const LOGIN: &str = "/api/users/login-status/";
const LOGOUT: &str = "/api/users/logout-status/";

/// The points before each statement of a change.
const STATEMENTS: [&str; 4] = ["statement1", "statement2", "statement3", "statement4"];

/// How many events the room's storage has, and whether it has the doctor on duty.
fn stored(server: &Server, hospital: &Hospital, doctor: &Session) -> (i64, i64) {
    let sql = format!("SELECT (SELECT COUNT(*) FROM events), is_live FROM users WHERE user_id = {}", doctor.id());
    match rows(&server.room_storage(hospital.id), &sql)[..] {
        [ref row] => match row[..] {
            [Value::Integer(events), Value::Integer(is_live)] => (events, is_live),
            ref other => panic!("{other:?}"),
        },
        ref other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_fault_between_two_statements_of_a_change_leaves_nothing_half_done() {
    let (server, _turn) = faulty().await;
    for fault in ["error", "panic"] {
        for point in STATEMENTS.into_iter().chain(["committed", "sent"]) {
            let hospital = Hospital::fresh(server);
            let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
            let mut dashboard = Follower::start(server, admin.authorization());
            dashboard.hears(0, RECOVERY).await;
            arm(server, &hospital, &format!("{point}/{fault}")).await;
            let answer = ann.post(LOGIN, json!({})).await;
            assert!(!is_armed(server).await, "{point}: a change has such a point");
            assert!(answer.status >= 500, "{point}/{fault}: {answer:?}");
            let (events, is_live) = stored(server, &hospital, &ann);
            assert_eq!(events, is_live, "{point}/{fault}: the log and the state");
            // A panic ends the turn: what it had recorded may be gone with it, but not in part.
            match (STATEMENTS.contains(&point), fault) {
                (true, _) => assert_eq!(events, 0, "{point}/{fault}: the transaction was rolled back"),
                (false, "error") => assert_eq!(events, 1, "{point}/{fault}: the transaction was over"),
                (false, _) => {}
            }
            // Whatever it was, the repetition finds or makes one event.
            assert_eq!(insist(&ann, LOGIN).await["seq"], 1, "{point}/{fault}");
            assert_eq!(insist(&ann, LOGOUT).await["seq"], 2, "{point}/{fault}");
            dashboard.hears(2, PATIENCE).await;
            let (log, notes) = (audit(&admin).await, dashboard.notes());
            let log_as_heard: Vec<_> = log.iter().cloned().map(as_heard).collect();
            assert_eq!((notes.gaps, notes.lost), (0, 0), "{point}/{fault}");
            assert_eq!(notes.events, log_as_heard, "{point}/{fault}");
            assert_eq!(stored(server, &hospital, &ann), (2, 0), "{point}/{fault}");
            state_equals_history(&ann, &log).await;
        }
        report(
            19,
            &format!("a_fault_between_two_statements_of_a_change_leaves_nothing_half_done ({fault})"),
            format!(
                "a change meets a fault ({fault}) before each of its 4 statements, after its commit, after its sends"
            ),
            "nothing: log, state and dashboards agree; nothing is half done",
        );
    }
}

/// The deadline of the call has passed when the room takes it up, and the doctor has called again since.
#[tokio::test]
async fn a_timed_out_change_is_not_applied_later() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann, bob) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    bob.go_live().await;
    for (doctor, slow, meanwhile, stays) in [(&ann, LOGIN, LOGOUT, false), (&bob, LOGOUT, LOGIN, true)] {
        arm(server, &hospital, "room/slow").await;
        is_unavailable(&doctor.post(slow, json!({})).await);
        assert!(!is_armed(server).await, "{slow}");
        assert_eq!(doctor.done(meanwhile, json!({})).await["changed"], false, "{meanwhile}");
        // The slow call has arrived by then.
        sleep(Duration::from_secs(5)).await;
        assert_eq!(doctor.get("/api/users/me/").await.json()["is_live"], stays, "after {slow} and {meanwhile}");
    }
    let events = audit(&admin).await;
    assert_eq!(events.len(), 1, "only what was acknowledged: {events:?}");
    report(
        20,
        "a_timed_out_change_is_not_applied_later",
        "a call takes 6 s to reach the room; its caller is told 503, and calls for the opposite, which is acknowledged"
            .into(),
        "nothing: the acknowledged call decides, the slow one is dropped",
    );
}

/// The slow call is still under way when the others are answered. What it is answered with decides what became of it.
#[tokio::test]
async fn a_change_that_overtakes_a_slow_one_is_not_reversed_by_one_that_fails() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    arm(server, &hospital, "room/slow").await;
    let slow = tokio::spawn({
        let ann = ann.clone();
        async move { ann.post(LOGIN, json!({})).await }
    });
    struck(server).await;
    ann.go_live().await;
    assert_eq!(ann.leave().await["changed"], true);
    let slow = slow.await.unwrap();
    sleep(Duration::from_secs(5)).await;
    let events = audit(&admin).await;
    assert_eq!(events.len(), if slow.status == 200 { 3 } else { 2 }, "{slow:?}: {events:?}");
    state_equals_history(&ann, &events).await;
}
