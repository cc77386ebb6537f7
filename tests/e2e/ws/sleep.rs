//! Rooms that slept

use std::time::Duration;

use rollcall_tests::{Hospital, either};
use serde_json::json;

use super::doctor_status::hears;

/// The local runtime puts an idle object to sleep after ten seconds, and the alarm of a call rings a second after it.
pub(super) async fn let_the_room_sleep() {
    tokio::time::sleep(Duration::from_secs(16)).await;
}

#[tokio::test]
async fn a_room_that_slept_still_knows_its_sockets() {
    let hospital = Hospital::fresh(either());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboard = hospital.dashboard("").await;
    let mut connection = hospital.connect("user").await;
    dashboard.json().await;
    connection.json().await;
    let_the_room_sleep().await;

    assert_eq!(admin.get("/api/hms/active-connections").await.json()["count"], 1);
    ann.go_live().await;
    assert_eq!(dashboard.json().await["seq"], 1);
    connection.send(r#"{"message":"awake?"}"#).await;
    assert_eq!(connection.json().await["message"], "Server received: awake?");
    assert_eq!(connection.close(1000, "").await.code, 1000);
    assert_eq!(admin.get("/api/hms/active-connections").await.json()["count"], 0);
}

#[tokio::test]
async fn a_room_that_slept_announces_nothing_twice() {
    let hospital = Hospital::fresh(either());
    let ann = hospital.sign_in("ann").await;
    let mut dashboard = hospital.dashboard("").await;
    dashboard.json().await;
    ann.go_live().await;
    hears(&mut dashboard, 1..=1).await;
    let_the_room_sleep().await;
    ann.leave().await;
    hears(&mut dashboard, 2..=2).await;
}

#[tokio::test]
async fn a_room_that_slept_recalls_more_than_it_reads_when_it_wakes() {
    let hospital = Hospital::fresh(either());
    let ann = hospital.sign_in("ann").await;
    for _ in 0..15 {
        ann.go_live().await;
        ann.leave().await;
    }
    let_the_room_sleep().await;

    let mut dashboard = hospital.dashboard("?since=1").await;
    hears(&mut dashboard, 2..=30).await;
    assert_eq!(dashboard.json().await, json!({"type": "resumed", "from": 1, "seq": 30, "recovered": true}));
    ann.go_live().await;
    assert_eq!(dashboard.json().await["seq"], 31);
}
