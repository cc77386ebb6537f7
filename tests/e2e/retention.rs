//! `EVENT_RETENTION_DAYS`: what is older than it may be is forgotten

use std::sync::OnceLock;

use rollcall_tests::{Hospital, Server, Session, request};
use serde_json::{Value, json};

/// As the cron of `wrangler.toml` does every hour.
async fn an_hour_passes(server: &Server) {
    assert_eq!(request(server, "GET", "/cdn-cgi/local/scheduled", &[], None).await.text, "ok");
}

async fn seqs(admin: &Session) -> Vec<u64> {
    let page = admin.get("/api/events/?limit=1000").await.json();
    page["events"].as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn what_is_old_is_forgotten_and_nobody_resumes_over_a_gap_nor_is_a_session_revived() {
    // One of its own: the database waits for nobody who writes past the Worker.
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::start(&["--var", "EVENT_RETENTION_DAYS:30"]));
    let (hospital, quiet) = (Hospital::fresh(server), Hospital::fresh(server));
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    for _ in 0..4 {
        ann.go_live().await;
        ann.leave().await;
    }
    quiet.sign_in("ann").await.go_live().await;
    let (user, bob) = (hospital.sign_in("user").await, hospital.sign_in("bob").await);
    server.kill();
    let database = server.database();
    let age = |which: &str, hospital: &Hospital| {
        let sql = format!("UPDATE events SET at_ms = at_ms - 31 * 86400000 WHERE hospital_id = ?1 AND {which}");
        database.execute(&sql, [hospital.id]).unwrap();
    };
    // The clock was set back before the seventh: it is old, but what is before it is not.
    age("seq IN (1, 2, 3, 4, 7)", &hospital);
    age("true", &quiet);
    // More than are forgotten at once.
    let many = "WITH RECURSIVE n(seq) AS (SELECT 9 UNION ALL SELECT seq + 1 FROM n WHERE seq < 1300)
        INSERT INTO events SELECT ?2, n.seq, at_ms - 31 * 86400000, utc_offset_s, action, reason, actor_id, doctor_id,
          username, first_name, last_name, is_available_for_consultation, is_live, consultation_hours, specialization,
          hospital FROM events JOIN n WHERE hospital_id = ?1 AND events.seq = 8";
    database.execute(many, [hospital.id, quiet.id]).unwrap();
    // Two sessions are over; the second could be revived by importing its token again.
    let over = "UPDATE sessions SET created_ms = created_ms - 40000000, expires_ms = expires_ms - 40000000
        WHERE user_id IN (?1, ?2)";
    database.execute(over, [user.user.id, bob.user.id]).unwrap();
    database.execute("UPDATE users SET follows_import = 1 WHERE id = ?1", [bob.user.id]).unwrap();
    drop(database);
    server.restart();

    an_hour_passes(server).await;
    let sessions = |user: &Session| -> u32 {
        let sql = "SELECT COUNT(*) FROM sessions WHERE user_id = ?1";
        server.database().query_row(sql, [user.user.id], |row| row.get(0)).unwrap()
    };
    assert_eq!([&user, &bob, &ann].map(sessions), [0, 1, 1]);
    assert_eq!(seqs(&admin).await, [5, 6, 7, 8]);
    assert_eq!(seqs(&quiet.sign_in("admin").await).await, [1300], "the latest stays, however old: the next follows it");

    // A room that was awake may still remember them.
    server.kill();
    server.restart();
    let resume = async |since: u64| {
        let mut dashboard = hospital.dashboard(&format!("?since={since}")).await;
        let mut heard = vec![dashboard.json().await];
        while heard.last().unwrap()["type"] != "resumed" {
            heard.push(dashboard.json().await);
        }
        let resumed = heard.pop().unwrap();
        (heard.iter().map(|event| event["seq"].as_u64().unwrap()).collect::<Vec<_>>(), resumed["recovered"] == true)
    };
    assert_eq!(resume(4).await, (vec![5, 6, 7, 8], true), "everything that it missed is there");
    assert_eq!(resume(8).await, (vec![], true));
    for lost in [0, 1, 3] {
        assert_eq!(resume(lost).await, (vec![], false), "{lost}: a snapshot, not a silent gap");
    }
    let state = ann.get("/api/users/me/").await.json();
    assert_eq!(state["is_live"], false);
    assert_eq!(ann.go_live().await["seq"], json!(9), "and the sequence goes on");
    let page: Value = admin.get("/api/events/?since=2").await.json();
    assert_eq!(page["events"][0]["seq"], 5);
}
