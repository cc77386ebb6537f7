//! A room whose storage is gone, and a D1 that was put back.

use std::time::{Duration, Instant};

use rollcall_tests::{Hospital, PASSWORD, Server, Session, rows};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    CARRIED_OVER, WATCH, arm, as_heard, audit, faulty_for_archive, fragile, is_signed_out, report, session_ended,
    state_equals_history, struck,
};

/// How far the sequence of a rebuilt room is above the events that D1 has.
const JUMP: u64 = 1_000_000;

async fn state(session: &Session) -> Value {
    session.get("/api/users/me/").await.json()
}

#[tokio::test]
async fn a_room_whose_storage_is_gone_is_rebuilt_from_the_archive() {
    let (server, _turn) = fragile().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann, bob) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    for _ in 0..20 {
        bob.go_live().await;
        bob.leave().await;
    }
    ann.go_live().await;
    ann.be_available(true).await;
    let latest = bob.be_available(true).await["seq"].as_u64().unwrap();
    server.archive_catches_up(hospital.id, CARRIED_OVER).await;
    let before = audit(&admin).await;
    let (ann_before, bob_before) = (state(&ann).await, state(&bob).await);
    let snapshot_before = hospital.dashboard("").await.json().await;

    server.stop();
    server.delete_room_storage(hospital.id);
    server.restart();
    for old in [&admin, &ann, &bob] {
        is_signed_out(old).await;
    }
    let (admin, ann, bob) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    assert_eq!(audit(&admin).await, before, "the history");
    assert_eq!((state(&ann).await, state(&bob).await), (ann_before, bob_before), "the doctors' states");
    let snapshot = admin.socket(WATCH, true).await.json().await;
    for part in ["doctors", "live_since", "recent"] {
        assert_eq!(snapshot[part], snapshot_before[part], "{part}");
    }
    let mut dashboards = Vec::new();
    for since in [latest - 1, latest, latest + 3] {
        let mut dashboard = admin.socket(&format!("{WATCH}?since={since}"), true).await;
        let resumed = dashboard.json().await;
        assert_eq!((&resumed["type"], &resumed["recovered"]), (&json!("resumed"), &json!(false)), "{since}: {resumed}");
        assert_eq!(dashboard.json().await["type"], "snapshot", "{since}");
        dashboards.push(dashboard);
    }
    let next = latest + JUMP + 1;
    assert_eq!(bob.go_live().await["seq"], next, "no seq that a dashboard may have seen is given again");
    for dashboard in &mut dashboards {
        assert_eq!(dashboard.json().await["seq"], next);
    }
    let after = audit(&admin).await;
    assert_eq!(after[..before.len()], before);
    assert_eq!(after.len(), before.len() + 1);
    state_equals_history(&ann, &after).await;
    server.archive_catches_up(hospital.id, CARRIED_OVER).await;
    server.stop_and_compare_archive(hospital.id);
    server.restart();
    report(
        16,
        "a_room_whose_storage_is_gone_is_rebuilt_from_the_archive",
        format!("the storage of a room with {latest} archived events is deleted while the runtime is stopped"),
        "its sessions; nothing that was archived: history and states are the same, `seq` goes on a million further up",
    );
}

/// A copy of a hospital's rows in D1, kept in temporary tables of a connection.
struct D1Copy {
    database: Connection,
    hospital_id: i64,
}

/// The tables that have a hospital's rows, and which rows those are.
const TABLES: [(&str, &str); 4] = [
    ("users", "hospital_id = ?1"),
    ("doctors", "user_id IN (SELECT id FROM users WHERE hospital_id = ?1)"),
    ("events", "hospital_id = ?1"),
    ("archived_security_events", "hospital_id = ?1"),
];

impl D1Copy {
    fn of(server: &Server, hospital_id: i64) -> Self {
        let database = server.database();
        database.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY;").unwrap();
        for (table, rows) in TABLES {
            let rows = rows.replace("?1", &hospital_id.to_string());
            let sql = format!("CREATE TEMP TABLE copy_of_{table} AS SELECT * FROM {table} WHERE {rows}");
            database.execute_batch(&sql).unwrap();
        }
        Self { database, hospital_id }
    }

    /// Puts it back, and does what `cargo xtask restore` does afterwards, in one transaction.
    fn put_back(&self) {
        let mut sql = String::from("BEGIN IMMEDIATE;\n");
        // Doctors are found by their users, so they go first.
        for (table, rows) in TABLES.iter().rev() {
            sql.push_str(&format!(
                "DELETE FROM {table} WHERE {};\n",
                rows.replace("?1", &self.hospital_id.to_string())
            ));
        }
        for (table, _) in TABLES {
            sql.push_str(&format!("INSERT INTO {table} SELECT * FROM temp.copy_of_{table};\n"));
        }
        sql.push_str(&format!(
            "UPDATE hospitals SET epoch = lower(hex(randomblob(16))), revision = revision + 1,
               room_seq = MAX(room_seq, unixepoch() * 1000) WHERE id = {};
             COMMIT;",
            self.hospital_id
        ));
        self.database.execute_batch(&sql).unwrap();
    }
}

