//! What is recorded of who tried what: by the room, which carries it over to D1 when its minute is over; and by the Worker
//! in D1, of attempts by people who are not signed in.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rollcall_tests::{Hospital, PASSWORD, Row, either, request_from, rows};
use rusqlite::types::Value;
use serde_json::json;
use tokio::time::sleep;

/// A security event of a hospital.
struct Recorded {
    action: String,
    actor_id: Option<i64>,
    target_id: Option<i64>,
    result: String,
    address: String,
    times: i64,
}

const COLUMNS: &str = "at_ms, action, actor_id, target_id, result, address, times";

impl Recorded {
    /// Everything that was recorded of a hospital, oldest first.
    fn of(hospital: &Hospital) -> Vec<Self> {
        let (database, storage) = (either().database(), either().room_storage(hospital.id));
        let archived =
            format!("SELECT number, {COLUMNS} FROM archived_security_events WHERE hospital_id = {}", hospital.id);
        let numbered =
            [rows(&database, &archived), rows(&storage, &format!("SELECT number, {COLUMNS} FROM security_events"))];
        // What is in both places is the same.
        let by_number = numbered.into_iter().flatten().map(|mut row| (integer(&row.remove(0)), row));
        let by_number: BTreeMap<_, _> = by_number.collect();
        let by_worker =
            format!("SELECT {COLUMNS} FROM security_events WHERE hospital_id = {} ORDER BY id", hospital.id);
        let mut all: Vec<Row> = by_number.into_values().chain(rows(&database, &by_worker)).collect();
        all.sort_by_key(|row| integer(&row[0]));
        all.iter().map(Self::from_row).collect()
    }

    fn from_row(row: &Row) -> Self {
        let text = |at: usize| match &row[at] {
            Value::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        let nullable = |at: usize| (row[at] != Value::Null).then(|| integer(&row[at]));
        let (action, result, address) = (text(1), text(4), text(5));
        Self { action, actor_id: nullable(2), target_id: nullable(3), result, address, times: integer(&row[6]) }
    }
}

fn integer(value: &Value) -> i64 {
    match value {
        Value::Integer(integer) => *integer,
        other => panic!("{other:?}"),
    }
}

/// (action, actor, target, result) of what was recorded of a hospital, oldest first; without sign-ins that succeeded.
fn recorded(hospital: &Hospital) -> Vec<(String, Option<i64>, Option<i64>, String)> {
    let all =
        Recorded::of(hospital).into_iter().filter(|event| (&*event.action, &*event.result) != ("sign_in", "done"));
    all.map(|event| (event.action, event.actor_id, event.target_id, event.result)).collect()
}

/// How often each of them was tried that failed.
fn times(hospital: &Hospital) -> Vec<i64> {
    let failed = Recorded::of(hospital).into_iter().filter(|event| event.result != "done");
    failed.map(|event| event.times).collect()
}

#[tokio::test]
async fn reads_kicks_changes_and_denials_are_recorded_with_actor_and_target() {
    let (hospital, elsewhere) = (Hospital::fresh(either()), Hospital::fresh(either()));
    let (admin, ann, foreign) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, elsewhere.sign_in("bob").await);
    admin.get("/api/hms/active-connections").await;
    admin.get("/api/events/").await;
    admin.delete(&format!("/api/hms/active-connections/{}", hospital.email("ann"))).await;
    let body = json!({"email": hospital.email("nia"), "role": "user", "password": PASSWORD});
    let nia = admin.post("/api/users/", body).await.json()["id"].as_i64().unwrap();
    admin.patch(&format!("/api/users/{nia}/"), json!({"first_name": "Nia"})).await;
    admin.post_nothing(&format!("/api/users/{nia}/reset-password/")).await;
    admin.patch(&format!("/api/users/{}/", foreign.id()), json!({})).await;
    ann.get("/api/events/").await;
    ann.post("/api/users/login-status/", json!({"doctor_id": nia})).await;
    ann.socket("/ws/doctor-status/", true).await.closed().await;
    ann.post("/api/users/password/", json!({"current_password": PASSWORD, "new_password": "another one"})).await;

