//! `/ws/doctor-status/`

use std::{ops::RangeInclusive, time::Duration};

use rollcall_tests::{Hospital, Session, Socket, either};
use serde_json::{Value, json};

/// Hears exactly these events next, in order.
pub(super) async fn hears(dashboard: &mut Socket, seqs: RangeInclusive<u64>) {
    for seq in seqs {
        assert_eq!(dashboard.json().await["seq"], seq);
    }
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
    let expected = json!({ann.id().to_string(): came, bob.id().to_string(): left});
    assert_eq!(hospital.dashboard("").await.json().await["live_since"], expected);

    // A change of a user makes the room encode its snapshot again.
    let admin = hospital.sign_in("admin").await;
    admin.patch(&format!("/api/users/{}/", bob.id()), json!({"last_name": "Roy"})).await;
    assert_eq!(dashboard.json().await["live_since"], expected, "as it is stored");
    admin.patch(&format!("/api/users/{}/", bob.id()), json!({"is_active": false})).await;
    assert_eq!(dashboard.json().await["live_since"], json!({ann.id().to_string(): came}), "of the roster only");
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
            "doctor_id": ann.id(),
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
async fn a_dashboard_that_cannot_resume_gets_a_snapshot_that_says_so() {
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
async fn callers_that_hang_up_lose_no_event_and_hold_nobody_up() {
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
