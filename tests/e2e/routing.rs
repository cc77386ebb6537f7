//! What holds for every path.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use rollcall_tests::{Hospital, either, request};

#[tokio::test]
async fn paths_work_with_and_without_the_trailing_slash() {
    let admin = Hospital::fresh(either()).sign_in("admin").await;
    for path in ["/api/users/me", "/api/users/online-doctors", "/api/hms/active-connections", "/api/events", "/healthz"]
    {
        assert_eq!(admin.get(path).await.status, 200, "{path}");
        assert_eq!(admin.get(&format!("{path}/")).await.status, 200, "{path}/");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_one() {
    for (method, path, allowed) in [
        ("GET", "/api/users/login/", "POST"),
        ("DELETE", "/api/users/me/", "GET,HEAD"),
        ("POST", "/ws/connect/", "GET,HEAD"),
    ] {
        let answer = request(either(), method, path, &[], None).await;
        assert_eq!(answer.refusal(), (405, "method_not_allowed".into()), "{method} {path}");
        assert_eq!(answer.header("allow"), allowed);
    }
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let long = format!("/api/{}", "x".repeat(8 * 1024));
    for path in ["/api", "/api/nope", "/api/%00", "/api/users/me/..%2f..%2f", "/ws", "/ws/nope", long.as_str()] {
        let answer = request(either(), "GET", path, &[], None).await;
        assert_eq!(answer.refusal(), (404, "not_found".into()), "{path:.40}");
    }
}

/// As no client library would send it.
#[tokio::test]
async fn a_raw_path_with_dots_leads_nowhere_else() {
    for path in ["/api/../../etc/passwd", "/api/users/../nope", "/../src/lib.rs"] {
        let mut stream = TcpStream::connect(either().address.strip_prefix("http://").unwrap()).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 400"), "{path}: {answer:.60}");
    }
}

#[tokio::test]
async fn nothing_under_api_is_cached_sniffed_or_referred() {
    for path in ["/api/users/me/", "/api/nope"] {
        let answer = request(either(), "GET", path, &[], None).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("strict-transport-security"), "", "not over plain HTTP");
    }
}

#[tokio::test]
async fn a_page_may_run_our_scripts_only() {
    for path in ["/", "/doctor", "/websocket_test.html"] {
        let answer = request(either(), "GET", path, &[], None).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}

#[tokio::test]
async fn the_worker_says_that_it_runs() {
    let answer = request(either(), "GET", "/healthz", &[], None).await;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!((answer.status, answer.text), (200, format!(r#"{{"status":"ok","version":"{version}"}}"#)));
}
