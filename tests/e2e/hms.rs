//! `GET /api/hms/active-connections`

use rollcall_tests::{Closed, Hospital, either};
use serde_json::{Value, json};

fn emails(listed: &Value) -> Vec<&str> {
    listed["active_connections"].as_array().unwrap().iter().map(|entry| entry["email"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn several_sockets_of_one_person_are_one_entry_which_goes_with_the_last() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    let list = async || admin.get("/api/hms/active-connections").await.json();
    assert_eq!(list().await, json!({"status": "success", "count": 0, "active_connections": []}));

    let (first, second, other) =
        (hospital.connect("user").await, hospital.connect("user").await, hospital.connect("ann").await);
    let listed = list().await;
    assert_eq!(
        (&listed["count"], emails(&listed)),
        (&json!(2), vec![&*hospital.email("user"), &*hospital.email("ann")])
    );
    let sockets = |listed: &Value| {
        listed["active_connections"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["sockets"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(sockets(&listed), [2, 1]);

    let mut first = first;
    first.text().await;
    first.close(1000, "").await;
    assert_eq!(sockets(&list().await), [1, 1]);
    let mut second = second;
    second.text().await;
    second.close(1001, "going away").await;
    assert_eq!(emails(&list().await), [hospital.email("ann")]);
    drop(other);
}

#[tokio::test]
async fn a_socket_that_is_cut_off_leaves_the_registry() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    drop(hospital.connect("user").await);
    for _ in 0..50 {
        if admin.get("/api/hms/active-connections").await.json()["count"] == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("still listed");
}

/// The runtime answers a ping without waking the room, which must learn of it all the same.
#[tokio::test]
async fn a_message_is_activity_and_so_is_a_ping() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    for (name, frame) in [("user", r#"{"message":"still here"}"#), ("ann", "ping")] {
        let mut socket = hospital.connect(name).await;
        socket.text().await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        socket.send(frame).await;
        socket.text().await;
        let listed = admin.get("/api/hms/active-connections").await.json();
        let entry = &listed["active_connections"][0];
        assert!(entry["last_activity"].as_str() > entry["connected_at"].as_str(), "{frame}: {entry}");
        socket.close(1000, "").await;
    }
}

#[tokio::test]
async fn only_the_hospitals_administrator_sees_who_is_connected() {
    let hospital = Hospital::fresh(either());
    let _socket = hospital.connect("user").await;
    for name in ["ann", "user"] {
        let answer = hospital.sign_in(name).await.get("/api/hms/active-connections").await;
        assert_eq!(answer.refusal(), (403, "permission_denied".into()), "{name}");
    }
    let foreign = Hospital::fresh(either()).sign_in("admin").await;
    assert_eq!(foreign.get("/api/hms/active-connections").await.json()["count"], 0);
}

#[tokio::test]
async fn an_administrator_disconnects_somebody_from_everything() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    let other = hospital.sign_in("admin2").await;
    let path = format!("/api/hms/active-connections/{}", hospital.email("admin2"));
    let mut dashboard = other.socket("/ws/doctor-status/", true).await;
    let mut connection = hospital.connect("admin2").await;
    let mut bystander = hospital.connect("user").await;
    for socket in [&mut dashboard, &mut connection, &mut bystander] {
        socket.text().await;
    }
    assert_eq!(admin.delete(&path).await.json(), json!({"status": "success", "closed": 2}));
    let kicked = Closed { code: 4004, reason: "Disconnected by an administrator".into() };
    assert_eq!(dashboard.closed().await, kicked);
    assert_eq!(connection.closed().await, kicked);
    bystander.hears_nothing().await;
    assert_eq!(emails(&admin.get("/api/hms/active-connections").await.json()), [hospital.email("user")]);
    assert_eq!(admin.delete(&path).await.json()["closed"], 0, "and nobody minds a second time");
    assert_eq!(other.get("/api/users/me/").await.status, 200, "the session goes on");
}

#[tokio::test]
async fn nobody_is_disconnected_from_elsewhere() {
    let (hospital, elsewhere) = (Hospital::fresh(either()), Hospital::fresh(either()));
    let mut socket = hospital.connect("user").await;
    socket.text().await;
    let path = |email: &str| format!("/api/hms/active-connections/{email}");
    let foreign = elsewhere.sign_in("admin").await;
    let mut answers = Vec::new();
    for email in [hospital.email("user"), elsewhere.email("nobody"), "x".into(), "%27%20OR%201=1--".into()] {
        let answer = foreign.delete(&path(&email)).await;
        assert_eq!(answer.refusal(), (404, "not_found".into()), "{email}");
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    for name in ["ann", "user"] {
        let answer = hospital.sign_in(name).await.delete(&path(&hospital.email("user"))).await;
        assert_eq!(answer.refusal(), (403, "permission_denied".into()), "{name}");
    }
    socket.hears_nothing().await;
}
