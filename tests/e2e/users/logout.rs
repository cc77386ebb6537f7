//! `POST /api/users/logout/`

use rollcall_tests::{Closed, Hospital, either, request};
use serde_json::json;

#[tokio::test]
async fn a_logout_ends_that_session_and_no_other() {
    let hospital = Hospital::fresh(either());
    let (first, second) = (hospital.sign_in("ann").await, hospital.sign_in("ann").await);
    let answer = first.post("/api/users/logout/", json!({})).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert!(answer.header("set-cookie").starts_with("rollcall_session=; "), "{answer:?}");
    assert_eq!(first.get("/api/users/me/").await.refusal(), (401, "invalid_token".into()));
    assert_eq!(second.get("/api/users/me/").await.status, 200);
}

#[tokio::test]
async fn a_logout_closes_the_sessions_sockets_with_4002() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    let other = hospital.sign_in("admin").await;
    let connect = format!("/ws/connect/?email={}", hospital.email("admin"));
    let mut dashboard = admin.socket("/ws/doctor-status/", true).await;
    let mut connection = admin.socket(&connect, false).await;
    let mut others = other.socket("/ws/doctor-status/", true).await;
    for socket in [&mut dashboard, &mut connection, &mut others] {
        socket.text().await;
    }

    assert_eq!(admin.post("/api/users/logout/", json!({})).await.status, 204);
    let ended = Closed { code: 4002, reason: "The session ended".into() };
    assert_eq!(dashboard.closed().await, ended);
    assert_eq!(connection.closed().await, ended);
    others.hears_nothing().await;
}

/// The cookie comes by itself; the `Origin` shows that it was our page that sent it.
#[tokio::test]
async fn a_change_with_the_cookie_needs_our_origin() {
    let hospital = Hospital::fresh(either());
    let session = hospital.sign_in("ann").await;
    let cookie = format!("theme=dark; rollcall_session={}", session.token);
    let post = async |origin: Option<&str>| {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        request(either(), "POST", "/api/users/logout/", &headers, None).await
    };
    let own = either().address.as_str();
    for foreign in [None, Some("null"), Some("https://evil.example"), Some(&format!("{own}.evil"))] {
        assert_eq!(post(foreign).await.refusal(), (403, "csrf".into()), "{foreign:?}");
    }
    let me = request(either(), "GET", "/api/users/me/", &[("cookie", &cookie)], None).await;
    assert_eq!(me.status, 200, "reading needs no origin");
    assert_eq!(post(Some(own)).await.status, 204);
}
