//! What things cost, by counts: a clock would tell of the machine instead.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rollcall_tests::{Hospital, Session};
use serde_json::json;

use crate::{CARRIED_OVER, Counts, WATCH, cost, counts, counts_of, faulty, quiet};

const NOTHING: Counts = Counts { queries: 0, rows_written: 0, sends: 0 };

#[tokio::test]
async fn a_change_costs_no_round_trip_before_its_answer_and_a_send_for_each_dashboard() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (ann, bob) = (hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    let mut dashboards = Vec::new();
    for _ in 0..7 {
        let mut dashboard = hospital.dashboard("").await;
        dashboard.json().await;
        dashboards.push(dashboard);
    }
    ann.go_live().await;
    let there_and_back = async || {
        ann.leave().await;
        ann.go_live().await;
    };
    assert_eq!(cost(server, there_and_back).await, Counts { sends: 14, ..NOTHING });
    let repeated = async || assert_eq!(ann.go_live().await["changed"], false);
    assert_eq!(cost(server, repeated).await, NOTHING, "a repeated call is sent to nobody");

    let before = quiet(server).await;
    bob.go_live().await;
    let first = counts(server).await.since(before);
    assert_eq!(first, Counts { sends: 7, ..NOTHING }, "a doctor's first call is like any other");
}

#[tokio::test]
async fn a_join_with_a_token_costs_no_round_trip() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    for _ in 0..3 {
        ann.go_live().await;
        ann.leave().await;
    }
    for query in ["", "?since=2", "?since=0"] {
        let join = async || drop(admin.socket(&format!("{WATCH}{query}"), true).await.json().await);
        join().await;
        assert_eq!(cost(server, join).await, NOTHING, "{query}");
    }
    let connect = format!("/ws/connect/?email={}", hospital.email("admin"));
    let connects = async || drop(admin.socket(&connect, true).await.json().await);
    assert_eq!(cost(server, connects).await, NOTHING, "{connect}");
}

#[tokio::test]
async fn a_sign_out_costs_no_round_trip_before_its_answer() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let mut sessions: Vec<Session> = Vec::new();
    for _ in 0..3 {
        sessions.push(hospital.sign_in("ann").await);
    }
    let sign_out = async || {
        let session = sessions.pop().unwrap();
        assert_eq!(session.post_nothing("/api/users/logout/").await.status, 204);
    };
    assert_eq!(cost(server, sign_out).await, NOTHING);
}

#[tokio::test]
async fn a_read_costs_no_round_trip_before_its_answer() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    ann.go_live().await;
    let reads = async || {
        for path in [
            "/api/users/me/",
            "/api/users/online-doctors/",
            "/api/users/",
            "/api/users/sessions/",
            "/api/events/",
            "/api/hms/active-connections",
        ] {
            assert_eq!(admin.get(path).await.status, 200, "{path}");
        }
        admin.done("/api/ws-ticket/", json!({"path": WATCH})).await;
    };
    assert_eq!(cost(server, reads).await, NOTHING);
}

/// More than the round trips of the flights: the Worker saves its counters too.
const BESIDES: u64 = 2;

#[tokio::test]
async fn a_burst_of_a_hundred_changes_is_archived_by_three_flights_at_most() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let doctors = join_all(["ann", "bob", "eve"].map(|name| hospital.sign_in(name))).await;
    // One after the other for each doctor, so that each of them changes something.
    let come_and_go = async |doctor: &Session, calls: usize| {
        for call in 0..calls {
            let changed = if call % 2 == 0 { doctor.go_live().await } else { doctor.leave().await };
            assert_eq!(changed["changed"], true);
        }
    };
    // Even numbers, so that everybody is off duty again. On a machine that is too slow for that it is tried again.
    for _ in 0..5 {
        quiet(server).await;
        let before = counts_of(server, &hospital).await;
        let began = Instant::now();
        join_all(doctors.iter().zip([34, 34, 32]).map(|(doctor, calls)| come_and_go(doctor, calls))).await;
        let took = began.elapsed();
        server.archive_catches_up(hospital.id, CARRIED_OVER).await;
        quiet(server).await;
        let spent = counts_of(server, &hospital).await.since(before);
        println!("100 changes in {took:?}: {spent:?}");
        if took < Duration::from_secs(1) {
            assert!(spent.queries <= 3 + BESIDES, "{spent:?}");
            // Each event once, and the state of three doctors with each flight.
            assert!(spent.rows_written <= 100 + 3 * 3 + 20, "{spent:?}");
            return;
        }
    }
    panic!("this machine is too slow to tell");
}
