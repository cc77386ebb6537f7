//! The room's two entrances: what a client sends, and the calls of the Worker, which no client can make.

use rollcall_tests::{Hospital, Server, Session, Socket, request, rows};
use rusqlite::types::Value as Stored;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{CARRIED_OVER, WATCH, audit, calm, report};

/// The calls between Worker and room, as `core/internal.rs` declares them: `open_session` and so on.
fn calls() -> Vec<String> {
    let source = include_str!("../../core/internal.rs");
    let (_, declaration) = source.split_once("pub enum RoomCall {\n").unwrap();
    let (variants, _) = declaration.split_once("\n}\n").unwrap();
    let variants = variants.lines().filter_map(|line| line.strip_prefix("    "));
    let names = variants.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    let calls: Vec<_> = names.map(|line| snake_case(line.trim_end_matches([',', ' ', '{']))).collect();
    assert!(calls.iter().any(|call| call == "open_session") && calls.len() >= 5, "{calls:?}");
    calls
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

/// The class's RPC method, and names that it might have.
const METHODS: [&str; 5] = ["call", "rpc", "fetch", "alarm", "answer"];

/// Where an internal endpoint might be.
const PLACES: [&str; 8] = ["", "/rpc", "/internal", "/_internal", "/room", "/api", "/api/internal", "/ws"];

/// Headers by which a Worker might say that it is one.
fn headers(hospital: &Hospital, admin: &Session, call: &str) -> Vec<(&'static str, String)> {
    let (id, user) = (hospital.id, admin.id());
    let principal = json!({"user_id": user, "hospital_id": id, "role": "admin", "session_id": 1}).to_string();
    vec![
        ("rollcall-call", call.to_string()),
        ("rollcall-call", call.replace('"', "%22").replace('{', "%7B").replace('}', "%7D")),
        ("rollcall-method", "call".into()),
        ("rollcall-principal", principal.clone()),
        ("rollcall-user", user.to_string()),
        ("rollcall-hospital", id.to_string()),
        ("rollcall-internal", "1".into()),
        ("x-internal", "1".into()),
        ("x-principal", principal),
        ("x-user-id", user.to_string()),
        ("x-forwarded-host", "room".into()),
        ("x-original-url", "/call".into()),
        ("x-http-method-override", "RPC".into()),
        ("cf-worker", "rollcall".into()),
        ("host", "room".into()),
        ("host", "object".into()),
        ("host", format!("doctor_status:{id}")),
        ("host", "rollcall.internal".into()),
    ]
}

/// Everything that the room has stored but what it writes about refusals and flights.
fn stored(server: &Server, hospital: &Hospital) -> Vec<(String, Vec<Vec<Stored>>)> {
    let storage = server.room_storage(hospital.id);
    let sql =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('room', 'security_events', 'counters')
        AND name NOT GLOB '_*' AND name NOT GLOB 'sqlite_*' ORDER BY name";
    let tables = rows(&storage, sql);
    let name = |row: &Vec<Stored>| match &row[..] {
        [Stored::Text(name)] => name.clone(),
        other => panic!("{other:?}"),
    };
    tables.iter().map(name).map(|table| (table.clone(), rows(&storage, &format!("SELECT * FROM {table}")))).collect()
}

/// Sends a request line as no client library would, and returns the status.
async fn raw(server: &Server, line: &str, host: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(server.address.strip_prefix("http://").unwrap()).await.unwrap();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{line}: {answer:.80}"))
}

#[tokio::test]
async fn a_client_cannot_reach_the_calls_between_worker_and_room() {
    let server = calm();
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    ann.go_live().await;
    server.archive_catches_up(hospital.id, CARRIED_OVER).await;
    // A call as the Worker would make it, with the digest of the administrator's own token: every field that any has.
    let digest = format!("SELECT token_sha256 FROM sessions WHERE user_id = {}", admin.id());
    let [row] = &rows(&server.room_storage(hospital.id), &digest)[..] else { panic!("one session") };
    let [Stored::Text(digest)] = &row[..] else { panic!("{row:?}") };
    let user = json!({
        "user_id": admin.id(), "version": 1, "email": admin.user.email, "username": "x", "first_name": "", "last_name": "",
        "role": "admin", "is_active": true, "temporary_until_ms": null, "consultation_hours": "", "specialization": "",
        "is_live": false, "is_available_for_consultation": false, "live_changed_ms": null,
    });
    let body = |call: &str| -> Value {
        json!({call: {
            "by": {"token_digest": digest, "address": "203.0.113.1"}, "permission": "manage_users", "user_id": ann.id(),
            "account": {"user": user, "revision": 0, "epoch": ""}, "version": 1, "password_hash": "x", "until": 0,
            "session": {"token_digest": "0".repeat(64), "user_agent": ""}, "address": "203.0.113.1", "user": user,
            "edit": {"is_active": false, "role": "user"},
        }})
    };
    let calls: Vec<String> = calls().into_iter().chain(METHODS.map(String::from)).collect();
    let (events, before) = (audit(&admin).await, stored(server, &hospital));
    assert!(before.iter().any(|(table, rows)| table == "sessions" && rows.len() == 2), "{before:?}");
    let tokens = [None, Some(ann.authorization()), Some(admin.authorization())];
    let mut requests = 0;

    // Paths that do not exist, whoever asks.
    for token in &tokens {
        let token: Vec<_> = token.iter().map(|token| ("authorization", token.as_str())).collect();
        for (path, call) in
            PLACES.iter().flat_map(|place| calls.iter().map(move |call| (format!("{place}/{call}"), call)))
        {
            for method in ["POST", "GET"] {
                let sent = (method == "POST").then(|| body(call));
                let answer = request(server, method, &path, &token, sent).await;
                // There is a page of metrics, for administrators.
                let is_metrics = path == "/metrics" && method == "GET" && [200, 403].contains(&answer.status);
                assert!(is_metrics || [401, 404, 405].contains(&answer.status), "{method} {path}: {answer:?}");
                requests += 1;
            }
        }
    }
    // Headers make nobody of a client that it is not, and change nothing about what it may.
    let headers = headers(&hospital, &admin, &body("open_session").to_string());
    for (name, value) in &headers {
        let (name, value) = (*name, value.as_str());
        let header = (name, value);
        let authorization = ann.authorization();
        for path in ["/api/users/me/", "/api/events/", "/api/users/", "/api/users/sessions/"] {
            let answer = request(server, "GET", path, &[header], None).await;
            assert_eq!(answer.status, 401, "{name}: {value}: {path}");
            requests += 1;
        }
        for path in ["/api/events/", "/api/users/"] {
            let answer = request(server, "GET", path, &[header, ("authorization", &authorization)], None).await;
            assert_eq!(answer.status, 403, "{name}: {value}: {path}");
            requests += 1;
        }
        for path in ["/open_session", "/call", "/api/call"] {
            let answer = request(server, "POST", path, &[header], Some(body("open_session"))).await;
            assert!([401, 404, 405].contains(&answer.status), "{name}: {value}: {path}: {answer:?}");
            requests += 1;
        }
        if name != "host" {
            let path = format!("/ws/connect/?email=nobody@h{}.example.com", hospital.id);
            assert_eq!(
                Socket::open(server, &path, &[header], false).await.closed().await.code,
                4001,
                "{name}: {value}"
            );
            let signed_in = [header, ("authorization", &*authorization)];
            assert_eq!(
                Socket::open(server, WATCH, &signed_in, false).await.closed().await.code,
                4003,
                "{name}: {value}"
            );
            requests += 2;
        }
    }
    // The call as the body of what a client may send, by who may send it.
    for call in &calls {
        for path in ["/api/users/login-status/", "/api/users/login/", "/api/users/password/", "/api/ws-ticket/"] {
            let answer = admin.post(path, body(call)).await;
            assert_eq!(answer.status, 400, "{call}: {path}: {answer:?}");
            requests += 1;
        }
    }
    // Addresses as a Worker would use them, and methods of no client.
    for call in &calls {
        for line in [
            format!("POST https://room/{call}"),
            format!("POST https://object/{call}"),
            format!("POST http://doctor_status:{}/{call}", hospital.id),
            format!("{} /{call}", call.to_uppercase()),
            format!("PUT /api/users/../{call}"),
            format!("POST //room/{call}"),
        ] {
            for host in ["room", "object", "rollcall"] {
                let status = raw(server, &line, host, &body(call).to_string()).await;
                assert!((400..500).contains(&status) || status == 501, "{line}, {host}: {status}");
                requests += 1;
            }
        }
    }

    assert_eq!(audit(&admin).await, events);
    assert_eq!(stored(server, &hospital), before, "nothing was stored");
    assert_eq!(ann.get("/api/users/me/").await.json()["is_live"], true);
    report(
        22,
        "a_client_cannot_reach_the_calls_between_worker_and_room",
        format!(
            "{requests} requests that imitate the Worker: {} calls on {} paths each, {} headers and hosts, absolute addresses, \
             with and without a token",
            calls.len(),
            PLACES.len(),
            headers.len()
        ),
        "nothing: 401, 403 or 404, and nothing is stored",
    );
}
