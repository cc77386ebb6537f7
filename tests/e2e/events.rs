//! `GET /api/events/`

use rollcall_tests::{Hospital, Session, either};
use serde_json::{Value, json};

/// Ann comes, Bob comes, Ann is free, Ann goes.
async fn a_morning(hospital: &Hospital) -> (Session, Session, Session) {
    let (admin, ann, bob) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    ann.go_live().await;
    bob.go_live().await;
    ann.be_available(true).await;
    ann.leave().await;
    (admin, ann, bob)
}

fn seqs(page: &Value) -> Vec<i64> {
    page["events"].as_array().unwrap().iter().map(|event| event["seq"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn the_history_is_the_messages_that_were_sent_and_who_caused_them() {
    let hospital = Hospital::fresh(either());
    let mut dashboard = hospital.dashboard("").await;
    dashboard.json().await;
    let (admin, ann, bob) = a_morning(&hospital).await;
    let page = admin.get("/api/events/").await.json();
    assert_eq!((&page["latest"], &page["next"]), (&json!(4), &Value::Null));
    for (event, actor) in page["events"].as_array().unwrap().iter().zip([&ann, &bob, &ann, &ann]) {
        let mut sent = dashboard.json().await;
        sent["actor_id"] = json!(actor.id());
        assert_eq!(*event, sent);
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let hospital = Hospital::fresh(either());
    let (admin, ..) = a_morning(&hospital).await;
    let first = admin.get("/api/events/?limit=3").await.json();
    assert_eq!((seqs(&first), &first["next"]), (vec![1, 2, 3], &json!(3)));
    let second = admin.get("/api/events/?limit=3&since=3").await.json();
    assert_eq!((seqs(&second), &second["next"]), (vec![4], &Value::Null));
    let exact = admin.get("/api/events/?limit=4").await.json();
    assert_eq!(exact["next"], Value::Null);
    let future = admin.get("/api/events/?since=99").await.json();
    assert_eq!((seqs(&future), &future["latest"]), (vec![], &json!(4)));
}

#[tokio::test]
async fn pages_lead_backwards_too_without_a_gap() {
    let hospital = Hospital::fresh(either());
    let (admin, ann, _) = a_morning(&hospital).await;
    let page = async |query: &str| admin.get(&format!("/api/events/?{query}")).await.json();
    let last = page("before=5&limit=2").await;
    assert_eq!((seqs(&last), &last["next"], &last["previous"]), (vec![3, 4], &Value::Null, &json!(3)), "the last ones");
    assert_eq!(last["latest"], 4);
    let first = page("before=3&limit=2").await;
    assert_eq!((seqs(&first), &first["next"], first.get("previous")), (vec![1, 2], &Value::Null, None));
    let of_ann = format!("before=4&limit=1&doctor_id={}", ann.id());
    let of_ann = page(&of_ann).await;
    assert_eq!((seqs(&of_ann), &of_ann["previous"]), (vec![3], &json!(3)), "of those that match");
    let between = page("since=1&before=4&limit=2").await;
    assert_eq!((seqs(&between), between.get("previous")), (vec![2, 3], None), "since still is exclusive");
    for query in ["before=0", "before=1", "since=3&before=4"] {
        let nothing = page(query).await;
        assert_eq!((seqs(&nothing), nothing.get("previous"), &nothing["latest"]), (vec![], None, &json!(4)), "{query}");
    }
    assert_eq!(seqs(&page("before=9007199254740991").await), [1, 2, 3, 4]);
    let csv = admin.get_csv("/api/events/?before=4&limit=2").await.text;
    let rows: Vec<&str> = csv.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(rows, ["2", "3"]);
}

#[tokio::test]
async fn the_history_can_be_narrowed_to_a_doctor_and_a_time() {
    let hospital = Hospital::fresh(either());
    let (admin, ann, _) = a_morning(&hospital).await;
    let of_ann = admin.get(&format!("/api/events/?doctor_id={}", ann.id())).await.json();
    assert_eq!(seqs(&of_ann), [1, 3, 4]);
    let time = |seq: usize| of_ann["events"][seq]["timestamp"].as_str().unwrap().to_string();
    let (third, fourth) = (time(1), time(2));
    let between = admin.get(&format!("/api/events/?from={third}&to={fourth}")).await.json();
    assert_eq!(seqs(&between), [3], "from is inclusive, to is exclusive");
}

#[tokio::test]
async fn the_history_comes_as_csv_too() {
    let hospital = Hospital::fresh(either());
    let (admin, ann, _) = a_morning(&hospital).await;
    let eve = hospital.sign_in("eve").await;
    eve.go_live().await;
    let answer = admin.get_csv("/api/events/?since=2").await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    let rows: Vec<Vec<&str>> = answer.text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(
        answer.text.lines().next(),
        Some("seq,timestamp,type,action,doctor_id,doctor_name,is_available_for_consultation,reason,actor_id")
    );
    let id = ann.id().to_string();
    assert_eq!(rows[1][2..], ["doctor_status_change", "", &id, "Dr. Ann Lee", "true", "", &id]);
    assert_eq!(rows[2][2..], ["doctor_login_logout", "logout", &id, "Dr. Ann Lee", "", "", &id]);
    assert_eq!(rows[3][5], "Dr. <img src=x onerror=alert(1)> O'Neil");
}

#[tokio::test]
async fn a_parameter_at_fault_is_named() {
    let admin = Hospital::fresh(either()).sign_in("admin").await;
    for (query, field) in [
        ("since=-1", "since"),
        ("since=abc", "since"),
        ("before=-1", "before"),
        ("before=1.5", "before"),
        ("limit=0", "limit"),
        ("limit=1000000000", "limit"),
        ("doctor_id=x", "doctor_id"),
        ("from=yesterday", "from"),
    ] {
        let answer = admin.get(&format!("/api/events/?{query}")).await;
        assert_eq!(answer.refusal(), (400, "invalid_request".into()), "{query}");
        assert_eq!(answer.json()["field"], field);
    }
}

#[tokio::test]
async fn only_the_hospitals_administrator_reads_its_history() {
    let hospital = Hospital::fresh(either());
    a_morning(&hospital).await;
    for name in ["ann", "user"] {
        let answer = hospital.sign_in(name).await.get("/api/events/").await;
        assert_eq!(answer.refusal(), (403, "permission_denied".into()), "{name}");
    }
    let foreign = Hospital::fresh(either()).sign_in("admin").await;
    assert_eq!(foreign.get("/api/events/").await.json(), json!({"events": [], "latest": 0, "next": null}));
}
