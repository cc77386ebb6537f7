//! What a role may do to users, and what is taken away from one.

use rollcall_tests::{Hospital, PASSWORD, Session, either};
use serde_json::json;

use super::accounts::{edited, fault, new};

#[tokio::test]
async fn only_the_hospitals_administrator_manages_its_users() {
    let (hospital, elsewhere) = (Hospital::fresh(either()), Hospital::fresh(either()));
    let (ann, user) = (hospital.sign_in("ann").await, hospital.sign_in("user").await);
    for by in [&ann, &user] {
        assert_eq!(by.get("/api/users/").await.refusal(), (403, "permission_denied".into()));
        assert_eq!(by.post("/api/users/", new(&hospital, "nia")).await.refusal(), (403, "permission_denied".into()));
        let edit = by.patch(&format!("/api/users/{}/", by.id()), json!({"role": "admin"})).await;
        assert_eq!(edit.refusal(), (403, "permission_denied".into()));
    }
    let foreign = elsewhere.sign_in("admin").await;
    let mut answers = Vec::new();
    for id in [json!(ann.id()), json!(9_999_999), json!(-1)] {
        let answer = foreign.patch(&format!("/api/users/{id}/"), json!({"first_name": "X"})).await;
        assert_eq!(answer.refusal(), (404, "not_found".into()), "{id}");
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    let odd = foreign.patch("/api/users/x/", json!({})).await;
    assert_eq!(fault(&odd), (400, "invalid_request".into(), json!("id")));
    assert_eq!(ann.get("/api/users/me/").await.json()["first_name"], "Ann");
}

#[tokio::test]
async fn an_administrator_cannot_lock_themselves_out() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    for body in [json!({"is_active": false}), json!({"role": "user"}), json!({"password": "another password"})] {
        let answer = admin.patch(&format!("/api/users/{}/", admin.id()), body.clone()).await;
        assert_eq!(answer.refusal(), (403, "permission_denied".into()), "{body}");
    }
    edited(&admin, &json!(admin.id()), json!({"first_name": "Alexa", "role": "admin"})).await;
    assert_eq!(admin.get("/api/users/me/").await.json()["first_name"], "Alexa");
}

#[tokio::test]
async fn an_administrator_who_becomes_a_user_stops_watching_at_once() {
    let hospital = Hospital::fresh(either());
    let (admin, other) = (hospital.sign_in("admin").await, hospital.sign_in("admin2").await);
    let mut dashboard = other.socket("/ws/doctor-status/", true).await;
    dashboard.json().await;
    edited(&admin, &json!(other.id()), json!({"role": "user"})).await;
    assert_eq!(dashboard.closed().await.code, 4002);
    assert_eq!(other.get("/api/events/").await.refusal(), (401, "invalid_token".into()));
    let again = hospital.sign_in("admin2").await;
    assert_eq!(again.get("/api/events/").await.refusal(), (403, "permission_denied".into()));
}

#[tokio::test]
async fn a_doctor_who_becomes_a_user_leaves_duty() {
    let hospital = Hospital::fresh(either());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    ann.go_live().await;
    let user = edited(&admin, &json!(ann.id()), json!({"role": "user"})).await;
    assert_eq!(user.get("is_live"), None);
    let events = admin.get("/api/events/").await.json();
    assert_eq!(
        (&events["events"][1]["action"], &events["events"][1]["actor_id"]),
        (&json!("logout"), &json!(admin.id()))
    );
    let doctor = edited(&admin, &json!(ann.id()), json!({"role": "doctor"})).await;
    assert_eq!((&doctor["is_live"], &doctor["specialization"]), (&json!(false), &json!("Cardiology")));
}

#[tokio::test]
async fn a_password_that_an_administrator_sets_ends_the_sessions() {
    let hospital = Hospital::fresh(either());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    edited(&admin, &json!(ann.id()), json!({"password": "another password"})).await;
    assert_eq!(ann.get("/api/users/me/").await.refusal(), (401, "invalid_token".into()));
    assert!(!Session::open(either(), &hospital.email("ann"), "another password").await.user.must_change_password);
}

#[tokio::test]
async fn a_deactivated_doctor_is_off_duty_signed_out_and_disconnected() {
    let hospital = Hospital::fresh(either());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut socket = hospital.connect("ann").await;
    socket.text().await;
    ann.go_live().await;
    let mut dashboard = hospital.dashboard("").await;
    dashboard.json().await;
    let id = json!(ann.id());

    assert_eq!(edited(&admin, &id, json!({"is_active": false})).await["is_live"], false);
    assert_eq!(socket.closed().await.code, 4002);
    let logout = dashboard.json().await;
    assert_eq!((&logout["action"], &logout["reason"]), (&json!("logout"), &json!("admin")));
    assert!(!dashboard.json().await["doctors"].to_string().contains("\"Ann\""));
    assert_eq!(ann.get("/api/users/me/").await.refusal(), (401, "invalid_token".into()));
    let login = hospital.login(json!({"email": hospital.email("ann"), "password": PASSWORD})).await;
    assert_eq!(login.refusal(), (401, "invalid_credentials".into()));
    // Again, as if the first answer had been lost.
    edited(&admin, &id, json!({"is_active": false})).await;
    assert_eq!(admin.get("/api/events/").await.json()["latest"], 2);

    edited(&admin, &id, json!({"is_active": true})).await;
    assert_eq!(hospital.sign_in("ann").await.get("/api/users/me/").await.json()["is_live"], false);
}
