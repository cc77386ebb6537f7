//! Changes of users that do not reach their room, or whose answer from D1 is lost.

use std::time::{Duration, Instant};

use rollcall_tests::{Answer, Hospital, PASSWORD, Server, Session, keep_out_of_logs, request_from};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    PATIENCE, WATCH, arm, audit, connected, connections_lost, faulty_for_users, is_armed, is_signed_out,
    is_unavailable, report, reset, session_ended,
};

const NEW: &str = " a brand new ☤ password ";

/// A change by an administrator.
async fn edit(admin: &Session, user: &Session, change: Value) -> Answer {
    admin.patch(&format!("/api/users/{}/", user.id()), change).await
}

/// Tries to sign in, from another address each time: nobody is throttled.
async fn sign_in(server: &'static Server, user: &Session, password: &str, attempt: usize) -> Answer {
    let body = json!({"email": user.user.email, "password": password});
    request_from(server, &format!("203.0.113.{}", 40 + attempt % 200), "POST", "/api/users/login/", Some(body)).await
}

/// The answer to a sign-in as soon as that is not 503 any more.
async fn settled(server: &'static Server, user: &Session, password: &str) -> Answer {
    let began = Instant::now();
    for attempt in 0.. {
        let answer = sign_in(server, user, password, attempt).await;
        if answer.status != 503 {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "the change is not settled: {answer:?}");
        sleep(Duration::from_millis(100)).await;
    }
    unreachable!()
}

/// The entry of the one user that a search finds, as soon as it is `expected`.
async fn listed(admin: &Session, search: &str, is_expected: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let page = admin.get(&format!("/api/users/?search={search}")).await.json();
        if page["count"] == 1 && is_expected(&page["results"][0]) {
            return page["results"][0].clone();
        }
        assert!(began.elapsed() < PATIENCE, "the change is not settled: {page}");
        sleep(Duration::from_millis(100)).await;
    }
}

fn actions(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_password_whose_change_does_not_reach_the_room_is_the_old_one() {
    keep_out_of_logs(NEW);
    let (server, _turn) = faulty_for_users().await;
    let hospital = Hospital::fresh(server);
    let (here, elsewhere) = (hospital.sign_in("ann").await, hospital.sign_in("ann").await);
    let (mut first, mut second) = (connected(&here).await, connected(&elsewhere).await);
    let login =
        async |password: &str| hospital.login(json!({"email": hospital.email("ann"), "password": password})).await;
    let change =
        async || here.post("/api/users/password/", json!({"current_password": PASSWORD, "new_password": NEW})).await;
    arm(server, &hospital, "room/error").await;
    is_unavailable(&change().await);
    first.hears_nothing().await;
    second.hears_nothing().await;
    for session in [&here, &elsewhere] {
        assert_eq!(session.get("/api/users/me/").await.status, 200);
        connected(session).await;
    }
    assert_eq!(login(NEW).await.refusal(), (401, "invalid_credentials".into()));
    let meanwhile = Session::of(server, &login(PASSWORD).await);

    let new = Session::of(server, &change().await);
    assert_eq!(first.closed().await, session_ended());
    assert_eq!(second.closed().await, session_ended());
    for dead in [&here, &elsewhere, &meanwhile] {
        is_signed_out(dead).await;
    }
    connected(&new).await;
    assert_eq!(login(PASSWORD).await.refusal(), (401, "invalid_credentials".into()));
    assert_eq!(login(NEW).await.status, 200);
}

#[tokio::test]
async fn a_change_of_a_user_that_does_not_reach_the_room_changes_nothing_and_can_be_repeated() {
    let (server, _turn) = faulty_for_users().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann, bob, eve) = (
        hospital.sign_in("admin").await,
        hospital.sign_in("ann").await,
        hospital.sign_in("bob").await,
        hospital.sign_in("eve").await,
    );
    let mut sockets = [connected(&ann).await, connected(&bob).await, connected(&eve).await];
    ann.go_live().await;
    bob.go_live().await;
    let deactivate = async || edit(&admin, &ann, json!({"is_active": false})).await;
    let demote = async || edit(&admin, &bob, json!({"role": "user"})).await;
    let reset_of_eve = format!("/api/users/{}/reset-password/", eve.id());
    arm(server, &hospital, "room/error").await;
    is_unavailable(&deactivate().await);
    arm(server, &hospital, "room/error").await;
    is_unavailable(&demote().await);
    arm(server, &hospital, "room/error").await;
    is_unavailable(&admin.post_nothing(&reset_of_eve).await);
    for (user, socket) in [&ann, &bob, &eve].into_iter().zip(&mut sockets) {
        assert_eq!(user.get("/api/users/me/").await.status, 200);
        socket.hears_nothing().await;
    }
    assert_eq!(sign_in(server, &eve, PASSWORD, 0).await.status, 200, "the old password is good");
    assert_eq!(audit(&admin).await.len(), 2);

    let deactivated = deactivate().await;
    assert_eq!((deactivated.status, &deactivated.json()["is_live"]), (200, &json!(false)), "{deactivated:?}");
    assert_eq!(demote().await.status, 200);
    reset(&admin, &eve).await;
    for (user, socket) in [&ann, &bob, &eve].into_iter().zip(&mut sockets) {
        assert_eq!(socket.closed().await, session_ended());
        is_signed_out(user).await;
    }
    assert_eq!(actions(&audit(&admin).await), ["login", "login", "logout", "logout"]);
}

