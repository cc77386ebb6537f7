//! Signing in and out while the room or D1 cannot be reached, or is slow. What a session may do at all is tested in
//! `tests/e2e/users`.

use std::time::{Duration, Instant};

use futures_util::future::{join, join_all, join4};
use rollcall_tests::{Hospital, PASSWORD, SLOW, Session, keep_out_of_logs, rows};
use rusqlite::types::Value as Stored;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    PATIENCE, RECOVERY, WATCH, arm, audit, connected, faulty_for_users, fragile, is_signed_out, is_unavailable,
    not_accepted, reset, session_ended, struck,
};

const NEW: &str = " a brand new ☤ password ";

async fn sessions(session: &Session) -> Vec<Value> {
    let listed = session.get("/api/users/sessions/").await.json();
    listed["sessions"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_sign_out_that_does_not_reach_the_room_ends_nothing_and_can_be_repeated() {
    let (server, _turn) = faulty_for_users().await;
    let hospital = Hospital::fresh(server);
    let ann = hospital.sign_in("ann").await;
    let mut socket = connected(&ann).await;
    arm(server, &hospital, "room/error").await;
    is_unavailable(&ann.post_nothing("/api/users/logout/").await);
    socket.hears_nothing().await;
    assert_eq!(ann.get("/api/users/me/").await.status, 200);
    connected(&ann).await;

    assert_eq!(ann.post_nothing("/api/users/logout/").await.status, 204);
    assert_eq!(socket.closed().await, session_ended());
    is_signed_out(&ann).await;
}

#[tokio::test]
async fn a_session_that_is_ended_from_another_one_ends_in_the_room_or_not_at_all() {
    let (server, _turn) = faulty_for_users().await;
    let hospital = Hospital::fresh(server);
    let (lost, kept) = (hospital.sign_in("ann").await, hospital.sign_in("ann").await);
    let (mut lost_socket, mut kept_socket) = (connected(&lost).await, connected(&kept).await);
    let of_lost = format!("/api/users/sessions/{}/", sessions(&kept).await[1]["id"]);
    arm(server, &hospital, "room/error").await;
    is_unavailable(&kept.delete(&of_lost).await);
    lost_socket.hears_nothing().await;
    assert_eq!(lost.get("/api/users/me/").await.status, 200);
    assert_eq!(sessions(&kept).await.len(), 2);
    connected(&lost).await;

    assert_eq!(kept.delete(&of_lost).await.status, 204);
    assert_eq!(lost_socket.closed().await, session_ended());
    is_signed_out(&lost).await;
    kept_socket.hears_nothing().await;
    assert_eq!(sessions(&kept).await.len(), 1);
}

/// Held up on its way into the room, which looks its session up when it arrives.
#[tokio::test]
async fn a_join_that_is_overtaken_by_its_sign_out_does_not_get_in() {
    let (server, _turn) = faulty_for_users().await;
    let hospital = Hospital::fresh(server);
    for path in [WATCH.to_string(), format!("/ws/connect/?email={}", hospital.email("admin"))] {
        let admin = hospital.sign_in("admin").await;
        arm(server, &hospital, "room/slow").await;
        let joining = tokio::spawn({
            let (admin, path) = (admin.clone(), path.clone());
            async move { admin.socket(&path, true).await.closed().await }
        });
        struck(server).await;
        assert_eq!(admin.post_nothing("/api/users/logout/").await.status, 204);
        assert!(!joining.is_finished(), "too slow to tell");
        // Refused by the room; or by the Worker, which waits for the room no longer than for a call.
        let closed = joining.await.unwrap();
        assert!(closed == not_accepted() || closed.code == 1011, "{path}: {closed:?}");
        is_signed_out(&admin).await;
    }
}

/// Every way of taking something away is in force for the very next call.
#[tokio::test]
async fn a_session_that_lost_its_right_is_refused_at_once() {
    let (server, _turn) = faulty_for_users().await;
    let hospital = Hospital::fresh(server);
    let admin = hospital.sign_in("admin").await;
    for way in ["sign out", "revocation", "role", "reset", "deactivation"] {
        let doctor = hospital.sign_in(if way == "reset" { "bob" } else { "ann" }).await;
        // A memory of the caller, if the Worker had one, would be fresh.
        doctor.go_live().await;
        doctor.leave().await;
        let events = audit(&admin).await.len();
        let user = format!("/api/users/{}/", doctor.id());
        match way {
            "sign out" => assert_eq!(doctor.post_nothing("/api/users/logout/").await.status, 204),
            "revocation" => {
                let other = hospital.sign_in("ann").await;
                let listed = sessions(&other).await;
                for session in listed.iter().filter(|session| session["current"] == false) {
                    assert_eq!(other.delete(&format!("/api/users/sessions/{}/", session["id"])).await.status, 204);
                }
            }
            "role" => {
                assert_eq!(admin.patch(&user, json!({"role": "user"})).await.status, 200);
                let refused = doctor.post("/api/users/login-status/", json!({})).await;
                assert_eq!(refused.refusal(), (401, "invalid_token".into()), "{way}");
                let as_user = hospital.sign_in("ann").await;
                let refused = as_user.post("/api/users/login-status/", json!({})).await;
                assert_eq!(refused.refusal(), (403, "permission_denied".into()), "{way}");
                assert_eq!(admin.patch(&user, json!({"role": "doctor"})).await.status, 200);
            }
            "reset" => {
                let temporary = reset(&admin, &doctor).await;
                let with_temporary = Session::open(server, &hospital.email("bob"), &temporary).await;
                let refused = with_temporary.post("/api/users/login-status/", json!({})).await;
                assert_eq!(refused.refusal(), (403, "password_change_required".into()));
            }
            _ => assert_eq!(admin.patch(&user, json!({"is_active": false})).await.status, 200),
        }
        let refused = doctor.post("/api/users/login-status/", json!({})).await;
        assert_eq!(refused.refusal(), (401, "invalid_token".into()), "{way}");
        assert_eq!(audit(&admin).await.len(), events, "{way}");
    }
}

#[tokio::test]
async fn while_the_database_is_locked_nobody_signs_in_and_signed_in_users_go_on() {
    keep_out_of_logs(NEW);
    let (server, _turn) = fragile().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut socket = connected(&ann).await;
    let login = async |name: &str| hospital.login(json!({"email": hospital.email(name), "password": PASSWORD})).await;
    let everything = async || {
        let change = json!({"current_password": PASSWORD, "new_password": NEW});
        join4(
            login("bob"),
            admin.post("/api/ws-ticket/", json!({"path": WATCH})),
            admin.get("/api/users/"),
            ann.post("/api/users/password/", change),
        )
        .await
    };

    let database = server.database();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let began = Instant::now();
    let (bob, ticket, users, change) = everything().await;
    let slowest = began.elapsed();
    // Before anything is asserted: nobody else is to find it locked.
    database.execute_batch("COMMIT").unwrap();
    drop(database);
    [bob, change].iter().for_each(is_unavailable);
    assert_eq!([ticket.status, users.status], [200; 2], "the room answers them");
    assert!(slowest < PATIENCE, "{slowest:?}");

    let recovering = Instant::now();
    let bob = loop {
        let answer = login("bob").await;
        if answer.status == 200 {
            break Session::of(server, &answer);
        }
        assert!(recovering.elapsed() < RECOVERY, "sign-ins do not recover: {answer:?}");
        sleep(Duration::from_millis(500)).await;
    };
    assert_eq!(sessions(&bob).await.len(), 1, "none was opened by the sign-in that was refused");
    // A change that D1 did not answer may have taken her sessions away: it is repeated with a new one.
    let ann = loop {
        let answer = login("ann").await;
        if answer.status == 200 {
            break Session::of(server, &answer);
        }
        assert!(recovering.elapsed() < PATIENCE, "ann's change is not settled: {answer:?}");
        sleep(Duration::from_millis(500)).await;
    };
    let change = json!({"current_password": PASSWORD, "new_password": NEW});
    let changed = Session::of(server, &ann.post("/api/users/password/", change).await);
    assert_eq!(socket.closed().await, session_ended());
    assert_eq!(sessions(&changed).await.len(), 1);
}

/// The lock comes while their passwords are verified: some were looked up already, some not, some are in.
#[tokio::test]
async fn a_sign_in_that_is_answered_with_503_opens_no_session() {
    let (server, _turn) = fragile().await;
    let hospital = Hospital::of_slow_hashes(server);
    let login = async |n| {
        let body = json!({"email": hospital.email(&format!("active{n}")), "password": PASSWORD});
        hospital.login(body).await
    };
    let (mut admitted, mut refused) = (0, 0);
    for milliseconds in [0, 30, 60, 90, 120, 150, 180] {
        let locked = async {
            sleep(Duration::from_millis(milliseconds)).await;
            // A login may be writing just now: the connection waits for it.
            let database = server.database();
            database.execute_batch("BEGIN EXCLUSIVE").unwrap();
            database
        };
        let (answers, database) = join(join_all((0..SLOW).map(login)), locked).await;
        database.execute_batch("COMMIT").unwrap();
        drop(database);
        for answer in &answers {
            if answer.status == 200 {
                keep_out_of_logs(answer.json()["token"].as_str().unwrap());
                admitted += 1;
            } else {
                is_unavailable(answer);
                refused += 1;
            }
        }
        // An answer of 503 counts as a failure; too many in a row would be throttled.
        for answer in join_all((0..SLOW).map(login)).await {
            assert_eq!(answer.status, 200, "{answer:?}");
            keep_out_of_logs(answer.json()["token"].as_str().unwrap());
            admitted += 1;
        }
    }
    // A call that was given up may be carried out late; not this one.
    sleep(Duration::from_secs(1)).await;
    assert!(refused > 0, "the lock came too late each time");
    let opened = rows(&server.room_storage(hospital.id), "SELECT COUNT(*) FROM sessions");
    assert_eq!(opened, [[Stored::Integer(admitted)]]);
}
