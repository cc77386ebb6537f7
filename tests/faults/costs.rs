//! What things cost, by counts: a clock would tell of the machine instead.

use rollcall_tests::Hospital;
use serde_json::json;

use crate::{Counts, cost, counts, faulty};

#[tokio::test]
async fn a_change_costs_one_round_trip_two_rows_and_a_send_for_each_dashboard() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let ann = hospital.sign_in("ann").await;
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
    let of_two = Counts { queries: 2, rows_written: 4, sends: 14 };
    assert_eq!(cost(server, there_and_back).await, of_two, "the session is asked for with the change");
    let repeated = async || assert_eq!(ann.go_live().await["changed"], false);
    let asked = Counts { queries: 2, rows_written: 0, sends: 0 };
    assert_eq!(cost(server, repeated).await, asked, "why nothing changed is a question of its own");

    let bob = hospital.sign_in("bob").await;
    let before = counts(server).await;
    bob.go_live().await;
    let queries = counts(server).await.queries - before.queries;
    assert!((2..=3).contains(&queries), "who has not been here before is looked up: {queries}");
}

#[tokio::test]
async fn a_burst_of_changes_shares_its_round_trips() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let doctors = futures_util::future::join_all(["ann", "bob", "eve"].map(|name| hospital.sign_in(name))).await;
    let burst = async || {
        let calls = (0..30).map(|call| {
            let (doctor, path) = (&doctors[call % 3], ["login-status", "logout-status"][call / 3 % 2]);
            async move { doctor.post(&format!("/api/users/{path}/"), json!({})).await.status }
        });
        let answers = futures_util::future::join_all(calls).await;
        assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    };
    burst().await;
    let queries = cost(server, burst).await.queries;
    assert!(queries < 20, "{queries} round trips for 30 changes");
}

#[tokio::test]
async fn a_join_costs_the_look_at_its_session_and_nothing_else() {
    let (server, _turn) = faulty().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    for _ in 0..3 {
        ann.go_live().await;
        ann.leave().await;
    }
    for path in ["/ws/doctor-status/", "/ws/doctor-status/?since=2", "/ws/doctor-status/?since=0"] {
        let join = async || drop(admin.socket(path, true).await.json().await);
        join().await;
        assert_eq!(cost(server, join).await, Counts { queries: 1, rows_written: 0, sends: 0 }, "{path}");
    }
}
