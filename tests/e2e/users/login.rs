//! `POST /api/users/login/`

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream;
use reqwest::Body;
use rollcall_tests::{Answer, Hospital, PASSWORD, Session, either, keep_out_of_logs};
use serde_json::{Value, json};

async fn post(body: impl Into<Body>, content_type: &str) -> Answer {
    let request = reqwest::Client::new()
        .post(format!("{}/api/users/login/", either().address))
        .header("content-type", content_type)
        .body(body.into());
    Answer::of(request).await
}

#[tokio::test]
async fn a_login_gives_a_token_and_a_cookie_that_scripts_cannot_read() {
    let hospital = Hospital::fresh(either());
    let answer = hospital.login(json!({"email": hospital.email("ann"), "password": PASSWORD})).await;
    assert_eq!(answer.status, 200);
    let login = answer.json();
    let token = login["token"].as_str().unwrap();
    assert_eq!(token.len(), 64);
    let expires_at: DateTime<Utc> = login["expires_at"].as_str().unwrap().parse().unwrap();
    let lifetime = expires_at - Utc::now();
    assert!(lifetime > TimeDelta::minutes(595) && lifetime <= TimeDelta::hours(10), "{lifetime}");
    assert_eq!(login["user"]["hospital_id"], hospital.id);
    assert_eq!(login["user"]["time_zone"], "Asia/Kolkata");
    assert_eq!(login["user"]["is_live"], false);
    // Not `Secure`: the local server speaks plain HTTP.
    assert_eq!(
        answer.header("set-cookie"),
        format!("rollcall_session={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=36000")
    );
}

#[tokio::test]
async fn an_email_in_other_case_or_with_spaces_around_is_the_same_account() {
    let hospital = Hospital::fresh(either());
    let email = format!("  {}  ", hospital.email("ann").to_uppercase());
    let answer = hospital.login(json!({"email": email, "password": PASSWORD})).await;
    assert_eq!(answer.json()["user"]["email"], hospital.email("ann"));
}

#[tokio::test]
async fn wrong_password_unknown_email_and_deactivated_user_cannot_be_told_apart() {
    let hospital = Hospital::fresh(either());
    let mut answers = Vec::new();
    for (email, password) in [
        (hospital.email("ann"), PASSWORD.trim()),
        (hospital.email("nobody"), PASSWORD),
        (hospital.email("gone"), PASSWORD),
        ("' OR 1=1--".into(), PASSWORD),
    ] {
        let answer = hospital.login(json!({"email": email, "password": password})).await;
        assert_eq!(answer.refusal(), (401, "invalid_credentials".into()), "{email}");
        assert_eq!(answer.header("www-authenticate"), "Token");
        assert_eq!(answer.header("set-cookie"), "");
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_parse_error() {
    for body in ["", "{", "email=a&password=b"] {
        assert_eq!(post(body, "application/json").await.refusal(), (400, "parse_error".into()), "{body}");
    }
}

#[tokio::test]
async fn a_field_at_fault_is_named() {
    let fault = |answer: Answer| {
        let (status, code) = answer.refusal();
        (status, code, answer.json()["field"].clone())
    };
    let invalid = |field: Value| (400, "invalid_request".to_string(), field);
    for (body, field) in [
        (json!({}), json!("email")),
        (json!({"email": "ann@example.com"}), json!("password")),
        (json!({"email": [], "password": "x"}), json!("email")),
        (json!({"email": null, "password": "x"}), json!("email")),
        (json!({"email": "ann@example.com", "password": 7}), json!("password")),
        (json!([]), Value::Null),
    ] {
        assert_eq!(fault(post(body.to_string(), "application/json").await), invalid(field), "{body}");
    }
}

#[tokio::test]
async fn a_body_of_another_type_or_over_16_kib_is_refused() {
    let body = json!({"email": "ann@example.com", "password": "x"}).to_string();
    assert_eq!(post(body.clone(), "text/plain").await.refusal(), (415, "unsupported_media_type".into()));
    assert_eq!(post(body, "application/json; charset=utf-8").await.status, 401);

    let large = json!({"email": "ann@example.com", "password": "x".repeat(16 * 1024)}).to_string();
    assert_eq!(post(large, "application/json").await.refusal(), (413, "too_large".into()));
    // Chunked, without a length that would tell beforehand.
    let chunks = ["x".repeat(10 * 1024), "x".repeat(10 * 1024)].map(Ok::<_, std::io::Error>);
    let chunked = post(Body::wrap_stream(stream::iter(chunks)), "application/json").await;
    assert_eq!(chunked.refusal(), (413, "too_large".into()));
}

#[tokio::test]
async fn a_long_password_with_spaces_around_signs_in_exactly() {
    let hospital = Hospital::fresh(either());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let password = format!("  {}  ", "pä☤🏥".repeat(63));
    assert_eq!(password.chars().count(), 256);
    keep_out_of_logs(&password);
    let path = format!("/api/users/{}/", ann.id());
    assert_eq!(admin.patch(&path, json!({"password": password})).await.status, 200);
    for wrong in [password.trim(), &password.to_uppercase(), &password.replace('ä', "a\u{308}")] {
        let answer = hospital.login(json!({"email": hospital.email("ann"), "password": wrong})).await;
        assert_eq!(answer.refusal(), (401, "invalid_credentials".into()));
    }
    Session::open(either(), &hospital.email("ann"), &password).await;
}
