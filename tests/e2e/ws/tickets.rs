//! `POST /api/ws-ticket/`, and what tickets are good for

use rollcall_tests::{Closed, Hospital, Session, Socket, either, open, strict};
use serde_json::json;

const WATCH: &str = "/ws/doctor-status/";

async fn with_protocols(path: &str, protocols: &str) -> Socket {
    Socket::open(either(), path, &[("sec-websocket-protocol", protocols)], false).await
}

fn refused() -> Closed {
    Closed { code: 4001, reason: "Email or credentials not accepted".into() }
}

#[tokio::test]
async fn a_ticket_opens_a_socket_as_a_subprotocol_or_in_the_query() {
    let hospital = Hospital::fresh(either());
    let (admin, user) = (hospital.sign_in("admin").await, hospital.sign_in("user").await);
    let mut dashboard = with_protocols(WATCH, &format!("rollcall.v1, ticket.{}", admin.ticket(WATCH).await)).await;
    assert_eq!(dashboard.protocol, "rollcall.v1");
    assert_eq!(dashboard.json().await["type"], "snapshot");

    let connect = format!("/ws/connect/?email={}", hospital.email("user"));
    let offer = format!("ticket.{}", user.ticket("/ws/connect").await);
    let mut connection = with_protocols(&connect, &offer).await;
    assert_eq!(connection.protocol, offer, "a browser drops a socket that confirms nothing of its offer");
    assert_eq!(connection.json().await["type"], "connection_established");

    let ticket = user.ticket("/ws/connect/").await;
    let mut connection = Socket::open(either(), &format!("{connect}&ticket={ticket}"), &[], false).await;
    assert_eq!(connection.json().await["type"], "connection_established");
}

#[tokio::test]
async fn a_ticket_is_good_once_for_its_user_and_its_path() {
    let hospital = Hospital::fresh(either());
    let (admin, user) = (hospital.sign_in("admin").await, hospital.sign_in("user").await);
    let join = async |path: &str, name: &str, ticket: &str| {
        let path = format!("{path}?email={}&ticket={ticket}", hospital.email(name));
        Socket::open(either(), &path, &[], false).await
    };
    let used = user.ticket("/ws/connect/").await;
    join("/ws/connect/", "user", &used).await.json().await;
    assert_eq!(join("/ws/connect/", "user", &used).await.closed().await, refused(), "used");

    let of_user = user.ticket("/ws/connect/").await;
    assert_eq!(join("/ws/connect/", "ann", &of_user).await.closed().await, refused(), "somebody else's");
    assert_eq!(join("/ws/connect/", "user", &of_user).await.closed().await, refused(), "used up by that");

    let of_admin = admin.ticket("/ws/connect/").await;
    assert_eq!(join(WATCH, "admin", &of_admin).await.closed().await, refused(), "for another path");
    for none in ["", "x", &"0".repeat(64), "%00", &"a".repeat(5000)] {
        assert_eq!(join("/ws/connect/", "user", none).await.closed().await, refused(), "{none:.10}");
    }
    assert_eq!(join("/ws/connect/", "user", &format!("{of_admin}&ticket=x")).await.closed().await, refused(), "twice");
}

#[tokio::test]
async fn two_at_once_with_one_ticket_are_one() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    for _ in 0..5 {
        let path = format!("{WATCH}?ticket={}", admin.ticket(WATCH).await);
        let (mut first, mut second) = futures_util::future::join(
            Socket::open(either(), &path, &[], true),
            Socket::open(either(), &path, &[], true),
        )
        .await;
        let joined = [first.text_or_close().await.is_ok(), second.text_or_close().await.is_ok()];
        assert_eq!(joined.into_iter().filter(|joined| *joined).count(), 1);
    }
}

#[tokio::test]
async fn a_ticket_ends_with_its_session_and_so_do_its_sockets() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    let ticket = admin.ticket(WATCH).await;
    let mut dashboard = with_protocols(WATCH, &format!("rollcall.v1, ticket.{}", admin.ticket(WATCH).await)).await;
    dashboard.json().await;
    assert_eq!(admin.post("/api/users/logout/", json!({})).await.status, 204);
    assert_eq!(dashboard.closed().await.code, 4002);
    let mut late = Socket::open(either(), &format!("{WATCH}?ticket={ticket}"), &[], true).await;
    assert_eq!(late.closed().await, refused());
}

#[tokio::test]
async fn a_ticket_to_watch_is_refused_to_who_may_not() {
    let hospital = Hospital::fresh(either());
    for name in ["ann", "user"] {
        let session = hospital.sign_in(name).await;
        let answer = session.post("/api/ws-ticket/", json!({"path": WATCH})).await;
        assert_eq!(answer.refusal(), (403, "permission_denied".into()), "{name}");
    }
    let admin = hospital.sign_in("admin").await;
    for body in [json!({}), json!({"path": "/ws/nope/"}), json!({"path": 7}), json!({"path": "/api/users/"})] {
        let answer = admin.post("/api/ws-ticket/", body.clone()).await;
        assert_eq!(answer.refusal(), (400, "invalid_request".into()), "{body}");
        assert_eq!(answer.json()["field"], "path");
    }
    let expires_at = admin.done("/api/ws-ticket/", json!({"path": WATCH})).await["expires_at"].clone();
    let left = expires_at.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap() - chrono::Utc::now();
    assert!((20..=30).contains(&left.num_seconds()), "{left}");
}

/// The header before the ticket before the cookie.
#[tokio::test]
async fn the_header_decides_before_the_ticket_and_the_ticket_before_the_cookie() {
    for server in [open(), strict()] {
        let hospital = Hospital::fresh(server);
        let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
        let path = format!("{WATCH}?ticket={}", admin.ticket(WATCH).await);
        let cookie = |session: &Session| format!("rollcall_session={}", session.token);
        let join = async |headers: &[(&str, &str)]| Socket::open(server, &path, headers, true).await;
        assert_eq!(join(&[("authorization", &ann.authorization())]).await.closed().await.code, 4003);
        let mut dashboard = join(&[("cookie", &cookie(&ann))]).await;
        assert_eq!(dashboard.json().await["type"], "snapshot");
    }
}
