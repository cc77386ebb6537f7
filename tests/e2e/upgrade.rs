//! The upgrade from version 1.0: rooms take over what it left in D1

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use rollcall_tests::{Hospital, PASSWORD, Server, Session, request, rows};
use rusqlite::{Connection, types::Value as Stored};
use serde_json::{Value, json};
use tokio::time::sleep;

/// The hospital that has a history: [`Hospital::of_its_own`].
const HOSPITAL: i64 = 100;

/// How many events it has: more than a room reads when it takes over.
const EVENTS: u64 = 2_500;

/// How far a room's sequence begins above the events that D1 has.
const JUMP: u64 = 1_000_000;

/// Above every seq of a room: a late write of 1.0 takes none of them.
const SEQ_END: i64 = 1 << 52;

/// A session's token that 1.0 gave to Ann, and one that it imported from Django, with their digests.
const TOKENS: [(&str, &str, &str); 2] = [
    (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55",
        "Firefox",
    ),
    (
        "0000000000000000000000000000000000000000",
        "9692e67b8378a6f6753f97782d458aa757e947eab2fbdf6b5c187b74561eb78f",
        "Django",
    ),
];

/// Fills the database as 1.0 left it: Ann and Bob came and went in turns; in the end Ann came, and is free.
fn fill(database: &Connection) {
    let last = EVENTS - 1;
    let history = format!(
        "WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < {EVENTS})
         INSERT INTO events SELECT {HOSPITAL}, seq, (unixepoch() - 100000 + seq) * 1000, 19800,
           CASE WHEN seq = {EVENTS} THEN 'availability' WHEN seq % 2 = 1 THEN 'login' ELSE 'logout' END, NULL, id, id,
           username, first_name, last_name, seq = {EVENTS}, seq % 2 = 1 OR seq = {EVENTS}, '09:00-17:00', 'Cardiology',
           'Hospital {HOSPITAL}'
         FROM n JOIN users ON username = iif(seq % 4 IN (1, 2) OR seq >= {last}, 'ann', 'bob') || '{HOSPITAL}';
         UPDATE doctors SET is_live = 1, is_available_for_consultation = 1,
           live_changed_ms = (SELECT at_ms FROM events WHERE hospital_id = {HOSPITAL} AND seq = {last})
         WHERE user_id = (SELECT id FROM users WHERE username = 'ann{HOSPITAL}');
         UPDATE doctors SET
           live_changed_ms = (SELECT at_ms FROM events WHERE hospital_id = {HOSPITAL} AND seq = {last} - 3)
         WHERE user_id = (SELECT id FROM users WHERE username = 'bob{HOSPITAL}');"
    );
    database.execute_batch(&history).unwrap();
    for (_, digest, user_agent) in TOKENS {
        let sql = "INSERT INTO sessions (token_sha256, user_id, user_agent, created_ms, expires_ms)
            SELECT ?1, id, ?2, unixepoch() * 1000, (unixepoch() + 36000) * 1000 FROM users WHERE username = ?3";
        database.execute(sql, (digest, user_agent, format!("ann{HOSPITAL}"))).unwrap();
    }
}

/// The whole history, page by page: forwards, or backwards.
async fn history(admin: &Session, backwards: bool) -> Vec<Value> {
    let (mut events, mut query) =
        (Vec::new(), if backwards { format!("before={}", (1_u64 << 53) - 1) } else { "since=0".into() });
    loop {
        let page = admin.get(&format!("/api/events/?limit=1000&{query}")).await.json();
        let found = page["events"].as_array().unwrap().clone();
        let next = if backwards { &page["previous"] } else { &page["next"] };
        if backwards {
            events.splice(0..0, found);
            query = format!("before={next}");
        } else {
            events.extend(found);
            query = format!("since={next}");
        }
        if next.is_null() {
            return events;
        }
    }
}

/// The parts of an event that [`fill`] decides.
fn told(event: &Value) -> (u64, i64, Option<&str>) {
    (event["seq"].as_u64().unwrap(), event["doctor_id"].as_i64().unwrap(), event["action"].as_str())
}