    let (admin, ann) = (Some(admin.id()), Some(ann.id()));
    let expected = [
        ("list_connections", admin, None, "done"),
        ("read_events", admin, None, "done"),
        ("disconnect", admin, ann, "done"),
        ("create_user", admin, Some(nia), "done"),
        ("edit_user", admin, Some(nia), "done"),
        ("reset_password", admin, Some(nia), "done"),
        ("edit_user", admin, Some(foreign.id()), "denied"),
        ("read_events", ann, None, "denied"),
        ("set_state", ann, Some(nia), "denied"),
        ("watch", ann, None, "denied"),
        ("change_password", ann, None, "done"),
    ];
    let expected = expected.map(|(action, actor, target, result)| (action.into(), actor, target, result.to_string()));
    assert_eq!(recorded(&hospital), expected);
    assert_eq!(recorded(&elsewhere), []);
}

#[tokio::test]
async fn failures_to_sign_in_are_recorded_and_the_lockout_once() {
    let hospital = Hospital::fresh(either());
    let ann = hospital.sign_in("ann").await;
    for _ in 0..8 {
        let body = json!({"email": hospital.email("ann"), "password": "wrong"});
        request_from(either(), "203.0.113.20", "POST", "/api/users/login/", Some(body)).await;
    }
    let sign_in = |result: &str| ("sign_in".to_string(), None, Some(ann.id()), result.to_string());
    assert_eq!(recorded(&hospital), [sign_in("failed"), sign_in("throttled")]);
    assert_eq!(times(&hospital), [5, 1]);
    let throttled = Recorded::of(&hospital).into_iter().find(|event| event.result == "throttled").unwrap();
    assert_eq!(throttled.address, "203.0.113.20");
}

#[tokio::test]
async fn nobody_fills_the_database_by_asking() {
    let hospital = Hospital::fresh(either());
    let ann = hospital.sign_in("ann").await;
    for _ in 0..20 {
        assert_eq!(ann.get("/api/events/").await.status, 403);
    }
    // A minute may end in between.
    let times = times(&hospital);
    assert!(times.len() <= 2 && times.iter().sum::<i64>() == 20, "{times:?}");
}

#[tokio::test]
async fn nothing_that_was_typed_is_recorded() {
    let hospital = Hospital::fresh(either());
    hospital.sign_in("ann").await;
    for (email, password) in [("typed@example.com", "typed password"), (&*hospital.email("ann"), "typed password")] {
        hospital.login(json!({"email": email, "password": password})).await;
    }
    let columns = "at_ms || action || COALESCE(target_id, '') || result || address";
    let sql = |table: &str| {
        format!("SELECT COUNT(*), COALESCE(SUM(({columns}) LIKE '%typed%' OR ({columns}) LIKE '%@%'), 0) FROM {table}")
    };
    let (database, storage) = (either().database(), either().room_storage(hospital.id));
    let mut all = 0;
    for (database, table) in
        [(&database, "security_events"), (&database, "archived_security_events"), (&storage, "security_events")]
    {
        let (recorded, typed): (i64, i64) =
            database.query_row(&sql(table), [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(typed, 0, "{table}");
        all += recorded;
    }
    assert!(all > 1, "{all}");
}

/// Its minute is over by then: a row that may still be counted is not archived.
#[tokio::test]
async fn a_security_event_of_the_room_is_carried_over_to_d1_once() {
    let hospital = Hospital::fresh(either());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    assert_eq!(ann.get("/api/events/").await.status, 403);
    admin.get("/api/events/").await;
    let of_hospital = format!("FROM archived_security_events WHERE hospital_id = {}", hospital.id);
    let began = Instant::now();
    let archived = loop {
        let archived = rows(
            &either().database(),
            &format!("SELECT action, result, times {of_hospital} AND action = 'read_events' ORDER BY number"),
        );
        if archived.len() >= 2 {
            break archived;
        }
        assert!(began.elapsed() < Duration::from_secs(100), "{archived:?}");
        sleep(Duration::from_secs(1)).await;
    };
    let text = |text: &str| Value::Text(text.into());
    let expected = ["denied", "done"].map(|result| vec![text("read_events"), text(result), Value::Integer(1)]);
    assert_eq!(archived, expected);
    // The same thing tried again is another row.
    assert_eq!(ann.get("/api/events/").await.status, 403);
    let denied = Recorded::of(&hospital).into_iter().filter(|event| event.result == "denied").count();
    assert_eq!(denied, 2, "a row that is archived is sealed");
}
