//! `GET /api/hms/active-connections`

use rollcall_tests::{Hospital, open};
use serde_json::{Value, json};

fn emails(listed: &Value) -> Vec<&str> {
    listed["active_connections"].as_array().unwrap().iter().map(|entry| entry["email"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn several_sockets_of_one_person_are_one_entry_which_goes_with_the_last() {
    let hospital = Hospital::fresh(open());
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

    let mut first = first;
    first.text().await;
    first.close(1000, "").await;
    assert_eq!(list().await["count"], 2);
    let mut second = second;
    second.text().await;
    second.close(1001, "going away").await;
    assert_eq!(emails(&list().await), [hospital.email("ann")]);
    drop(other);
}

#[tokio::test]
async fn a_socket_that_is_cut_off_leaves_the_registry() {
    let hospital = Hospital::fresh(open());
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
    let hospital = Hospital::fresh(open());
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
    let hospital = Hospital::fresh(open());
    let _socket = hospital.connect("user").await;
    for name in ["ann", "user"] {
        let answer = hospital.sign_in(name).await.get("/api/hms/active-connections").await;
        assert_eq!(answer.refusal(), (403, "permission_denied".into()), "{name}");
    }
    let foreign = Hospital::fresh(open()).sign_in("admin").await;
    assert_eq!(foreign.get("/api/hms/active-connections").await.json()["count"], 0);
}