#[tokio::test]
async fn a_database_that_was_put_back_gets_what_it_lacks_and_nobody_stays_signed_in() {
    let (server, _turn) = faulty_for_archive().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann, bob) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    ann.go_live().await;
    bob.go_live().await;
    server.archive_catches_up(hospital.id, CARRIED_OVER).await;
    let copy = D1Copy::of(server, hospital.id);

    // After the copy: a new doctor, who comes, and a name that changes.
    let nia = json!({"email": hospital.email("nia"), "first_name": "Nia", "role": "doctor", "password": PASSWORD});
    assert_eq!(admin.post("/api/users/", nia).await.status, 201);
    let nia = hospital.sign_in("nia").await;
    nia.go_live().await;
    bob.leave().await;
    assert_eq!(admin.patch(&format!("/api/users/{}/", bob.id()), json!({"last_name": "Roy"})).await.status, 200);
    server.archive_catches_up(hospital.id, CARRIED_OVER).await;
    let mut dashboard = admin.socket(WATCH, true).await;
    dashboard.json().await;
    let log = audit(&admin).await;

    // While a flight is under way.
    arm(server, &hospital, "flight/slow").await;
    let latest = ann.be_available(true).await["seq"].as_u64().unwrap();
    assert_eq!(latest, log.len() as u64 + 1);
    assert_eq!(dashboard.json().await["seq"], latest);
    struck(server).await;
    copy.put_back();
    let put_back = Instant::now();
    loop {
        match dashboard.text_or_close().await {
            Ok(_) => {}
            Err(closed) => break assert_eq!(closed, session_ended()),
        }
    }
    let noticed = put_back.elapsed();
    for old in [&admin, &ann, &bob, &nia] {
        is_signed_out(old).await;
    }

    server.archive_catches_up(hospital.id, Duration::from_secs(60)).await;
    let carried_over = put_back.elapsed();
    let (admin, ann, bob) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    let after = audit(&admin).await;
    assert_eq!(after[..log.len()], log, "the room keeps its log");
    assert_eq!(after[log.len()]["seq"], latest);
    for doctor in [&ann, &bob] {
        state_equals_history(doctor, &after).await;
    }
    assert_eq!(bob.user.last_name, "Ray", "a user is as D1 has them");
    // Nia, whom D1 had lost.
    let of_nia = format!("SELECT is_active FROM users WHERE id = {}", nia.id());
    assert_eq!(rows(&server.database(), &of_nia), [[rusqlite::types::Value::Integer(0)]]);
    let refused = hospital.login(json!({"email": hospital.email("nia"), "password": PASSWORD})).await;
    assert_eq!(refused.refusal(), (401, "invalid_credentials".into()));
    let listed = admin.get("/api/users/?search=nia").await.json();
    assert_eq!((&listed["count"], &listed["results"][0]["is_active"]), (&json!(1), &json!(false)));
    assert_eq!(listed["results"][0]["is_live"], false, "a deactivated doctor is off duty");

    // The sequence goes on, without a gap.
    let mut dashboard = admin.socket(&format!("{WATCH}?since={latest}"), true).await;
    let left = ann.leave().await["seq"].as_u64().unwrap();
    let mut missed: Vec<Value> = Vec::new();
    while missed.last().is_none_or(|event| event["seq"] != left) {
        let message = dashboard.json().await;
        assert_ne!(message["recovered"], false, "{message}");
        if message["doctor_id"].is_i64() {
            missed.push(message);
        }
    }
    let expected: Vec<_> = audit(&admin).await.into_iter().skip(log.len() + 1).map(as_heard).collect();
    assert_eq!(missed, expected);
    server.archive_catches_up(hospital.id, CARRIED_OVER).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(server.archived_events(hospital.id), server.logged_events(hospital.id), "row by row");
    report(
        17,
        "a_database_that_was_put_back_gets_what_it_lacks_and_nobody_stays_signed_in",
        format!(
            "D1 is put back to an older copy, without {} events and a user, while a flight is under way: noticed after \
             {:.1} s, D1 has everything after {:.1} s",
            latest - 2,
            noticed.as_secs_f64(),
            carried_over.as_secs_f64()
        ),
        "every session; no event and no state: D1's copy = the room's log, row by row; the lost user comes back deactivated",
    );
}
