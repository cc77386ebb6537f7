//! What is recorded of who tried what

use rollcall_tests::{Hospital, PASSWORD, either, request_from};
use serde_json::json;

/// (action, actor, target, result) of what was recorded of a hospital, oldest first; signing in is left out where it
/// succeeded.
fn recorded(hospital: &Hospital) -> Vec<(String, Option<i64>, Option<i64>, String)> {
    let database = either().database();
    let sql = "SELECT action, actor_id, target_id, result FROM security_events
         WHERE hospital_id = ?1 AND NOT (action = 'sign_in' AND result = 'done') ORDER BY id";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([hospital.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
    rows.unwrap().map(Result::unwrap).collect()
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
    admin.patch(&format!("/api/users/{}/", foreign.user.id), json!({})).await;
    ann.get("/api/events/").await;
    ann.post("/api/users/login-status/", json!({"doctor_id": nia})).await;
    ann.socket("/ws/doctor-status/", true).await.closed().await;
    ann.post("/api/users/password/", json!({"current_password": PASSWORD, "new_password": "another one"})).await;

    let (admin, ann) = (Some(admin.user.id), Some(ann.user.id));
    let expected = [
        ("list_connections", admin, None, "done"),
        ("read_events", admin, None, "done"),
        ("disconnect", admin, ann, "done"),
        ("create_user", admin, Some(nia), "done"),
        ("edit_user", admin, Some(nia), "done"),
        ("reset_password", admin, Some(nia), "done"),
        ("edit_user", admin, Some(foreign.user.id), "denied"),
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
    let sign_in = |result: &str| ("sign_in".to_string(), None, Some(ann.user.id), result.to_string());
    assert_eq!(recorded(&hospital), [sign_in("failed"), sign_in("throttled")]);
    assert_eq!(times(&hospital), [5, 1]);
    let from: String = either()
        .database()
        .query_row(
            "SELECT address FROM security_events WHERE result = 'throttled' AND hospital_id = ?1",
            [hospital.id],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(from, "203.0.113.20");
}

/// How often each of them was tried.
fn times(hospital: &Hospital) -> Vec<i64> {
    let database = either().database();
    let sql = "SELECT times FROM security_events WHERE hospital_id = ?1 AND result <> 'done' ORDER BY id";
    let mut statement = database.prepare(sql).unwrap();
    statement.query_map([hospital.id], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
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
    for (email, password) in [("typed@example.com", "typed password"), (&*hospital.email("ann"), "typed password")] {
        hospital.login(json!({"email": email, "password": password})).await;
    }
    let database = either().database();
    let columns = "at_ms || action || COALESCE(target_id, '') || result || address";
    let sql =
        format!("SELECT COUNT(*), SUM(({columns}) LIKE '%typed%' OR ({columns}) LIKE '%@%') FROM security_events");
    let (all, typed): (i64, i64) = database.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert!(all > 0);
    assert_eq!(typed, 0);
}
