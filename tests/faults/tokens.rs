//! Requests that are turned away before D1 or a room is asked: tokens that nobody was given, and sign-ins that have to
//! wait.

use rollcall_core::{
    HospitalId,
    token::{RANDOM_BYTES, Token, TokenKind},
};
use rollcall_tests::{Hospital, PASSWORD, Session, Socket, keep_out_of_logs, request, request_from};
use serde_json::json;

use crate::{
    Counts, TOKEN_KEY, WATCH, arm, cost, disarm, faulty_for_users, is_armed, is_signed_out, is_unavailable,
    not_accepted, report, struck,
};

const NOTHING: Counts = Counts { queries: 0, rows_written: 0, sends: 0 };

/// A token that has the right check, and that nobody was given.
fn issued(kind: TokenKind, hospital_id: i64) -> String {
    let token = Token::issue(kind, HospitalId::new(hospital_id), [7; RANDOM_BYTES], TOKEN_KEY).reveal().to_string();
    keep_out_of_logs(&token);
    token
}

/// The digits of a token that name its hospital.
const OF_HOSPITAL: usize = 14;

/// The digits at its end that are a check of the others.
const OF_CHECK: usize = 10;

/// The same token with another digit there.
fn with_another_digit(token: &str, at: usize) -> String {
    let digit = if &token[at..=at] == "0" { "1" } else { "0" };
    format!("{}{digit}{}", &token[..at], &token[at + 1..])
}

/// Tokens that have the form of one, and that nobody was given.
fn invented(token: &str, of_elsewhere: &str) -> Vec<String> {
    let last = token.len() - 1;
    vec![
        with_another_digit(token, last),
        with_another_digit(token, token.len() - OF_CHECK),
        with_another_digit(token, OF_HOSPITAL),
        with_another_digit(token, token.len() - OF_CHECK - 1),
        // A token of this hospital at the other one, and the reverse.
        format!("{}{}", &of_elsewhere[..OF_HOSPITAL], &token[OF_HOSPITAL..]),
        format!("{}{}", &token[..OF_HOSPITAL], &of_elsewhere[OF_HOSPITAL..]),
        // Random digits are taken from one, the check from the other.
        format!("{}{}", &token[..token.len() - OF_CHECK], &of_elsewhere[token.len() - OF_CHECK..]),
        "0".repeat(64),
        "f".repeat(64),
    ]
}

#[tokio::test]
async fn an_invented_token_costs_no_query_and_wakes_no_room() {
    let (server, _turn) = faulty_for_users().await;
    let (hospital, elsewhere) = (Hospital::fresh(server), Hospital::fresh(server));
    let (admin, foreign) = (hospital.sign_in("admin").await, elsewhere.sign_in("admin").await);
    assert_ne!(admin.token[..OF_HOSPITAL], foreign.token[..OF_HOSPITAL], "a token names its hospital");
    let tokens = invented(&admin.token, &foreign.token);
    let connect = format!("/ws/connect/?email={}", hospital.email("admin"));
    let refused = async |token: &str| {
        let (authorization, cookie) = (format!("Token {token}"), format!("rollcall_session={token}"));
        for headers in [[("authorization", &*authorization)], [("cookie", &*cookie)]] {
            for path in ["/api/users/me/", "/api/events/"] {
                let answer = request(server, "GET", path, &headers, None).await;
                assert_eq!(answer.refusal(), (401, "invalid_token".into()), "{path}");
            }
        }
        let headers = [("authorization", &*authorization)];
        let change = request(server, "POST", "/api/users/login-status/", &headers, Some(json!({}))).await;
        assert_eq!(change.refusal(), (401, "invalid_token".into()));
        for path in [WATCH, &connect] {
            let closed = Socket::open(server, path, &headers, false).await.closed().await;
            assert_eq!(closed, not_accepted(), "{path}");
        }
        // A ticket is a token too.
        for path in [format!("{WATCH}?ticket={token}"), format!("{connect}&ticket={token}")] {
            assert_eq!(Socket::open(server, &path, &[], true).await.closed().await, not_accepted());
        }
    };

    // The means work: a token that was given reaches the armed room, and a sign-in is counted.
    arm(server, &hospital, "room/error").await;
    is_unavailable(&admin.get("/api/users/me/").await);
    struck(server).await;
    assert!(cost(server, async || drop(hospital.sign_in("user").await)).await.queries > 0);

    for hospital in [&hospital, &elsewhere] {
        arm(server, hospital, "room/error").await;
        for token in &tokens {
            refused(token).await;
            assert!(is_armed(server).await, "an invented token reached a room");
        }
        disarm(server).await;
    }
    // One kind does not pass for the other: a session's token in the query, a ticket in a header.
    let ticket = admin.ticket(WATCH).await;
    let all = async || {
        for token in &tokens {
            refused(token).await;
        }
        let as_ticket =
            Socket::open(server, &format!("{WATCH}?ticket={}", admin.token), &[], true).await.closed().await;
        assert_eq!(as_ticket, not_accepted());
        let authorization = format!("Token {ticket}");
        let as_session = request(server, "GET", "/api/users/me/", &[("authorization", &authorization)], None).await;
        assert_eq!(as_session.refusal(), (401, "invalid_token".into()));
    };
    assert_eq!(cost(server, all).await, NOTHING);
    report(
        23,
        "an_invented_token_costs_no_query_and_wakes_no_room",
        format!(
            "{} invented tokens and tickets, one or more of their 64 digits wrong, on 9 requests each",
            tokens.len()
        ),
        "nothing: 401 or 4001, no round trip to D1, no call of a room",
    );
}

