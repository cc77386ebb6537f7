//! Presence: what becomes of a doctor on duty whose sockets come and go.

use std::time::{Duration, Instant};

use rollcall_tests::{Hospital, open};
use serde_json::json;
use tokio::time::sleep;

use crate::{audit, calm, connections_lost, report, scaled};

#[tokio::test]
async fn a_flapping_socket_is_no_event() {
    let hospital = Hospital::fresh(calm());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboard = hospital.dashboard("").await;
    dashboard.json().await;
    let mut socket = hospital.connect("ann").await;
    ann.go_live().await;
    assert_eq!(dashboard.json().await["seq"], 1);
    let flaps = scaled(8, 60);
    for flap in 0..flaps {
        // Half of them say goodbye.
        if flap % 2 == 0 {
            socket.json().await;
            socket.close(1000, "").await;
        } else {
            drop(socket);
        }
        sleep(Duration::from_secs(1)).await;
        socket = hospital.connect("ann").await;
    }
    sleep(Duration::from_secs(6)).await;
    dashboard.hears_nothing().await;
    assert_eq!(audit(&admin).await.len(), 1);
    assert_eq!(admin.get("/api/hms/active-connections").await.json()["count"], 1);
    report(
        9,
        "a_flapping_socket_is_no_event",
        format!("a doctor's socket goes and comes back {flaps} times, once a second; grace 5 s"),
        "nothing: no event",
    );
}

#[tokio::test]
async fn a_network_that_dies_for_longer_than_the_grace_is_one_logout() {
    let hospital = Hospital::fresh(calm());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboard = hospital.dashboard("").await;
    dashboard.json().await;
    let (mut phone, mut laptop) = (hospital.connect("ann").await, hospital.connect("ann").await);
    phone.json().await;
    laptop.json().await;
    ann.go_live().await;
    dashboard.json().await;
    drop(phone);
    sleep(Duration::from_secs(7)).await;
    dashboard.hears_nothing().await;
    drop(laptop);
    let began = Instant::now();
    let event = dashboard.json().await;
    let took = began.elapsed();
    assert_eq!((&event["action"], &event["reason"]), (&"logout".into(), &"connection_lost".into()));
    assert!(took > Duration::from_secs(4), "{took:?}");
    sleep(Duration::from_secs(6)).await;
    dashboard.hears_nothing().await;
    assert_eq!(connections_lost(&audit(&admin).await), 1);
    report(
        10,
        "a_network_that_dies_for_longer_than_the_grace_is_one_logout",
        format!(
            "a doctor's phone, later the laptop, are cut off; grace 5 s: logged out {:.1} s after the second",
            took.as_secs_f64()
        ),
        "nothing: one logout, `connection_lost`",
    );
}

#[tokio::test]
async fn a_socket_from_before_a_logout_has_no_say_in_the_next_stay() {
    let hospital = Hospital::fresh(calm());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut old = hospital.connect("ann").await;
    old.json().await;
    ann.go_live().await;
    ann.leave().await;
    ann.go_live().await;
    drop(old);
    sleep(Duration::from_secs(8)).await;
    assert_eq!(audit(&admin).await.len(), 3);
}

/// Long enough for the room to fall asleep in between, so its alarm must wake it.
#[tokio::test]
async fn a_doctor_who_does_not_come_back_within_45_seconds_is_logged_out() {
    let hospital = Hospital::fresh(open());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut socket = hospital.connect("ann").await;
    socket.json().await;
    ann.go_live().await;
    ann.be_available(true).await;
    let left = Instant::now();
    socket.close(1000, "").await;
    sleep(Duration::from_secs(40)).await;
    assert_eq!(ann.get("/api/users/me/").await.json()["is_live"], true);

    let mut dashboard = admin.socket("/ws/doctor-status/?since=2", true).await;
    assert_eq!(dashboard.json().await["type"], "resumed");
    let event = dashboard.json().await;
    assert!((44..60).contains(&left.elapsed().as_secs()), "{:?}", left.elapsed());
    let recorded = &admin.get("/api/events/?since=2").await.json()["events"][0];
    assert_eq!(recorded["actor_id"], json!(null), "nobody's doing");
    assert_eq!(
        event,
        json!({
            "type": "doctor_login_logout",
            "doctor_id": ann.id(),
            "action": "logout",
            "doctor_name": "Dr. Ann Lee",
            "timestamp": recorded["timestamp"],
            "message": recorded["message"],
            "seq": 3,
            "reason": "connection_lost",
        })
    );
    let me = ann.get("/api/users/me/").await.json();
    assert_eq!((&me["is_live"], &me["is_available_for_consultation"]), (&json!(false), &json!(true)));
    report(
        10,
        "a_doctor_who_does_not_come_back_within_45_seconds_is_logged_out",
        "the only socket goes, the room is evicted after 10 s, its alarm wakes it".into(),
        "nothing: one logout, `connection_lost`, after the default grace of 45 s",
    );
}