#[tokio::test]
async fn a_deactivation_whose_answer_is_lost_is_settled_within_seconds() {
    let (server, _turn) = faulty_for_users().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut socket = connected(&ann).await;
    // Of no session: while sockets are open, an email is enough.
    let mut named = hospital.connect("ann").await;
    named.json().await;
    ann.go_live().await;
    let mut dashboard = admin.socket(WATCH, true).await;
    dashboard.json().await;
    arm(server, &hospital, "user_written/error").await;
    is_unavailable(&edit(&admin, &ann, json!({"is_active": false})).await);
    assert!(!is_armed(server).await);
    let began = Instant::now();
    is_signed_out(&ann).await;
    assert_eq!(socket.closed().await, session_ended());
    assert_eq!(named.closed().await, session_ended());
    // Nobody signs in while it is not known whether they may.
    assert_eq!(settled(server, &ann, PASSWORD).await.refusal(), (401, "invalid_credentials".into()));
    let entry = listed(&admin, "ann", |user| user["is_active"] == false).await;
    let took = began.elapsed();
    assert_eq!(entry["is_live"], false);
    let event = dashboard.json().await;
    assert_eq!((&event["action"], &event["reason"]), (&json!("logout"), &json!("admin")), "{event}");
    // The grace of two seconds runs out meanwhile, and the repetition changes nothing.
    sleep(Duration::from_secs(4)).await;
    assert_eq!(edit(&admin, &ann, json!({"is_active": false})).await.status, 200);
    let events = audit(&admin).await;
    assert_eq!((actions(&events).as_slice(), connections_lost(&events)), (&["login", "logout"][..], 0));
    report(
        18,
        "a_deactivation_whose_answer_is_lost_is_settled_within_seconds",
        format!(
            "D1 deactivates a doctor on duty, its answer is lost: sessions and sockets end at once, no sign-in succeeds; \
             settled after {:.1} s",
            took.as_secs_f64()
        ),
        "nothing: one logout, by the administrator",
    );
}

#[tokio::test]
async fn a_role_and_a_reset_whose_answers_are_lost_are_settled_within_seconds() {
    let (server, _turn) = faulty_for_users().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann, bob) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    let mut sockets = [connected(&ann).await, connected(&bob).await];
    ann.go_live().await;
    arm(server, &hospital, "user_written/error").await;
    is_unavailable(&edit(&admin, &ann, json!({"role": "user"})).await);
    assert_eq!(sockets[0].closed().await, session_ended());
    is_signed_out(&ann).await;
    let demoted = Session::of(server, &settled(server, &ann, PASSWORD).await);
    assert_eq!(demoted.get("/api/users/me/").await.json()["role"], "user");
    assert_eq!(actions(&audit(&admin).await), ["login", "logout"]);

    arm(server, &hospital, "user_written/error").await;
    is_unavailable(&admin.post_nothing(&format!("/api/users/{}/reset-password/", bob.id())).await);
    assert_eq!(sockets[1].closed().await, session_ended());
    is_signed_out(&bob).await;
    let refused = settled(server, &bob, PASSWORD).await;
    assert_eq!(refused.refusal(), (401, "invalid_credentials".into()), "the old password is gone, the new one is lost");
    listed(&admin, "bob", |user| user["must_change_password"] == true).await;
    let temporary = reset(&admin, &bob).await;
    assert!(Session::open(server, &hospital.email("bob"), &temporary).await.user.must_change_password);
}

#[tokio::test]
async fn a_new_user_whose_answer_is_lost_is_there_once() {
    let (server, _turn) = faulty_for_users().await;
    let hospital = Hospital::fresh(server);
    let admin = hospital.sign_in("admin").await;
    let nia = json!({"email": hospital.email("nia"), "first_name": "Nia", "role": "doctor", "password": PASSWORD});
    arm(server, &hospital, "user_written/error").await;
    is_unavailable(&admin.post("/api/users/", nia.clone()).await);
    listed(&admin, "nia", |user| user["id"].as_i64() > Some(0)).await;
    let repeated = admin.post("/api/users/", nia).await;
    assert_eq!((repeated.refusal().0, &repeated.json()["field"]), (409, &json!("email")));
    assert_eq!(hospital.sign_in("nia").await.go_live().await["changed"], true);
}