/// The `seq` below which the room has not copied the older events of D1 yet; 0 if it has them all.
fn copied_from(server: &Server) -> i64 {
    match &rows(&server.room_storage(HOSPITAL), "SELECT copied_from FROM room")[..] {
        [row] if let [Stored::Integer(seq)] = row[..] => seq,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_database_of_1_0_is_taken_over_with_its_whole_history_and_nobody_stays_signed_in() {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::upgraded(fill));
    let (hospital, other) = (Hospital::of_its_own(server), Hospital::fresh(server));
    assert_eq!(hospital.id, HOSPITAL);
    for (token, ..) in TOKENS {
        let authorization = format!("Token {token}");
        let me = request(server, "GET", "/api/users/me/", &[("authorization", &authorization)], None).await;
        assert_eq!(me.refusal(), (401, "invalid_token".into()), "{token}");
    }

    // The room takes over with the first sign-in, and answers from the last thousand events and D1.
    let (admin, ann, bob) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    let before = history(&admin, false).await;
    println!("the room had copied down to {} when the history was read", copied_from(server));
    let expected = (1..=EVENTS).map(|seq| {
        let doctor_id = if [1, 2].contains(&(seq % 4)) || seq >= EVENTS - 1 { ann.id() } else { bob.id() };
        let action = if seq % 2 == 1 { "login" } else { "logout" };
        (seq, doctor_id, (seq < EVENTS).then_some(action))
    });
    assert!(before.iter().map(told).eq(expected), "{} events", before.len());
    assert_eq!(history(&admin, true).await, before, "backwards");

    let me = ann.get("/api/users/me/").await.json();
    assert_eq!((&me["is_live"], &me["is_available_for_consultation"]), (&json!(true), &json!(true)));
    assert_eq!(bob.get("/api/users/me/").await.json()["is_live"], false);
    let snapshot = hospital.dashboard("").await.json().await;
    let recent: Vec<_> = snapshot["recent"].as_array().unwrap().iter().map(|event| event["seq"].as_u64()).collect();
    assert_eq!(recent, (EVENTS - 9..=EVENTS).rev().map(Some).collect::<Vec<_>>());
    let since = |doctor: &Session| snapshot["live_since"][doctor.id().to_string()].clone();
    let at = |seq: u64| before[usize::try_from(seq).unwrap() - 1]["timestamp"].clone();
    assert_eq!((since(&ann), since(&bob)), (at(EVENTS - 1), at(EVENTS - 4)));

    // A page that 1.0 served takes a snapshot, and no seq is given twice.
    let mut dashboard = hospital.dashboard(&format!("?since={EVENTS}")).await;
    assert_eq!(dashboard.json().await["recovered"], false);
    assert_eq!(dashboard.json().await["type"], "snapshot");
    let next = EVENTS + JUMP + 1;
    assert_eq!(bob.go_live().await["seq"], next);
    assert_eq!(dashboard.json().await["seq"], next);
    assert_eq!(
        other.sign_in("ann").await.go_live().await["seq"],
        1,
        "a hospital without events begins at the beginning"
    );
    let fence = format!("SELECT epoch <> '', seq_floor, room_seq FROM hospitals WHERE id = {HOSPITAL}");
    let fence = rows(&server.database(), &fence);
    assert_eq!(fence, [[1, SEQ_END, i64::try_from(EVENTS + JUMP).unwrap()].map(Stored::Integer)]);

    // Older events are copied by and by, and the history stays what it is.
    let began = Instant::now();
    while copied_from(server) > 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "down to {}", copied_from(server));
        sleep(Duration::from_millis(200)).await;
    }
    for backwards in [false, true] {
        let after = history(&admin, backwards).await;
        assert_eq!((&after[..before.len()], after.len()), (&before[..], before.len() + 1));
    }
    server.archive_catches_up(HOSPITAL, Duration::from_secs(10)).await;
    server.stop_and_compare_archive(HOSPITAL);
    // It wakes with what it has stored: nothing jumps again.
    server.restart();
    assert_eq!(ann.leave().await["seq"], next + 1);
    Session::open(server, &hospital.email("ann"), PASSWORD).await;
}
