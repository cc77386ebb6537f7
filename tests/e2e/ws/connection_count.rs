//! How many people are connected, as `/ws/doctor-status/?connections=1` tells it

use std::time::{Duration, Instant};

use rollcall_tests::{Hospital, either};
use serde_json::{Value, json};

use super::sleep::let_the_room_sleep;

/// The room sends the number about a second after it has changed.
async fn a_count_that_is_due_is_sent() {
    tokio::time::sleep(Duration::from_millis(1500)).await;
}

fn connections(n: usize) -> Value {
    json!({"type": "connections", "connections": n})
}

#[tokio::test]
async fn a_dashboard_that_asks_is_told_whenever_the_number_of_connections_changes() {
    let hospital = Hospital::fresh(either());
    let mut dashboard = hospital.dashboard("?connections=1").await;
    assert_eq!(dashboard.json().await["connections"], 0);
    let mut first = hospital.connect("user").await;
    assert_eq!(dashboard.json().await, connections(1));
    let mut second = hospital.connect("user").await;
    second.text().await;
    a_count_that_is_due_is_sent().await;
    dashboard.hears_nothing().await;

    first.text().await;
    first.close(1000, "").await;
    a_count_that_is_due_is_sent().await;
    dashboard.hears_nothing().await;
    drop(second);
    assert_eq!(dashboard.json().await, connections(0), "cut off is gone too");
}

#[tokio::test]
async fn connections_that_come_one_after_the_other_are_counted_once_a_second() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    let mut dashboard = hospital.dashboard("?connections=1").await;
    dashboard.json().await;
    let began = Instant::now();
    let mut sockets = Vec::new();
    for name in ["user", "ann", "bob", "eve", "admin2", "admin3"] {
        sockets.push(hospital.connect(name).await);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let mut told = Vec::new();
    while told.last() != Some(&connections(6)) {
        told.push(dashboard.json().await);
    }
    assert!(told.len() as u64 <= began.elapsed().as_secs(), "more than one a second: {told:?}");
    admin.delete(&format!("/api/hms/active-connections/{}", hospital.email("ann"))).await;
    assert_eq!(dashboard.json().await, connections(5), "a connection that an administrator ended is gone");
    drop(sockets);
    while told.last() != Some(&connections(0)) {
        told.push(dashboard.json().await);
    }
}

#[tokio::test]
async fn a_dashboard_that_was_away_is_told_how_many_are_connected_now() {
    let hospital = Hospital::fresh(either());
    hospital.sign_in("ann").await.go_live().await;
    let _connection = hospital.connect("user").await;
    let mut dashboard = hospital.dashboard("?since=0&connections=1").await;
    assert_eq!(dashboard.json().await["seq"], 1);
    assert_eq!(dashboard.json().await, json!({"type": "resumed", "from": 0, "seq": 1, "recovered": true}));
    assert_eq!(dashboard.json().await, connections(1));

    let mut lost = hospital.dashboard("?since=7&connections=1").await;
    assert_eq!(lost.json().await["recovered"], false);
    assert_eq!(lost.json().await["connections"], 1, "in the snapshot");
    a_count_that_is_due_is_sent().await;
    for dashboard in [&mut dashboard, &mut lost] {
        dashboard.hears_nothing().await;
    }
}

#[tokio::test]
async fn a_snapshot_tells_the_number_too_and_it_is_not_told_twice() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    let mut dashboard = hospital.dashboard("?connections=1").await;
    dashboard.json().await;
    let mut connection = hospital.connect("user").await;
    connection.text().await;
    // Within the second before it is told.
    admin.patch(&format!("/api/users/{}/", admin.id()), json!({"last_name": "Adams"})).await;
    let snapshot = dashboard.json().await;
    assert_eq!((&snapshot["type"], &snapshot["connections"]), (&json!("snapshot"), &json!(1)));
    a_count_that_is_due_is_sent().await;
    dashboard.hears_nothing().await;
}

#[tokio::test]
async fn a_dashboard_that_does_not_ask_is_not_told_of_connections() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    let mut dashboards = Vec::new();
    for (query, v1) in [("", true), ("?connections=0", true), ("?connections=1&connections=1", true)] {
        let mut dashboard = admin.socket(&format!("/ws/doctor-status/{query}"), v1).await;
        dashboard.json().await;
        dashboards.push(dashboard);
    }
    dashboards.push(admin.socket("/ws/doctor-status/?connections=1", false).await);
    let mut asks = hospital.dashboard("?connections=1").await;
    asks.json().await;
    let _connection = hospital.connect("user").await;
    assert_eq!(asks.json().await, connections(1));
    for dashboard in &mut dashboards {
        dashboard.hears_nothing().await;
    }
}

#[tokio::test]
async fn a_room_that_slept_sends_no_count_of_connections_twice() {
    let hospital = Hospital::fresh(either());
    let mut dashboard = hospital.dashboard("?connections=1").await;
    dashboard.json().await;
    let mut user = hospital.connect("user").await;
    assert_eq!(dashboard.json().await, connections(1));
    let_the_room_sleep().await;

    let mut second = hospital.connect("user").await;
    second.text().await;
    a_count_that_is_due_is_sent().await;
    dashboard.hears_nothing().await;
    user.text().await;
    drop((user, second));
    assert_eq!(dashboard.json().await, connections(0));
}
