//! Relays that fail.

use std::time::{Duration, Instant};

use rollcall_tests::{Hospital, request};
use serde_json::json;

use crate::{RELAYS, as_heard, audit, counts, relayed, report};

/// What is missing is announced within this time (promise 2).
const RECOVERY: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_relay_that_fails_is_told_again() {
    let (server, _turn) = relayed().await;
    let mut done = Vec::new();
    for fault in ["error", "hang", "panic"] {
        let hospital = Hospital::fresh(server);
        let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
        let mut dashboards = hospital.followers(30).await;
        request(server, "GET", &format!("/faults/arm/{}/relay/{fault}", hospital.id), &[], None).await;
        let began = Instant::now();
        let answer = ann.post("/api/users/login-status/", json!({})).await;
        let answered = began.elapsed();
        assert!(answered < Duration::from_secs(10), "{fault}: {answered:?}");
        assert_eq!(request(server, "GET", "/faults/armed", &[], None).await.json(), false, "it has struck");
        if fault != "panic" {
            assert_eq!(answer.status, 200, "{fault}: {answer:?}");
        }
        for dashboard in &mut dashboards {
            dashboard.hears(1, RECOVERY).await;
        }
        let heard = began.elapsed();
        ann.leave().await;
        for dashboard in &mut dashboards {
            dashboard.hears(2, RECOVERY).await;
        }
        let events: Vec<_> = audit(&admin).await.into_iter().map(as_heard).collect();
        for notes in dashboards.iter().map(rollcall_tests::Follower::notes) {
            assert_eq!((notes.gaps, notes.lost), (0, 0), "{fault}");
            assert!(notes.events == events, "{fault}: {:?}", notes.events);
        }
        done.push(format!("{fault}: heard by all after {:.1} s", heard.as_secs_f64()));
    }
    report(
        14,
        "a_relay_that_fails_is_told_again",
        format!("one of {RELAYS} relays meets a fault when it is told of an event ({})", done.join("; ")),
        "nothing: no gap, no other dashboard waits",
    );
}

#[tokio::test]
async fn an_event_reaches_each_dashboard_by_one_relay_and_no_query_more() {
    let (server, _turn) = relayed().await;
    let hospital = Hospital::fresh(server);
    let ann = hospital.sign_in("ann").await;
    let mut dashboards = hospital.followers(30).await;
    ann.go_live().await;
    for dashboard in &mut dashboards {
        dashboard.hears(1, RECOVERY).await;
    }
    let mut least = (u64::MAX, u64::MAX);
    for seq in 2..5 {
        let before = counts(server).await;
        if seq % 2 == 0 {
            ann.leave().await
        } else {
            ann.go_live().await
        };
        for dashboard in &mut dashboards {
            dashboard.hears(seq, RECOVERY).await;
        }
        let after = counts(server).await;
        least = least.min((after.queries - before.queries, after.sends - before.sends));
    }
    assert_eq!(least, (1, 30));
}
