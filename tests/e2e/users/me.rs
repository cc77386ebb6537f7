//! `GET /api/users/me/`, and with it how callers say who they are.

use rollcall_tests::{Hospital, either, request};
use serde_json::json;

#[tokio::test]
async fn somebody_signed_in_sees_themselves() {
    let hospital = Hospital::fresh(either());
    let doctor = hospital.sign_in("eve").await;
    assert_eq!(
        doctor.get("/api/users/me/").await.json(),
        json!({
            "id": doctor.id(),
            "email": hospital.email("eve"),
            "username": format!("eve{}", hospital.id),
            "first_name": "<img src=x onerror=alert(1)>",
            "last_name": "O'Neil",
            "role": "doctor",
            "is_active": true,
            "hospital_id": hospital.id,
            "time_zone": "Asia/Kolkata",
            "is_available_for_consultation": false,
            "is_live": false,
            "consultation_hours": "09:00-17:00",
            "specialization": "Cardiology",
            "hospital": format!("Hospital {}", hospital.id),
        })
    );
    let user = hospital.sign_in("user").await.get("/api/users/me/").await.json();
    assert_eq!(user.get("is_live"), None);
}

#[tokio::test]
async fn a_time_zone_that_does_not_exist_is_shown_as_it_is_stored() {
    let ann = Hospital::of_an_unknown_zone(either()).sign_in("ann").await;
    assert_eq!(ann.get("/api/users/me/").await.json()["time_zone"], "Mars/Olympus");
    assert_eq!(ann.go_live().await["changed"], true, "and it hinders nobody");
}

#[tokio::test]
async fn the_keyword_may_be_in_any_case() {
    let token = Hospital::fresh(either()).sign_in("ann").await.token;
    for keyword in ["Token", "token", "TOKEN"] {
        let authorization = format!("{keyword} {token}");
        let answer = request(either(), "GET", "/api/users/me/", &[("authorization", &authorization)], None).await;
        assert_eq!(answer.status, 200, "{keyword}");
    }
}

#[tokio::test]
async fn credentials_that_are_none_are_refused() {
    let long = format!("Token {}", "a".repeat(10_240));
    let unknown = format!("Token {}", "0".repeat(64));
    for (header, code) in [
        (None, "not_authenticated"),
        (Some("Bearer x"), "not_authenticated"),
        (Some("Token"), "invalid_token"),
        (Some("Token a b"), "invalid_token"),
        (Some("Token schlüssel"), "invalid_token"),
        (Some(long.as_str()), "invalid_token"),
        (Some(unknown.as_str()), "invalid_token"),
    ] {
        let headers: Vec<_> = header.map(|header| ("authorization", header)).into_iter().collect();
        let answer = request(either(), "GET", "/api/users/me/", &headers, None).await;
        assert_eq!(answer.refusal(), (401, code.into()), "{header:?}");
        assert_eq!(answer.header("www-authenticate"), "Token");
    }
}
