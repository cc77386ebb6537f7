//! Relays that fail.

use std::time::{Duration, Instant};

use rollcall_tests::{Hospital, Server, request};
use serde_json::json;
use tokio::{task::JoinHandle, time::sleep};

use crate::{RELAYS, as_heard, audit, cost, relayed, report};

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

/// Makes a relay hang whenever one is called, until dropped.
struct Hanging(&'static Server, JoinHandle<()>);

impl Hanging {
    fn relay_of(hospital: &Hospital, server: &'static Server) -> Self {
        let arm = format!("{}/faults/arm/{}/relay/hang", server.address, hospital.id);
        let arms = tokio::spawn(async move {
            loop {
                let _ = reqwest::get(&arm).await;
                sleep(Duration::from_millis(20)).await;
            }
        });
        Self(server, arms)
    }

    async fn no_more(self) {
        self.1.abort();
        request(self.0, "GET", "/faults/arm/0/none/none", &[], None).await;
    }
}

#[tokio::test]
async fn nobody_waits_for_relays_that_hang() {
    let (server, _turn) = relayed().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboards = hospital.followers(30).await;
    let hanging = Hanging::relay_of(&hospital, server);
    let began = Instant::now();
    let mut slowest = Duration::ZERO;
    while began.elapsed() < Duration::from_secs(12) {
        let called = Instant::now();
        ann.go_live().await;
        ann.leave().await;
        slowest = slowest.max(called.elapsed());
        sleep(Duration::from_millis(300)).await;
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?} for two calls");
    // A person, and a doctor with one, whose dashboards would be there.
    let mut connection = hospital.connect("admin").await;
    assert_eq!(connection.json().await["type"], "connection_established");
    hanging.no_more().await;
    let events: Vec<_> = audit(&admin).await.into_iter().map(as_heard).collect();
    for dashboard in &mut dashboards {
        dashboard.hears(events.len() as u64, RECOVERY).await;
        let notes = dashboard.notes();
        assert_eq!((notes.gaps, notes.lost), (0, 0));
        assert!(notes.events == events, "{:?}", notes.events);
    }
    report(
        14,
        "nobody_waits_for_relays_that_hang",
        format!(
            "relays hang for 12 s, {} events meanwhile: two calls take at most {:.1} s",
            events.len(),
            slowest.as_secs_f64()
        ),
        "nothing: heard by all in 5 s when they answer again",
    );
}

#[tokio::test]
async fn who_was_deactivated_hears_nothing_at_a_relay_though_the_room_failed() {
    let (server, _turn) = relayed().await;
    let hospital = Hospital::fresh(server);
    let (admin, other) = (hospital.sign_in("admin").await, hospital.sign_in("admin2").await);
    let mut dashboard = other.socket("/ws/doctor-status/", true).await;
    dashboard.json().await;
    request(server, "GET", &format!("/faults/arm/{}/committed/error", hospital.id), &[], None).await;
    let answer = admin.patch(&format!("/api/users/{}/", other.user.id), json!({"is_active": false})).await;
    assert_eq!(answer.refusal(), (503, "unavailable".into()));
    loop {
        match dashboard.text_or_close().await {
            Ok(_) => {}
            Err(closed) => break assert_eq!(closed.code, 4002),
        }
    }
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
    let mut seq = 1;
    let event = async || {
        seq += 1;
        if seq % 2 == 0 {
            ann.leave().await
        } else {
            ann.go_live().await
        };
        for dashboard in &mut dashboards {
            dashboard.hears(seq, RECOVERY).await;
        }
    };
    let least = cost(server, event).await;
    assert_eq!((least.queries, least.sends), (1, 30));
}