/// The check is a filter, not a proof.
#[tokio::test]
async fn a_token_with_the_right_check_that_nobody_was_given_is_refused_by_its_room() {
    let (server, _turn) = faulty_for_users().await;
    let hospital = Hospital::fresh(server);
    hospital.sign_in("admin").await;
    let refused = async |hospital_id: i64| {
        let session = format!("Token {}", issued(TokenKind::Session, hospital_id));
        let headers = [("authorization", &*session)];
        let me = request(server, "GET", "/api/users/me/", &headers, None).await;
        assert_eq!(me.refusal(), (401, "invalid_token".into()), "{hospital_id}");
        assert_eq!(Socket::open(server, WATCH, &headers, true).await.closed().await, not_accepted(), "{hospital_id}");
        let with_ticket = format!("{WATCH}?ticket={}", issued(TokenKind::Ticket, hospital_id));
        assert_eq!(Socket::open(server, &with_ticket, &[], true).await.closed().await, not_accepted(), "{hospital_id}");
    };
    assert_eq!(cost(server, async || refused(hospital.id).await).await, NOTHING, "its room knows its sessions");
    // The room of a hospital that does not exist asks D1, and stores nothing.
    for hospital_id in [987_654, (1 << 53) - 1] {
        refused(hospital_id).await;
        assert!(!server.has_room(hospital_id));
    }
}

/// Its check is right: the room looks it up.
#[tokio::test]
async fn a_token_whose_session_is_over_is_refused_by_its_room() {
    let (server, _turn) = faulty_for_users().await;
    let hospital = Hospital::fresh(server);
    let ann = hospital.sign_in("ann").await;
    assert_eq!(ann.post_nothing("/api/users/logout/").await.status, 204);
    assert_eq!(cost(server, async || is_signed_out(&ann).await).await, NOTHING);
    arm(server, &hospital, "room/error").await;
    is_unavailable(&ann.get("/api/users/me/").await);
    struck(server).await;
}

#[tokio::test]
async fn text_that_cannot_be_a_token_is_not_looked_up() {
    let (server, _turn) = faulty_for_users().await;
    let hospital = Hospital::fresh(server);
    let connect = format!("/ws/connect/?email={}", hospital.email("ann"));
    let refused = async |name: &str, value: &str| {
        let headers = [(name, value)];
        assert_eq!(request(server, "GET", "/api/users/me/", &headers, None).await.status, 401);
    };
    let not_joined = async |path: &str, headers: &[(&str, &str)]| {
        assert_eq!(Socket::open(server, path, headers, false).await.closed().await, not_accepted());
    };
    // A token as Django issued them names no hospital, so it is looked up in D1: the counter counts.
    let of_django = format!("Token {}", "0".repeat(40));
    assert_eq!(cost(server, async || refused("authorization", &of_django).await).await.queries, 1);

    let long = "a".repeat(10_240);
    let hex = |digits: &str| digits.repeat(64);
    let all = async || {
        for none in ["", "schlüssel", &long, "a b", &hex("g"), &hex("A"), &"0".repeat(63), &"0".repeat(65)] {
            let (header, cookie) = (format!("Token {none}"), format!("rollcall_session={none}"));
            for (name, value) in [("authorization", &header), ("cookie", &cookie)] {
                refused(name, value).await;
            }
            let encoded = none.replace('ü', "%C3%BC").replace(' ', "%20");
            let asks = [
                (WATCH.to_string(), Some(&header)),
                (connect.clone(), Some(&header)),
                (format!("{WATCH}?ticket={encoded}"), None),
                (format!("{connect}&ticket={encoded}"), None),
            ];
            for (path, header) in asks {
                let headers: Vec<_> = header.iter().map(|header| ("authorization", header.as_str())).collect();
                not_joined(&path, &headers).await;
            }
        }
    };
    assert_eq!(cost(server, all).await, NOTHING);
}

/// The look-up comes before the hash: a name that is not looked up is not verified either, not even against the dummy.
#[tokio::test]
async fn a_throttled_sign_in_is_not_looked_up_let_alone_hashed() {
    let (server, _turn) = faulty_for_users().await;
    let hospital = Hospital::fresh(server);
    for name in ["ann", "nobody"] {
        let body = json!({"email": hospital.email(name), "password": PASSWORD.trim()});
        let fail = async || request_from(server, "203.0.113.11", "POST", "/api/users/login/", Some(body.clone())).await;
        for _ in 0..5 {
            assert_eq!(fail().await.status, 401);
        }
        // The first one that is refused is recorded, with the user that it was for.
        assert_eq!(fail().await.status, 429);
        let refused = async || assert_eq!(fail().await.refusal(), (429, "throttled".into()));
        assert_eq!(cost(server, refused).await.queries, 0, "{name}");
    }
    // Nobody else has to wait.
    Session::open(server, &hospital.email("bob"), PASSWORD).await;
}
