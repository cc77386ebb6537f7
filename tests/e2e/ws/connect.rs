//! `/ws/connect/?email=`

use rollcall_tests::{Hospital, Socket, either, request};
use serde_json::{Value, json};

async fn join(query: &str) -> Socket {
    Socket::open(either(), &format!("/ws/connect/?{query}"), &[], false).await
}

#[tokio::test]
async fn a_connection_is_greeted_by_the_email_of_the_account() {
    let hospital = Hospital::fresh(either());
    let (email, user) = (hospital.email("user"), hospital.sign_in("user").await);
    for query in [format!("email={email}"), format!("email={}", email.to_uppercase().replace('@', "%40"))] {
        let greeting = format!(r#"{{"type":"connection_established","message":"Connected successfully as {email}"}}"#);
        let mut socket = user.socket(&format!("/ws/connect/?{query}"), false).await;
        assert_eq!(socket.text().await, greeting);
    }
}

#[tokio::test]
async fn no_email_is_4000_and_one_that_is_not_accepted_is_4001() {
    let hospital = Hospital::fresh(either());
    let (email, gone) = (hospital.email("user"), hospital.email("gone"));
    for (query, code) in [
        (String::new(), 4000),
        ("email=".into(), 4000),
        ("email=%20".into(), 4000),
        ("email=nobody@example.com".into(), 4001),
        (format!("email={gone}"), 4001),
        (format!("email={}@example.com", "a".repeat(300)), 4001),
        ("email=%zz".into(), 4001),
        ("email=%ff%fe".into(), 4001),
        ("email=a%00b".into(), 4001),
        (format!("email={email}&email={email}"), 4001),
    ] {
        assert_eq!(join(&query).await.closed().await.code, code, "{query:.60}");
    }
}

#[tokio::test]
async fn a_frame_that_is_not_understood_is_answered_and_harms_nothing() {
    let hospital = Hospital::fresh(either());
    let mut socket = hospital.connect("user").await;
    socket.text().await;
    socket.send("hello").await;
    assert_eq!(socket.text().await, r#"{"type":"error","message":"Invalid JSON format"}"#);
    socket.send(r#"["hello"]"#).await;
    assert_eq!(socket.text().await, r#"{"type":"error","message":"Expected {\"message\":\"<text>\"}"}"#);
    socket.send(r#"{"message":"<b>hello</b>"}"#).await;
    assert_eq!(socket.json().await["message"], "Server received: <b>hello</b>");
}

#[tokio::test]
async fn a_doctors_page_hears_what_happens_to_them_as_dashboards_do() {
    let hospital = Hospital::fresh(either());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboard = hospital.dashboard("").await;
    dashboard.text().await;
    let mut pages = [hospital.page("ann").await, hospital.page("ann").await];
    for page in &mut pages {
        assert_eq!(page.protocol, "rollcall.v1");
        assert_eq!(page.json().await["type"], "connection_established");
    }
    ann.go_live().await;
    ann.be_available(true).await;
    admin.done("/api/users/logout-status/", json!({"doctor_id": ann.id()})).await;
    for (kind, reason) in [
        ("doctor_login_logout", Value::Null),
        ("doctor_status_change", Value::Null),
        ("doctor_login_logout", json!("admin")),
    ] {
        let event = dashboard.text().await;
        for page in &mut pages {
            assert_eq!(page.text().await, event);
        }
        let event: Value = serde_json::from_str(&event).unwrap();
        assert_eq!((&event["type"], &event["reason"]), (&json!(kind), &reason));
    }
    ann.leave().await;
    let [mut page, _] = pages;
    page.hears_nothing().await;
    page.send(r#"{"message":"still me"}"#).await;
    assert_eq!(page.json().await["message"], "Server received: still me");
}

#[tokio::test]
async fn a_doctors_page_that_shows_a_ticket_hears_their_events_too() {
    let hospital = Hospital::fresh(either());
    let ann = hospital.sign_in("ann").await;
    let offer = format!("rollcall.v1, ticket.{}", ann.ticket("/ws/connect/").await);
    let path = format!("/ws/connect/?email={}", hospital.email("ann"));
    let mut page = Socket::open(either(), &path, &[("sec-websocket-protocol", &offer)], false).await;
    assert_eq!(page.protocol, "rollcall.v1");
    page.text().await;
    ann.go_live().await;
    assert_eq!(page.json().await["seq"], 1);
}

#[tokio::test]
async fn nobody_else_hears_of_a_doctor_on_their_own_connection() {
    let hospital = Hospital::fresh(either());
    let ann = hospital.sign_in("ann").await;
    let mut others = [
        hospital.page("bob").await,
        hospital.page("user").await,
        hospital.page("admin").await,
        // Who does not speak rollcall.v1 hears what they always did.
        hospital.connect("ann").await,
    ];
    for other in &mut others {
        other.text().await;
    }
    ann.go_live().await;
    for other in &mut others {
        other.hears_nothing().await;
    }
}

#[tokio::test]
async fn a_ping_is_answered() {
    let mut socket = Hospital::fresh(either()).connect("user").await;
    socket.text().await;
    socket.send("ping").await;
    assert_eq!(socket.text().await, "pong");
}

#[tokio::test]
async fn binary_is_1003_and_more_than_64_kib_is_1009() {
    let hospital = Hospital::fresh(either());
    let mut socket = hospital.connect("user").await;
    socket.text().await;
    socket.send_binary(vec![0, 255]).await;
    assert_eq!(socket.closed().await.code, 1003);

    let mut socket = hospital.connect("user").await;
    socket.text().await;
    socket.send("x".repeat(64 * 1024 + 1)).await;
    assert_eq!(socket.closed().await.code, 1009);
}

/// The runtime turns what is not UTF-8 into U+FFFD before anybody sees it.
#[tokio::test]
async fn invalid_utf_8_is_handled_as_the_text_it_became() {
    let mut socket = Hospital::fresh(either()).connect("user").await;
    socket.text().await;
    socket.send_broken_text(b"{\"message\":\"a\xffb\"}").await;
    assert_eq!(socket.json().await["message"], "Server received: a\u{fffd}b");
}

#[tokio::test]
async fn the_third_malformed_message_in_a_row_is_answered_too_and_then_closes() {
    let mut socket = Hospital::fresh(either()).connect("user").await;
    socket.text().await;
    for frame in ["?", r#"{"message":"fine"}"#, "?", "[]"] {
        socket.send(frame).await;
        socket.text().await;
    }
    socket.send("[".repeat(10_000)).await;
    assert_eq!(socket.json().await["type"], "error");
    assert_eq!(socket.closed().await.code, 1008);
}

#[tokio::test]
async fn over_120_messages_at_once_close_the_socket() {
    let hospital = Hospital::fresh(either());
    let mut socket = hospital.connect("user").await;
    let mut other = hospital.connect("user").await;
    socket.text().await;
    other.text().await;
    // What is sent after the close may meet a closed connection: nobody minds.
    for _ in 0..140 {
        socket.try_send(r#"{"message":"again"}"#).await;
    }
    let mut answered = 0;
    let closed = loop {
        match socket.text_or_close().await {
            Ok(_) => answered += 1,
            Err(closed) => break closed,
        }
    };
    assert_eq!(closed.code, 1008);
    // The bucket fills up by two a second meanwhile.
    assert!((120..130).contains(&answered), "{answered}");
    other.send(r#"{"message":"me too?"}"#).await;
    assert_eq!(other.json().await["message"], "Server received: me too?", "it is a limit of one socket");
}

#[tokio::test]
async fn an_eleventh_socket_of_one_user_is_refused_both_kinds_counted() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    let mut sockets = Vec::new();
    let own = format!("/ws/connect/?email={}", hospital.email("admin"));
    for (at, path) in ["/ws/doctor-status/", own.as_str()].into_iter().cycle().take(10).enumerate() {
        let mut socket = admin.socket(path, at % 2 == 0).await;
        socket.text().await;
        sockets.push(socket);
    }
    for path in ["/ws/doctor-status/", own.as_str()] {
        let mut eleventh = admin.socket(path, false).await;
        assert_eq!(eleventh.closed().await.code, 1008, "{path}");
    }
    hospital.connect("user").await.text().await;
    sockets.pop().unwrap().close(1000, "").await;
    admin.socket("/ws/doctor-status/", true).await.text().await;
}

#[tokio::test]
async fn any_close_is_answered_and_the_registry_entry_goes() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    let reason = "☤".repeat(41);
    for (code, reason, answer) in [(1000, "", 1000), (3000, "bye", 3000), (4999, reason.as_str(), 4999)] {
        let mut socket = hospital.connect("user").await;
        socket.text().await;
        assert_eq!(socket.close(code, reason).await.code, answer);
        assert_eq!(admin.get("/api/hms/active-connections").await.json()["count"], 0);
    }
    // None, 999, 1004.
    for payload in [&[][..], &[0x03, 0xe7], &[0x03, 0xec]] {
        let mut socket = hospital.connect("user").await;
        socket.text().await;
        assert_eq!(socket.close_with(payload).await.code, 1000, "{payload:?}");
        assert_eq!(admin.get("/api/hms/active-connections").await.json()["count"], 0, "{payload:?}");
    }
}

#[tokio::test]
async fn a_session_that_is_given_decides_also_where_sockets_are_open() {
    let hospital = Hospital::fresh(either());
    let ann = hospital.sign_in("ann").await;
    let join = async |authorization: &str, name: &str| {
        let path = format!("/ws/connect/?email={}", hospital.email(name));
        Socket::open(either(), &path, &[("authorization", authorization)], false).await
    };
    assert_eq!(join(&ann.authorization(), "ann").await.json().await["type"], "connection_established");
    assert_eq!(join(&ann.authorization(), "bob").await.closed().await.code, 4001);
    assert_eq!(join("Token 123", "ann").await.closed().await.code, 4001);
}

#[tokio::test]
async fn a_socket_path_without_an_upgrade_says_so() {
    for path in ["/ws/connect/?email=user1@example.com", "/ws/doctor-status/"] {
        let answer = request(either(), "GET", path, &[], None).await;
        assert_eq!(answer.refusal(), (426, "upgrade_required".into()), "{path}");
    }
}
