//! The production settings, and the first administrator

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use rollcall_tests::{Server, Session, Socket, keep_out_of_logs, request, request_from};
use serde_json::json;
use tokio::time::sleep;

fn production() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::in_production)
}

/// The temporary password that the command printed.
fn temporary(printed: &str) -> &str {
    let temporary = printed.split_whitespace().find(|word| word.len() == 19 && word.matches('-').count() == 3).unwrap();
    keep_out_of_logs(temporary);
    temporary
}

#[tokio::test]
async fn the_first_administrator_is_created_from_the_command_line_and_adds_the_others() {
    // One of its own: the commands write to its database.
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(Server::in_production);
    let arguments =
        ["--email", "first@example.com", "--last-name", "O'Neil", "--hospital", "7", "--hospital-name", "Seven's"];
    let printed = server.create_admin(&arguments).unwrap();
    let temporary_password = temporary(&printed);
    let first = Session::open(server, "first@example.com", temporary_password).await;
    assert!(first.user.must_change_password, "{printed}");
    assert_eq!((first.user.hospital_id.get(), first.user.last_name.as_str()), (7, "O'Neil"));
    let body = json!({"current_password": temporary_password, "new_password": "a password of one's own"});
    let admin = Session::of(server, &first.post("/api/users/password/", body).await);
    let body = json!({"email": "ann@example.com", "role": "doctor", "password": "a password of ann's"});
    let ann = admin.post("/api/users/", body).await;
    assert_eq!((ann.status, ann.json()["hospital"].as_str()), (201, Some("Seven's")));

    let again = server.create_admin(&arguments).unwrap_err();
    assert!(again.contains("there is a user with the email first@example.com already"), "{again}");
    let wrong = server.create_admin(&["--email", "nobody"]).unwrap_err();
    assert!(wrong.contains("--email: Enter a valid email address."), "{wrong}");

    // The room is awake by now. It notices another one with the next flight of its archive; or when they sign in.
    let ann = Session::open(server, "ann@example.com", "a password of ann's").await;
    let create = |email: &str| server.create_admin(&["--email", email, "--hospital", "7"]).unwrap();
    create("second@example.com");
    ann.go_live().await;
    let began = Instant::now();
    while admin.get("/api/users/?search=second").await.json()["count"] == 0 {
        assert!(began.elapsed() < Duration::from_secs(5), "the room does not notice another administrator");
        sleep(Duration::from_millis(100)).await;
    }
    let printed = create("third@example.com");
    let third = Session::open(server, "third@example.com", temporary(&printed)).await;
    assert!(third.user.must_change_password);
    assert_eq!(admin.get("/api/users/?search=third").await.json()["count"], 1);
}

#[tokio::test]
async fn there_are_no_demo_accounts_and_no_open_sockets() {
    let body = json!({"email": "admin@example.com", "password": "rollcall-demo"});
    let login = request(production(), "POST", "/api/users/login/", &[], Some(body)).await;
    assert_eq!(login.refusal(), (401, "invalid_credentials".into()));
    for path in ["/ws/doctor-status/", "/ws/connect/?email=admin@example.com"] {
        let mut socket = Socket::open(production(), path, &[], false).await;
        assert_eq!(socket.closed().await.code, 4001, "{path}");
    }
}

#[tokio::test]
async fn over_300_tries_a_minute_from_one_address_are_not_even_counted() {
    let login = async |address: &str, name: usize| {
        let body = json!({"email": format!("{name}@example.com"), "password": "wrong"});
        request_from(production(), address, "POST", "/api/users/login/", Some(body)).await
    };
    // The counter of the account says when its first failure is old; the platform's limit, a minute. Its minutes are
    // those of the clock, so that the one it began in may end meanwhile.
    let mut attempts = 0;
    while {
        // The same name, so that only a few of them are hashed.
        let answer = login("203.0.113.30", 0).await;
        assert_eq!(answer.status, if attempts < 5 { 401 } else { 429 }, "{attempts}");
        attempts += 1;
        answer.header("retry-after") != "60"
    } {
        assert!(attempts < 700);
    }
    assert!(attempts > 300, "{attempts}");
    assert_eq!(login("203.0.113.30", 1).await.refusal(), (429, "throttled".into()), "whoever is named");
    assert_eq!(login("203.0.113.31", 1).await.refusal(), (401, "invalid_credentials".into()), "but not elsewhere");
}
