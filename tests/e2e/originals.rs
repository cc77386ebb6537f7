//! A client written from the two original applications' documents alone: no subprotocol, no cookie, no `since`. It
//! knows the demo accounts' hospital, where anonymous dashboards are when sockets are open.

use std::collections::BTreeSet;

use rollcall_tests::{Server, Session, Socket, open, request};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

/// The demo hospital is one for all: its tests take turns.
async fn general_hospital() -> (&'static Server, MutexGuard<'static, ()>) {
    static TURN: Mutex<()> = Mutex::const_new(());
    let turn = TURN.lock().await;
    (open(), turn)
}

async fn sign_in(server: &'static Server, email: &str) -> Session {
    Session::open(server, email, "rollcall-demo").await
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// `000_websocket_setup_guide.md`, "Test Steps": dashboard in one tab, log in as a doctor in another, see it; log out,
/// see it; toggle availability, see it.
#[tokio::test]
async fn the_setup_guides_test_steps_pass() {
    let (server, _turn) = general_hospital().await;
    let doctor = sign_in(server, "ann.lee@example.com").await;
    doctor.leave().await;

    let mut dashboard = Socket::open(server, "/ws/doctor-status/", &[], false).await;
    assert_eq!(dashboard.protocol, "");
    doctor.go_live().await;
    let login = dashboard.json().await;
    let original = BTreeSet::from(["type", "doctor_id", "action", "doctor_name", "timestamp", "message"]);
    assert!(keys(&login).is_superset(&original), "{login}");
    assert_eq!(login["type"], "doctor_login_logout");
    assert_eq!(login["action"], "login");
    assert_eq!(login["doctor_id"], doctor.id());
    assert_eq!(login["doctor_name"], "Dr. Ann Lee");
    assert!(login["message"].as_str().unwrap().starts_with("Dr. Ann Lee logged in at "), "{login}");

    doctor.be_available(false).await;
    let change = dashboard.json().await;
    assert_eq!(change["type"], "doctor_status_change");
    assert_eq!(change["is_available_for_consultation"], false);
    assert_eq!(
        keys(&change["doctor_info"]),
        BTreeSet::from([
            "id",
            "username",
            "first_name",
            "last_name",
            "is_available_for_consultation",
            "is_live",
            "consultation_hours",
            "specialization",
            "hospital"
        ])
    );
    doctor.be_available(true).await;
    assert_eq!(dashboard.json().await["doctor_info"]["is_available_for_consultation"], true);

    doctor.leave().await;
    let logout = dashboard.json().await;
    assert_eq!((&logout["type"], &logout["action"]), (&json!("doctor_login_logout"), &json!("logout")));
}

/// `002_websocket_readme.md`, "Testing": connect with an email, send messages, see the responses, be listed, leave.
#[tokio::test]
async fn the_connection_readmes_test_steps_pass() {
    let (server, _turn) = general_hospital().await;
    let admin = sign_in(server, "admin@example.com").await;
    let mut socket = Socket::open(server, "/ws/connect/?email=user1@example.com", &[], false).await;
    assert_eq!(
        socket.text().await,
        r#"{"type":"connection_established","message":"Connected successfully as user1@example.com"}"#
    );
    socket.send(r#"{"message": "Hello Server!"}"#).await;
    assert_eq!(
        socket.text().await,
        r#"{"type":"message","message":"Server received: Hello Server!","from":"user1@example.com"}"#
    );
    socket.send("Hello Server!").await;
    assert_eq!(socket.text().await, r#"{"type":"error","message":"Invalid JSON format"}"#);

    let listed = admin.get("/api/hms/active-connections").await.json();
    assert_eq!(keys(&listed), BTreeSet::from(["status", "count", "active_connections"]));
    assert_eq!((&listed["status"], &listed["count"]), (&json!("success"), &json!(1)));
    let entry = &listed["active_connections"][0];
    assert!(keys(entry).is_superset(&BTreeSet::from(["email", "connected_at", "last_activity"])), "{entry}");
    assert_eq!(entry["email"], "user1@example.com");

    socket.close(1000, "").await;
    assert_eq!(admin.get("/api/hms/active-connections").await.json()["count"], 0);
}

/// `002_websocket_readme.md`, "Error Codes".
#[tokio::test]
async fn the_connection_readmes_close_codes_are_kept() {
    let (server, _turn) = general_hospital().await;
    for (query, code) in [("", 4000), ("?email=", 4000), ("?email=nobody@example.com", 4001)] {
        let mut socket = Socket::open(server, &format!("/ws/connect/{query}"), &[], false).await;
        assert_eq!(socket.closed().await.code, code, "{query}");
    }
    let mut socket = Socket::open(server, "/ws/connect/?email=user1@example.com", &[], false).await;
    socket.text().await;
    assert_eq!(socket.close(1000, "").await.code, 1000);
}

/// `online-doctors` of the setup guide: those on duty and available, by name.
#[tokio::test]
async fn the_original_list_of_online_doctors_is_kept() {
    let (server, _turn) = general_hospital().await;
    let admin = sign_in(server, "admin@example.com").await;
    for email in ["bob.ray@example.com", "ann.lee@example.com"] {
        sign_in(server, email).await.go_live().await;
    }
    sign_in(server, "chen.wu@example.com").await.leave().await;
    let online = admin.get("/api/users/online-doctors/").await.json();
    let names: Vec<_> =
        online.as_array().unwrap().iter().map(|doctor| doctor["first_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Ann", "Bob"]);
    for email in ["bob.ray@example.com", "ann.lee@example.com"] {
        sign_in(server, email).await.leave().await;
    }
    assert_eq!(admin.get("/api/users/online-doctors/").await.json(), json!([]));
}

/// The original's login took a form that DRF's token view names `username`.
#[tokio::test]
async fn a_user_may_sign_in_by_username() {
    let (server, _turn) = general_hospital().await;
    let body = json!({"username": "ann.lee", "password": "rollcall-demo"});
    let answer = request(server, "POST", "/api/users/login/", &[], Some(body)).await;
    assert_eq!(answer.json()["user"]["email"], "ann.lee@example.com");
}
