//! `cargo xtask backup` and `restore`

use std::{sync::OnceLock, time::Duration};

use rollcall_tests::{Hospital, Server, Session, database_in, request, xtask};
use serde_json::{Value, json};

async fn history(admin: &Session) -> Value {
    admin.get("/api/events/").await.json()["events"].clone()
}

#[tokio::test]
async fn a_restored_database_is_what_it_was_and_signs_nobody_in() {
    static BEFORE: OnceLock<Server> = OnceLock::new();
    static AFTER: OnceLock<Server> = OnceLock::new();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("backup.sql");

    let server = BEFORE.get_or_init(|| Server::start(&[]));
    let hospital = Hospital::fresh(server);
    let (admin, ann, eve) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("eve").await);
    ann.go_live().await;
    // Her name is an attack, on SQL too.
    eve.go_live().await;
    ann.post("/api/users/availability-status/", json!({"is_available_for_consultation": true})).await;
    let (events, me) = (history(&admin).await, ann.get("/api/users/me/").await.json());
    server.archive_catches_up(hospital.id, Duration::from_secs(10)).await;
    server.stop();
    server.back_up(&file);

    let restored = AFTER.get_or_init(|| Server::restored(&file));
    for old in [&admin, &ann] {
        let answer = request(restored, "GET", "/api/users/me/", &[("authorization", &old.authorization())], None).await;
        assert_eq!(answer.refusal(), (401, "invalid_token".into()), "a copy knows nothing of who has signed out since");
    }
    let (admin, ann) = (hospital.at(restored).sign_in("admin").await, hospital.at(restored).sign_in("ann").await);
    assert_eq!(history(&admin).await, events);
    assert_eq!(ann.get("/api/users/me/").await.json(), me);
    let mut dashboard = admin.socket("/ws/doctor-status/?since=4", true).await;
    let resumed = dashboard.json().await;
    assert_eq!(resumed["recovered"], false, "what it has seen is not there");
    assert_eq!(dashboard.json().await["type"], "snapshot");
    let seq = ann.leave().await["seq"].as_i64().unwrap();
    assert!(seq > 1_700_000_000_000, "no seq that anybody has seen is given again: {seq}");
    assert_eq!(dashboard.json().await["seq"], seq);

    // The same copy once more, as after a wrong choice: a room that starts from it begins above the first one's events.
    let again = tempfile::tempdir().unwrap();
    let arguments = ["restore", file.to_str().unwrap(), "--persist-to", again.path().to_str().unwrap()];
    xtask(&arguments).unwrap();
    let sql = "SELECT MIN(room_seq) + 1000000 FROM hospitals";
    let begins: i64 = database_in(again.path()).query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(begins > seq + 1000, "{begins} after {seq}");
    assert!(xtask(&arguments).unwrap_err().contains("the database is not empty"));
}
