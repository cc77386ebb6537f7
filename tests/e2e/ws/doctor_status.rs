//! `/ws/doctor-status/`

use std::{
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use rollcall_tests::{Hospital, Session, Socket, either};
use serde_json::{Value, json};

/// Hears exactly these events next, in order.
async fn hears(dashboard: &mut Socket, seqs: RangeInclusive<u64>) {
    for seq in seqs {
        assert_eq!(dashboard.json().await["seq"], seq);
    }
}

/// The local runtime puts an idle object to sleep after ten seconds, and a call's alarm rings three seconds after it.
async fn let_the_room_sleep() {
    tokio::time::sleep(Duration::from_secs(16)).await;
}

#[tokio::test]
async fn a_v1_dashboard_first_gets_a_snapshot() {
    let hospital = Hospital::fresh(either());
    let ann = hospital.sign_in("ann").await;
    ann.go_live().await;
    ann.be_available(true).await;
    let _connection = hospital.connect("user").await;
    let mut dashboard = hospital.dashboard("").await;
    assert_eq!(dashboard.protocol, "rollcall.v1");
    let snapshot = dashboard.json().await;
    assert_eq!((&snapshot["type"], &snapshot["seq"]), (&json!("snapshot"), &json!(2)));
    assert_eq!(snapshot["connections"], 1);
    let names: Vec<_> =
        snapshot["doctors"].as_array().unwrap().iter().map(|doctor| doctor["first_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["<img src=x onerror=alert(1)>", "Ann", "Bob"], "the active ones, by name");
    assert_eq!(snapshot["doctors"][1]["is_live"], true);
    let recent: Vec<_> = snapshot["recent"].as_array().unwrap().iter().map(|event| event["seq"].clone()).collect();
    assert_eq!(recent, [2, 1], "newest first");

    ann.leave().await;
    assert_eq!(dashboard.json().await["seq"], 3, "and then every event");
}

#[tokio::test]
async fn a_snapshot_says_since_when_each_doctor_is_on_duty_or_off_it() {
    let hospital = Hospital::fresh(either());
    let (ann, bob) = (hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    let mut dashboard = hospital.dashboard("").await;
    assert_eq!(dashboard.json().await["live_since"], json!({}), "nobody ever came");
    ann.go_live().await;
    let came = dashboard.json().await["timestamp"].clone();
    ann.be_available(true).await;
    bob.go_live().await;
    bob.leave().await;
    dashboard.json().await;
    dashboard.json().await;
    let left = dashboard.json().await["timestamp"].clone();
    let expected = json!({ann.user.id.to_string(): came, bob.user.id.to_string(): left});
    assert_eq!(hospital.dashboard("").await.json().await["live_since"], expected);

    // Who changes a user makes the room read everything anew.
    let admin = hospital.sign_in("admin").await;
    admin.patch(&format!("/api/users/{}/", bob.user.id), json!({"last_name": "Roy"})).await;
    assert_eq!(dashboard.json().await["live_since"], expected, "as it is stored");
    admin.patch(&format!("/api/users/{}/", bob.user.id), json!({"is_active": false})).await;
    assert_eq!(dashboard.json().await["live_since"], json!({ann.user.id.to_string(): came}), "of the roster only");
}

#[tokio::test]
async fn an_event_reads_as_in_the_original_in_the_hospitals_time_zone() {
    let hospital = Hospital::fresh(either());
    let mut dashboard = hospital.dashboard("").await;
    dashboard.json().await;
    let ann = hospital.sign_in("ann").await;
    ann.go_live().await;
    let event = dashboard.json().await;
    let at: chrono::DateTime<chrono::Utc> = event["timestamp"].as_str().unwrap().parse().unwrap();
    let local = (at + chrono::TimeDelta::minutes(330)).format("%I:%M %p on %B %d, %Y");
    assert_eq!(
        event,
        json!({
            "type": "doctor_login_logout",
            "doctor_id": ann.user.id,
            "action": "login",
            "doctor_name": "Dr. Ann Lee",
            "timestamp": event["timestamp"],
            "message": format!("Dr. Ann Lee logged in at {local}"),
            "seq": 1,
        })
    );
}

#[tokio::test]
async fn every_dashboard_hears_every_event_in_order() {
    let hospital = Hospital::fresh(either());
    let mut dashboards = Vec::new();
    for _ in 0..5 {
        let mut dashboard = hospital.dashboard("").await;
        dashboard.json().await;
        dashboards.push(dashboard);
    }
    let (ann, bob) = (hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    let flip = async |doctor: &Session| {
        for _ in 0..5 {
            doctor.go_live().await;
            doctor.leave().await;
        }
    };
    futures_util::future::join(flip(&ann), flip(&bob)).await;
    for dashboard in &mut dashboards {
        hears(dashboard, 1..=20).await;
        dashboard.hears_nothing().await;
    }
}

#[tokio::test]
async fn nobody_hears_another_hospital() {
    let (hospital, elsewhere) = (Hospital::fresh(either()), Hospital::fresh(either()));
    let mut foreign = elsewhere.dashboard("").await;
    foreign.json().await;
    hospital.sign_in("ann").await.go_live().await;
    foreign.hears_nothing().await;
}

#[tokio::test]
async fn a_dashboard_that_was_away_gets_exactly_what_it_missed() {
    let hospital = Hospital::fresh(either());
    let ann = hospital.sign_in("ann").await;
    for _ in 0..10 {
        ann.go_live().await;
        ann.leave().await;
    }
    let mut dashboard = hospital.dashboard("?since=5").await;
    hears(&mut dashboard, 6..=20).await;
    let resumed = json!({"type": "resumed", "from": 5, "seq": 20, "recovered": true});
    assert_eq!(dashboard.json().await, resumed);
    dashboard.hears_nothing().await;

    let mut dashboard = hospital.dashboard("?since=20").await;
    assert_eq!(dashboard.json().await, json!({"type": "resumed", "from": 20, "seq": 20, "recovered": true}));
    ann.go_live().await;
    assert_eq!(dashboard.json().await["seq"], 21);
}

#[tokio::test]
async fn where_resuming_is_not_possible_a_snapshot_says_so() {
    let hospital = Hospital::fresh(either());
    hospital.sign_in("ann").await.go_live().await;
    for (since, from) in [("2", json!(2)), ("-1", json!(0)), ("abc", json!(0))] {
        let mut dashboard = hospital.dashboard(&format!("?since={since}")).await;
        let resumed = json!({"type": "resumed", "from": from, "seq": 1, "recovered": false});
        assert_eq!(dashboard.json().await, resumed, "{since}");
        let snapshot = dashboard.json().await;
        assert_eq!((&snapshot["type"], &snapshot["seq"]), (&json!("snapshot"), &json!(1)), "{since}");
    }
}

#[tokio::test]
async fn a_client_without_the_subprotocol_may_resume_too() {
    let hospital = Hospital::fresh(either());
    hospital.sign_in("ann").await.go_live().await;
    let admin = hospital.sign_in("admin").await;
    let mut dashboard = admin.socket("/ws/doctor-status/?since=0", false).await;
    assert_eq!(dashboard.json().await["seq"], 1);
    assert_eq!(dashboard.json().await["recovered"], true);
    let mut silent = admin.socket("/ws/doctor-status/", false).await;
    silent.hears_nothing().await;
}

#[tokio::test]
async fn a_dashboard_may_acknowledge_and_anything_else_is_answered() {
    let mut dashboard = Hospital::fresh(either()).dashboard("").await;
    dashboard.json().await;
    dashboard.send(r#"{"type":"ack","seq":0}"#).await;
    dashboard.send("ping").await;
    assert_eq!(dashboard.text().await, "pong", "and nothing for the ack");
    dashboard.send("hello").await;
    assert_eq!(dashboard.json().await, json!({"type": "error", "message": "Invalid JSON format"}));
    dashboard.send(r#"{"type":"subscribe"}"#).await;
    assert_eq!(dashboard.json().await["type"], "error");
}

/// The room tells about a second after a change.
async fn what_is_due_is_told() {
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
    what_is_due_is_told().await;
    dashboard.hears_nothing().await;

    first.text().await;
    first.close(1000, "").await;
    what_is_due_is_told().await;
    dashboard.hears_nothing().await;
    drop(second);
    assert_eq!(dashboard.json().await, connections(0), "cut off is gone too");
}

#[tokio::test]
async fn who_comes_one_after_the_other_is_told_of_once_a_second() {
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
    assert_eq!(dashboard.json().await, connections(5), "who was disconnected is gone");
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
    what_is_due_is_told().await;
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
    admin.patch(&format!("/api/users/{}/", admin.user.id), json!({"last_name": "Adams"})).await;
    let snapshot = dashboard.json().await;
    assert_eq!((&snapshot["type"], &snapshot["connections"]), (&json!("snapshot"), &json!(1)));
    what_is_due_is_told().await;
    dashboard.hears_nothing().await;
}

#[tokio::test]
async fn who_does_not_ask_is_not_told_of_connections() {
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
async fn a_room_that_slept_still_knows_whom_it_told_how_many_are_connected() {
    let hospital = Hospital::fresh(either());
    let mut dashboard = hospital.dashboard("?connections=1").await;
    dashboard.json().await;
    let mut user = hospital.connect("user").await;
    assert_eq!(dashboard.json().await, connections(1));
    let_the_room_sleep().await;

    let mut second = hospital.connect("user").await;
    second.text().await;
    what_is_due_is_told().await;
    dashboard.hears_nothing().await;
    user.text().await;
    drop((user, second));
    assert_eq!(dashboard.json().await, connections(0));
}

#[tokio::test]
async fn a_doctor_or_a_user_may_not_watch() {
    let hospital = Hospital::fresh(either());
    for name in ["ann", "user"] {
        let mut socket = hospital.sign_in(name).await.socket("/ws/doctor-status/", true).await;
        assert_eq!(socket.closed().await.code, 4003, "{name}");
    }
}

#[tokio::test]
async fn a_name_that_is_markup_arrives_as_it_was_typed() {
    let hospital = Hospital::fresh(either());
    let mut dashboard = hospital.dashboard("").await;
    dashboard.json().await;
    hospital.sign_in("eve").await.go_live().await;
    assert_eq!(dashboard.json().await["doctor_name"], Value::from("Dr. <img src=x onerror=alert(1)> O'Neil"));
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

/// A change holds the room until it is announced; a caller who hangs up must not hold it for ever.
#[tokio::test]
async fn callers_who_hang_up_do_not_hold_the_room() {
    let hospital = Hospital::fresh(either());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboard = hospital.dashboard("").await;
    dashboard.json().await;
    for round in 0..40 {
        let patience = Duration::from_millis(round % 20);
        let path = if round % 2 == 0 { "/api/users/login-status/" } else { "/api/users/logout-status/" };
        let _ = tokio::time::timeout(patience, ann.post(path, json!({}))).await;
    }
    ann.go_live().await;
    let latest = ann.leave().await["seq"].as_u64().unwrap();
    hears(&mut dashboard, 1..=latest).await;
    assert_eq!(admin.get("/api/events/").await.json()["latest"], latest);
}
