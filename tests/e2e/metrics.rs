//! `GET /metrics`, and the log

use std::time::Duration;

use rollcall_tests::{Hospital, METRICS_TOKEN, Server, Session, either, request};
use serde_json::Value;

/// The value of a sample, whose labels follow the hospital's.
fn sample(text: &str, name: &str, hospital: i64, labels: &str) -> Option<f64> {
    let start = format!("rollcall_{name}{{hospital=\"{hospital}\"{labels}}} ");
    text.lines().find_map(|line| line.strip_prefix(&start)).map(|value| value.parse().unwrap())
}

async fn all(server: &Server) -> String {
    let authorization = format!("Bearer {METRICS_TOKEN}");
    let answer = request(server, "GET", "/metrics", &[("authorization", &authorization)], None).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; version=0.0.4; charset=utf-8"));
    answer.text
}

#[tokio::test]
async fn an_administrator_sees_how_their_own_hospital_runs() {
    let server = either();
    let (hospital, other) = (Hospital::fresh(server), Hospital::fresh(server));
    let admin = hospital.sign_in("admin").await;
    let (ann, bob) = (hospital.sign_in("ann").await, other.sign_in("bob").await);
    let mut dashboard = admin.socket("/ws/doctor-status/", true).await;
    dashboard.json().await;
    let _connection = hospital.connect("ann").await;
    ann.go_live().await;
    ann.go_live().await;
    bob.go_live().await;
    let refused = ann.get("/api/events/").await;
    assert_eq!(refused.status, 403);
    let (mut sockets, path) = (Vec::new(), format!("/ws/connect/?email={}", hospital.email("ann")));
    for _ in 0..9 {
        sockets.push(ann.socket(&path, false).await);
    }
    assert_eq!(ann.socket(&path, false).await.closed().await.code, 1008);

    let answer = admin.get("/metrics").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; version=0.0.4; charset=utf-8"));
    let value = |name, labels| sample(&answer.text, name, hospital.id, labels);
    for (name, labels, expected) in [
        ("room_up", "", 1.0),
        ("events_total", ",kind=\"login\"", 1.0),
        ("unchanged_total", "", 1.0),
        ("announce_seconds_count", "", 1.0),
        ("announce_seconds_bucket", ",le=\"+Inf\"", 1.0),
        ("refusals_total", ",code=\"permission_denied\"", 1.0),
        ("refusals_total", ",code=\"too_many_sockets\"", 1.0),
        ("sockets", ",kind=\"connection\"", 10.0),
        ("people_connected", "", 1.0),
        ("latest_seq", "", 1.0),
        ("oldest_seq", "", 1.0),
        ("doctors", "", 3.0),
        ("doctors_on_duty", "", 1.0),
        ("doctors_available", "", 0.0),
    ] {
        assert_eq!(value(name, labels), Some(expected), "{name}{labels} in {}", answer.text);
    }
    assert_eq!(value("sockets", ",kind=\"dashboard\""), Some(1.0));
    assert!(value("archived_seq", "") <= Some(1.0) && value("archive_lag_seconds", "") < Some(10.0), "{}", answer.text);
    let foreign = format!("hospital=\"{}\"", other.id);
    assert!(!answer.text.contains(&foreign), "another hospital's");

    server.archive_catches_up(hospital.id, Duration::from_secs(10)).await;
    let text = admin.get("/metrics").await.text;
    let value = |name| sample(&text, name, hospital.id, "");
    assert_eq!((value("archived_seq"), value("archive_lag_seconds")), (Some(1.0), Some(0.0)), "{text}");
    assert!(value("database_seconds_count") >= Some(1.0), "{text}");
}

#[tokio::test]
async fn the_metrics_token_shows_how_everything_runs() {
    let server = either();
    let (one, other) = (Hospital::fresh(server), Hospital::fresh(server));
    one.sign_in("ann").await.go_live().await;
    other.sign_in("ann").await.go_live().await;
    request(server, "GET", "/api/users/me/", &[], None).await;
    let text = all(server).await;
    for hospital in [one, other] {
        assert_eq!(sample(&text, "events_total", hospital.id, ",kind=\"login\""), Some(1.0), "{text}");
    }
    let nobodys = text.lines().find(|line| line.starts_with("rollcall_refusals_total{code=\"not_authenticated\"} "));
    assert!(nobodys.is_some(), "{text}");
    for line in text.lines().filter(|line| !line.starts_with("# ")) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(series.starts_with("rollcall_") && value.parse::<f64>().is_ok(), "{line}");
    }
}

#[tokio::test]
async fn nobody_else_sees_any_of_it() {
    let hospital = Hospital::fresh(either());
    let ann = hospital.sign_in("ann").await;
    assert_eq!(ann.get("/metrics").await.refusal(), (403, "permission_denied".into()));
    for (authorization, code) in
        [("Bearer x", "invalid_token"), ("Bearer", "not_authenticated"), ("", "not_authenticated")]
    {
        let answer = request(either(), "GET", "/metrics", &[("authorization", authorization)], None).await;
        assert_eq!(answer.refusal(), (401, code.into()), "{authorization}");
    }
}

#[tokio::test]
async fn a_refusal_is_found_in_the_log_by_the_id_on_its_answer() {
    let hospital = Hospital::fresh(either());
    let ann: Session = hospital.sign_in("ann").await;
    let path = format!("/api/hms/active-connections/{}", hospital.email("bob"));
    let answer = ann.delete(&path).await;
    assert_eq!(answer.status, 403);
    let id = answer.header("x-request-id");
    assert_eq!(id.len(), 16, "{answer:?}");
    let line = loop {
        let said = either().said();
        if let Some(line) = said.lines().find(|line| line.contains(id)) {
            break serde_json::from_str::<Value>(line.trim()).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let expected = serde_json::json!({
        "level": "info", "message": "refused", "request_id": id, "hospital_id": hospital.id, "user_id": ann.id(),
        "refused": {
            "code": "permission_denied", "status": 403, "method": "DELETE", "path": "/api/hms/active-connections/{email}",
        },
    });
    assert_eq!(line, expected);
}
