//! `POST /api/users/{login,logout,availability}-status/`, `GET /api/users/online-doctors/`

use futures_util::future::join_all;
use rollcall_tests::{Hospital, Session, either, request};
use serde_json::{Value, json};

async fn history(admin: &Session) -> Vec<Value> {
    admin.get("/api/events/").await.json()["events"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_login_is_answered_with_its_event_and_the_doctor() {
    let hospital = Hospital::fresh(either());
    let doctor = hospital.sign_in("ann").await;
    assert_eq!(
        doctor.go_live().await,
        json!({
            "status": "success",
            "changed": true,
            "seq": 1,
            "doctor": {
                "id": doctor.id(),
                "username": doctor.user.username,
                "first_name": "Ann",
                "last_name": "Lee",
                "is_available_for_consultation": false,
                "is_live": true,
                "consultation_hours": "09:00-17:00",
                "specialization": "Cardiology",
                "hospital": format!("Hospital {}", hospital.id),
            },
        })
    );
    let away = doctor.leave().await;
    assert_eq!((&away["seq"], &away["doctor"]["is_live"]), (&json!(2), &json!(false)));
}

#[tokio::test]
async fn a_repeated_call_changes_nothing() {
    let hospital = Hospital::fresh(either());
    let (admin, doctor) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    assert_eq!(doctor.leave().await["changed"], false, "not live to begin with");
    assert_eq!(doctor.go_live().await["changed"], true);
    let again = doctor.go_live().await;
    assert_eq!((&again["changed"], &again["seq"]), (&json!(false), &json!(1)));
    assert_eq!(doctor.be_available(false).await["changed"], false, "not available to begin with");
    assert_eq!(history(&admin).await.len(), 1);
}

#[tokio::test]
async fn fifty_identical_calls_at_once_are_one_event() {
    let hospital = Hospital::fresh(either());
    let (admin, doctor) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let answers = join_all((0..50).map(|_| doctor.go_live())).await;
    assert_eq!(answers.iter().filter(|answer| answer["changed"] == true).count(), 1);
    assert_eq!(history(&admin).await.len(), 1);
}

#[tokio::test]
async fn availability_may_be_changed_while_not_live() {
    let hospital = Hospital::fresh(either());
    let doctor = hospital.sign_in("ann").await;
    let answer = doctor.be_available(true).await;
    assert_eq!(answer["doctor"]["is_live"], false);
    assert_eq!(answer["doctor"]["is_available_for_consultation"], true);
}

#[tokio::test]
async fn availability_must_be_true_or_false() {
    let doctor = Hospital::fresh(either()).sign_in("ann").await;
    for body in
        [json!({}), json!({"is_available_for_consultation": "yes"}), json!({"is_available_for_consultation": null})]
    {
        let answer = doctor.post("/api/users/availability-status/", body.clone()).await;
        assert_eq!(answer.refusal(), (400, "invalid_request".into()), "{body}");
        assert_eq!(answer.json()["field"], "is_available_for_consultation");
    }
    // Unlike `login-status`, this call is nothing without its body.
    let empty = doctor.post_nothing("/api/users/availability-status/").await;
    assert_eq!(empty.refusal(), (400, "parse_error".into()));
}

#[tokio::test]
async fn a_doctor_may_come_and_go_without_a_body() {
    let doctor = Hospital::fresh(either()).sign_in("ann").await;
    assert_eq!(doctor.post_nothing("/api/users/login-status/").await.json()["changed"], true);
    assert_eq!(doctor.post_nothing("/api/users/logout-status/").await.json()["changed"], true);
}

#[tokio::test]
async fn an_administrators_change_is_recorded_as_theirs() {
    let hospital = Hospital::fresh(either());
    let (admin, doctor) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    admin.done("/api/users/login-status/", json!({"doctor_id": doctor.id()})).await;
    doctor.leave().await;
    let events = history(&admin).await;
    assert_eq!((&events[0]["reason"], &events[0]["actor_id"]), (&json!("admin"), &json!(admin.id())));
    assert_eq!((events[1].get("reason"), &events[1]["actor_id"]), (None, &json!(doctor.id())));
}

#[tokio::test]
async fn nobody_sets_the_state_of_others_but_their_administrator() {
    let hospital = Hospital::fresh(either());
    let elsewhere = Hospital::fresh(either());
    let (admin, ann, bob, user) = (
        hospital.sign_in("admin").await,
        hospital.sign_in("ann").await,
        hospital.sign_in("bob").await,
        hospital.sign_in("user").await,
    );
    let foreign = elsewhere.sign_in("ann").await;
    let set = async |by: &Session, body: Value| by.post("/api/users/login-status/", body).await.refusal();

    assert_eq!(set(&ann, json!({"doctor_id": bob.id()})).await, (403, "permission_denied".into()));
    assert_eq!(set(&user, json!({})).await, (403, "permission_denied".into()));
    assert_eq!(set(&user, json!({"doctor_id": ann.id()})).await, (403, "permission_denied".into()));
    assert_eq!(set(&admin, json!({})).await, (400, "invalid_request".into()));
    assert_eq!(set(&admin, json!({"doctor_id": "7"})).await, (400, "invalid_request".into()));
    let mut answers = Vec::new();
    for doctor_id in [9_999_999, user.id(), foreign.id(), i64::MAX] {
        let answer = admin.post("/api/users/login-status/", json!({"doctor_id": doctor_id})).await;
        assert_eq!(answer.refusal(), (404, "not_found".into()), "{doctor_id}");
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);

    for admin in [admin, elsewhere.sign_in("admin").await] {
        assert_eq!(history(&admin).await, Vec::<Value>::new());
    }
    assert_eq!(foreign.get("/api/users/me/").await.json()["is_live"], false);
}

#[tokio::test]
async fn online_doctors_are_those_on_duty_and_free_by_name() {
    let hospital = Hospital::fresh(either());
    let user = hospital.sign_in("user").await;
    let (ann, bob, eve) = (hospital.sign_in("ann").await, hospital.sign_in("bob").await, hospital.sign_in("eve").await);
    for doctor in [&bob, &ann] {
        doctor.go_live().await;
        doctor.be_available(true).await;
    }
    eve.go_live().await;
    let online = user.get("/api/users/online-doctors/").await.json();
    let ids: Vec<_> = online.as_array().unwrap().iter().map(|doctor| doctor["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [ann.id(), bob.id()], "not eve, who is busy, and nobody of another hospital");
    assert_eq!(request(either(), "GET", "/api/users/online-doctors/", &[], None).await.status, 401);
}
