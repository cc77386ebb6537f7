//! `EVENT_RETENTION_DAYS`: what is older than it may be is forgotten

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use rollcall_tests::{Hospital, Server, Session, request, rows};
use rusqlite::{Connection, types::Value as Stored};
use serde_json::{Value, json};
use tokio::time::sleep;

/// As the cron of `wrangler.toml` does every hour.
async fn an_hour_passes(server: &Server) {
    assert_eq!(request(server, "GET", "/cdn-cgi/local/scheduled", &[], None).await.text, "ok");
}

async fn seqs(admin: &Session) -> Vec<u64> {
    let page = admin.get("/api/events/?limit=1000").await.json();
    page["events"].as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect()
}

/// Sets the clock back by a month for some events of a hospital, in D1 and in its room's storage.
fn age(server: &Server, hospital: &Hospital, which: &str) {
    let sql =
        |condition: &str| format!("UPDATE events SET at_ms = at_ms - 31 * 86400000 WHERE {condition} AND {which}");
    server.database().execute_batch(&sql(&format!("hospital_id = {}", hospital.id))).unwrap();
    server.room_storage(hospital.id).execute_batch(&sql("true")).unwrap();
}

/// Repeats the first event of a hospital up to `latest`, a month old, in D1 and in its room's storage.
fn repeat_first(server: &Server, hospital: &Hospital, latest: u64) {
    let fill = |database: &Connection, own: &str, condition: &str| {
        let sql = format!(
            "WITH RECURSIVE n(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < {latest})
             INSERT INTO events ({own} seq, at_ms, utc_offset_s, action, reason, actor_id, doctor_id, username, first_name,
               last_name, is_available_for_consultation, is_live, consultation_hours, specialization, hospital)
             SELECT {own} n, at_ms, utc_offset_s, action, reason, actor_id, doctor_id, username, first_name, last_name,
               is_available_for_consultation, is_live, consultation_hours, specialization, hospital
             FROM events JOIN n WHERE seq = 1 AND {condition}"
        );
        database.execute_batch(&sql).unwrap();
    };
    fill(&server.database(), "hospital_id,", &format!("hospital_id = {}", hospital.id));
    let storage = server.room_storage(hospital.id);
    fill(&storage, "", "true");
    storage.execute_batch(&format!("UPDATE room SET archived_seq = {latest}, announced_seq = {latest}")).unwrap();
}

#[tokio::test]
async fn old_events_are_forgotten_and_nobody_resumes_over_a_gap() {
    // One of its own: it is stopped while its files are written to.
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::start(&["--var", "EVENT_RETENTION_DAYS:30"]));
    let (hospital, quiet) = (Hospital::fresh(server), Hospital::fresh(server));
    let (admin, ann, user) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("user").await);
    for _ in 0..4 {
        ann.go_live().await;
        ann.leave().await;
    }
    let quiet_admin = quiet.sign_in("admin").await;
    quiet.sign_in("ann").await.go_live().await;
    for hospital in [&hospital, &quiet] {
        server.archive_catches_up(hospital.id, Duration::from_secs(10)).await;
    }
    server.kill();
    // The clock was set back before the seventh: it is old, but the ones before it are not.
    age(server, &hospital, "seq IN (1, 2, 3, 4, 7)");
    age(server, &quiet, "true");
    // More than are forgotten at once.
    repeat_first(server, &quiet, 1300);
    let over = "UPDATE sessions SET created_ms = created_ms - 40000000, expires_ms = expires_ms - 40000000
        WHERE user_id = ?1";
    assert_eq!(server.room_storage(hospital.id).execute(over, [user.id()]).unwrap(), 1);
    // A room forgets every five minutes.
    for hospital in [&hospital, &quiet] {
        server.room_storage(hospital.id).execute("UPDATE counters SET stored_ms = 0", []).unwrap();
    }
    server.restart();

    // The limit holds in every read, before anything is deleted.
    assert_eq!(seqs(&admin).await, [5, 6, 7, 8]);
    assert_eq!(seqs(&quiet_admin).await, [1300], "the latest stays, however old: the next follows it");
    an_hour_passes(server).await;
    let archived = |hospital: &Hospital| {
        let sql = format!("SELECT MIN(seq), MAX(seq) FROM events WHERE hospital_id = {}", hospital.id);
        rows(&server.database(), &sql)
    };
    assert_eq!(archived(&hospital), [[5, 8].map(Stored::Integer)]);
    assert_eq!(archived(&quiet), [[1300, 1300].map(Stored::Integer)]);
    assert_eq!(seqs(&admin).await, [5, 6, 7, 8]);
    forgotten_by_the_room(server, &hospital, &quiet, &user).await;

    // With what the room has in memory, and with what it reads when it wakes.
    for restarted in [false, true] {
        if restarted {
            server.kill();
            server.restart();
        }
        let resume = async |since: u64| {
            let mut dashboard = hospital.dashboard(&format!("?since={since}")).await;
            let mut heard = vec![dashboard.json().await];
            while heard.last().unwrap()["type"] != "resumed" {
                heard.push(dashboard.json().await);
            }
            let resumed = heard.pop().unwrap();
            let seqs = heard.iter().map(|event| event["seq"].as_u64().unwrap()).collect::<Vec<_>>();
            (seqs, resumed["recovered"] == true)
        };
        assert_eq!(resume(4).await, (vec![5, 6, 7, 8], true), "everything that it missed is there");
        assert_eq!(resume(8).await, (vec![], true));
        for lost in [0, 1, 3] {
            assert_eq!(resume(lost).await, (vec![], false), "{lost}: a snapshot, not a silent gap");
        }
    }
    let state = ann.get("/api/users/me/").await.json();
    assert_eq!(state["is_live"], false);
    assert_eq!(ann.go_live().await["seq"], json!(9), "and the sequence goes on");
    let page: Value = admin.get("/api/events/?since=2").await.json();
    assert_eq!(page["events"][0]["seq"], 5);
}

/// The room's alarm deletes what is too old, and sessions that are over.
async fn forgotten_by_the_room(server: &Server, hospital: &Hospital, quiet: &Hospital, user: &Session) {
    let began = Instant::now();
    loop {
        let oldest = |hospital: &Hospital| rows(&server.room_storage(hospital.id), "SELECT MIN(seq) FROM events");
        let sessions = format!("SELECT COUNT(*) FROM sessions WHERE user_id = {}", user.id());
        let left = [oldest(hospital), oldest(quiet), rows(&server.room_storage(hospital.id), &sessions)];
        if left == [5, 1300, 0].map(|kept| vec![vec![Stored::Integer(kept)]]) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{left:?}");
        sleep(Duration::from_millis(200)).await;
    }
}
