//! `ALLOWED_ORIGINS`: pages hosted elsewhere

use std::sync::OnceLock;

use rollcall_tests::{Hospital, Server, Socket, either, request};

const APP: &str = "https://app.example.com";

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        Server::start(&[
            "--var",
            "SOCKET_AUTH:strict",
            "--var",
            "ALLOWED_ORIGINS:https://other.example.com * https://app.example.com",
        ])
    })
}

const PREFLIGHT: [(&str, &str); 2] =
    [("access-control-request-method", "PATCH"), ("access-control-request-headers", "authorization,content-type")];

#[tokio::test]
async fn a_preflight_from_a_listed_origin_is_told_what_it_may() {
    let headers = [&[("origin", APP)][..], &PREFLIGHT].concat();
    let answer = request(server(), "OPTIONS", "/api/users/7/", &headers, None).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), APP);
    assert!(answer.header("access-control-allow-methods").contains("PATCH"));
    assert!(answer.header("access-control-allow-headers").contains("authorization"));
    assert!(answer.header("vary").to_lowercase().contains("origin"));
}

#[tokio::test]
async fn a_preflight_from_an_unlisted_origin_is_told_nothing() {
    for (server, origin) in [
        (server(), "https://evil.example"),
        (server(), "null"),
        (server(), "https://app.example.com.evil"),
        (server(), "http://app.example.com"),
        (either(), APP),
    ] {
        let headers = [&[("origin", origin)][..], &PREFLIGHT].concat();
        let answer = request(server, "OPTIONS", "/api/users/7/", &headers, None).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
        let answer = request(server, "GET", "/api/users/me/", &[("origin", origin)], None).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
    }
}

#[tokio::test]
async fn a_refusal_can_be_read_from_a_listed_origin_too() {
    let answer = request(server(), "GET", "/api/users/me/", &[("origin", APP)], None).await;
    assert_eq!(answer.refusal(), (401, "not_authenticated".into()));
    assert_eq!(answer.header("access-control-allow-origin"), APP);
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
}

#[tokio::test]
async fn a_page_of_a_listed_origin_may_use_the_cookie_and_the_sockets() {
    let hospital = Hospital::fresh(server());
    let admin = hospital.sign_in("admin").await;
    let cookie = format!("rollcall_session={}", admin.token);
    let headers = [("cookie", cookie.as_str()), ("origin", APP)];
    let mut dashboard = Socket::open(server(), "/ws/doctor-status/", &headers, true).await;
    assert_eq!(dashboard.json().await["type"], "snapshot");
    assert_eq!(request(server(), "POST", "/api/users/logout/", &headers, None).await.status, 204);
}
