//! `GET /api/users/sessions/`, `DELETE /api/users/sessions/{id}/`

use rollcall_tests::{Closed, Hospital, either, request};
use serde_json::Value;

async fn ids(session: &rollcall_tests::Session) -> Vec<i64> {
    let listed = session.get("/api/users/sessions/").await.json();
    listed["sessions"].as_array().unwrap().iter().map(|entry| entry["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn somebody_sees_their_own_sessions_newest_first() {
    let hospital = Hospital::fresh(either());
    let (first, second) = (hospital.sign_in("ann").await, hospital.sign_in("ann").await);
    hospital.sign_in("bob").await;
    let listed = first.get("/api/users/sessions/").await.json();
    let sessions = listed["sessions"].as_array().unwrap();
    assert_eq!(sessions.iter().map(|entry| &entry["current"]).collect::<Vec<_>>(), [false, true]);
    assert!(sessions[0]["created_at"].as_str() >= sessions[1]["created_at"].as_str());
    assert!(sessions[1]["expires_at"].as_str() > sessions[1]["created_at"].as_str());
    assert_eq!(listed.to_string().find(&second.token), None, "no token is shown again");
    assert_eq!(sessions[0].get("token_sha256"), None);
}

#[tokio::test]
async fn a_session_is_known_by_what_its_browser_calls_itself() {
    let hospital = Hospital::fresh(either());
    let body = serde_json::json!({"email": hospital.email("ann"), "password": rollcall_tests::PASSWORD});
    let login = request(either(), "POST", "/api/users/login/", &[("user-agent", "Phone/1.0 <b>")], Some(body)).await;
    let session = rollcall_tests::Session::of(either(), &login);
    let listed = session.get("/api/users/sessions/").await.json();
    assert_eq!(listed["sessions"][0]["user_agent"], "Phone/1.0 <b>");
}

#[tokio::test]
async fn a_revoked_session_ends_with_its_sockets_and_no_other_does() {
    let hospital = Hospital::fresh(either());
    let (first, second) = (hospital.sign_in("admin").await, hospital.sign_in("admin").await);
    let (mut lost, mut kept) =
        (first.socket("/ws/doctor-status/", true).await, second.socket("/ws/doctor-status/", true).await);
    lost.json().await;
    kept.json().await;
    let [_, of_first] = ids(&second).await[..] else { panic!() };
    assert_eq!(second.delete(&format!("/api/users/sessions/{of_first}/")).await.status, 204);
    assert_eq!(lost.closed().await, Closed { code: 4002, reason: "The session ended".into() });
    kept.hears_nothing().await;
    assert_eq!(first.get("/api/users/me/").await.refusal(), (401, "invalid_token".into()));
    assert_eq!(second.get("/api/users/me/").await.status, 200);
    assert_eq!(ids(&second).await.len(), 1);
    assert_eq!(second.delete(&format!("/api/users/sessions/{of_first}/")).await.refusal().0, 404, "it is gone");
}

#[tokio::test]
async fn nobody_revokes_the_session_of_somebody_else() {
    let hospital = Hospital::fresh(either());
    let (ann, bob, admin) =
        (hospital.sign_in("ann").await, hospital.sign_in("bob").await, hospital.sign_in("admin").await);
    let of_bob = ids(&bob).await[0];
    let mut answers = Vec::new();
    for (session, id) in [(&ann, of_bob), (&admin, of_bob), (&ann, 0), (&ann, -1)] {
        let answer = session.delete(&format!("/api/users/sessions/{id}/")).await;
        assert_eq!(answer.refusal(), (404, "not_found".into()));
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    for id in ["x", "1.5", "99999999999999999999"] {
        let answer = ann.delete(&format!("/api/users/sessions/{id}/")).await;
        assert_eq!(
            (answer.refusal(), answer.json()["field"].clone()),
            ((400, "invalid_request".into()), Value::from("id"))
        );
    }
    assert_eq!(bob.get("/api/users/me/").await.status, 200);
}

#[tokio::test]
async fn the_oldest_of_fifty_sessions_gives_way() {
    let hospital = Hospital::fresh(either());
    let first = hospital.sign_in("admin").await;
    let mut dashboard = first.socket("/ws/doctor-status/", true).await;
    dashboard.json().await;
    let second = hospital.sign_in("admin").await;
    for _ in 0..48 {
        hospital.sign_in("admin").await;
    }
    assert_eq!(ids(&first).await.len(), 50);
    let latest = hospital.sign_in("admin").await;
    assert_eq!(dashboard.closed().await.code, 4002);
    assert_eq!(first.get("/api/users/me/").await.refusal(), (401, "invalid_token".into()));
    assert_eq!((ids(&second).await.len(), ids(&latest).await.len()), (50, 50));
}
