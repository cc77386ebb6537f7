//! `POST /api/users/password/`, `POST /api/users/{id}/reset-password/`

use rollcall_tests::{Hospital, PASSWORD, Session, either, keep_out_of_logs};
use serde_json::{Value, json};

const NEW: &str = " a brand new ☤ password ";

async fn reset(admin: &Session, user: &Session) -> String {
    let answer = admin.post_nothing(&format!("/api/users/{}/reset-password/", user.id())).await;
    let temporary = answer.json()["temporary_password"].as_str().unwrap().to_string();
    keep_out_of_logs(&temporary);
    temporary
}

#[tokio::test]
async fn a_changed_password_ends_every_session_and_opens_a_new_one() {
    keep_out_of_logs(NEW);
    let hospital = Hospital::fresh(either());
    let (here, elsewhere) = (hospital.sign_in("ann").await, hospital.sign_in("ann").await);
    let connect = format!("/ws/connect/?email={}", hospital.email("ann"));
    let (mut first, mut second) = (here.socket(&connect, false).await, elsewhere.socket(&connect, false).await);
    first.text().await;
    second.text().await;

    let answer = here.post("/api/users/password/", json!({"current_password": PASSWORD, "new_password": NEW})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let new = Session::of(either(), &answer);
    assert!(answer.header("set-cookie").contains(&new.token));
    assert_eq!(first.closed().await.code, 4002);
    assert_eq!(second.closed().await.code, 4002);
    for old in [here, elsewhere] {
        assert_eq!(old.get("/api/users/me/").await.refusal(), (401, "invalid_token".into()));
    }
    assert_eq!(new.get("/api/users/me/").await.status, 200);
    assert_eq!(new.socket(&connect, false).await.json().await["type"], "connection_established");

    let old = hospital.login(json!({"email": hospital.email("ann"), "password": PASSWORD})).await;
    assert_eq!(old.refusal(), (401, "invalid_credentials".into()));
    Session::open(either(), &hospital.email("ann"), NEW).await;
}

#[tokio::test]
async fn a_password_that_cannot_be_changed_is_told_at_its_field() {
    let hospital = Hospital::fresh(either());
    let ann = hospital.sign_in("ann").await;
    let mut socket = ann.socket(&format!("/ws/connect/?email={}", hospital.email("ann")), false).await;
    socket.text().await;
    for (body, field) in [
        (json!({"new_password": NEW}), "current_password"),
        (json!({"current_password": PASSWORD}), "new_password"),
        (json!({"current_password": PASSWORD, "new_password": "short"}), "new_password"),
        (json!({"current_password": PASSWORD, "new_password": PASSWORD}), "new_password"),
        (json!({"current_password": PASSWORD.trim(), "new_password": NEW}), "current_password"),
    ] {
        let answer = ann.post("/api/users/password/", body.clone()).await;
        assert_eq!(answer.refusal(), (400, "invalid_request".into()), "{body}");
        assert_eq!(answer.json()["field"], field, "{body}");
    }
    socket.hears_nothing().await;
    assert_eq!(ann.get("/api/users/me/").await.status, 200);
}

#[tokio::test]
async fn guessing_the_current_password_is_throttled_like_signing_in() {
    let hospital = Hospital::fresh(either());
    let ann = hospital.sign_in("ann").await;
    let guess = async |password: &str| {
        ann.post("/api/users/password/", json!({"current_password": password, "new_password": NEW})).await
    };
    for _ in 0..5 {
        assert_eq!(guess("wrong").await.status, 400);
    }
    assert_eq!(guess(PASSWORD).await.refusal(), (429, "throttled".into()));
}

#[tokio::test]
async fn a_temporary_password_is_good_for_choosing_another_one_only() {
    let hospital = Hospital::fresh(either());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let connect = format!("/ws/connect/?email={}", hospital.email("ann"));
    let mut socket = ann.socket(&connect, false).await;
    socket.text().await;
    let temporary = reset(&admin, &ann).await;
    assert_eq!(socket.closed().await.code, 4002, "a reset ends every session");
    assert_eq!(ann.get("/api/users/me/").await.refusal(), (401, "invalid_token".into()));

    let session = Session::open(either(), &hospital.email("ann"), &temporary).await;
    assert!(session.user.must_change_password);
    assert_eq!(session.get("/api/users/me/").await.json()["must_change_password"], true);
    for path in ["/api/users/online-doctors/", "/api/users/sessions/"] {
        assert_eq!(session.get(path).await.refusal(), (403, "password_change_required".into()), "{path}");
    }
    assert_eq!(session.post_nothing("/api/users/login-status/").await.refusal().1, "password_change_required");
    assert_eq!(session.socket(&connect, false).await.closed().await.code, 4003);

    let body = json!({"current_password": temporary, "new_password": NEW});
    let chosen = Session::of(either(), &session.post("/api/users/password/", body).await);
    assert!(!chosen.user.must_change_password);
    assert_eq!(chosen.get("/api/users/me/").await.json().get("must_change_password"), None);
    chosen.go_live().await;
}

#[tokio::test]
async fn a_temporary_password_that_was_reset_again_or_is_not_used_in_time_is_none() {
    let hospital = Hospital::fresh(either());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let (first, second) = (reset(&admin, &ann).await, reset(&admin, &ann).await);
    assert_ne!(first, second);
    let login =
        async |password: &str| hospital.login(json!({"email": hospital.email("ann"), "password": password})).await;
    assert_eq!(login(&first).await.refusal(), (401, "invalid_credentials".into()));
    assert_eq!(login(&second).await.status, 200);
}

#[tokio::test]
async fn an_administrator_resets_nobody_elsewhere_and_not_themselves() {
    let (hospital, elsewhere) = (Hospital::fresh(either()), Hospital::fresh(either()));
    let (admin, foreign) = (hospital.sign_in("admin").await, elsewhere.sign_in("ann").await);
    let reset = async |by: &Session, id: Value| by.post_nothing(&format!("/api/users/{id}/reset-password/")).await;
    for id in [foreign.id(), 9_999_999] {
        assert_eq!(reset(&admin, json!(id)).await.refusal(), (404, "not_found".into()));
    }
    assert_eq!(reset(&admin, json!(admin.id())).await.refusal(), (403, "permission_denied".into()));
    assert_eq!(reset(&hospital.sign_in("ann").await, json!(1)).await.refusal(), (403, "permission_denied".into()));
    assert_eq!(foreign.get("/api/users/me/").await.status, 200);
}
