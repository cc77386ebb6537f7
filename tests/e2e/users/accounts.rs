//! `GET, POST /api/users/`, `PATCH /api/users/{id}/`

use rollcall_tests::{Answer, Hospital, PASSWORD, Session, either};
use serde_json::{Value, json};

pub(super) fn new(hospital: &Hospital, name: &str) -> Value {
    json!({
        "email": hospital.email(name),
        "username": format!("{name}{}", hospital.id),
        "first_name": "Nia",
        "last_name": "<b>New</b>",
        "role": "doctor",
        "specialization": "Surgery",
        "consultation_hours": "08:00-12:00",
        "password": PASSWORD,
    })
}

async fn created(admin: &Session, body: Value) -> Value {
    let answer = admin.post("/api/users/", body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

pub(super) async fn edited(admin: &Session, id: &Value, body: Value) -> Value {
    let answer = admin.patch(&format!("/api/users/{id}/"), body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

pub(super) fn fault(answer: &Answer) -> (u16, String, Value) {
    let (status, code) = answer.refusal();
    (status, code, answer.json()["field"].clone())
}

#[tokio::test]
async fn a_new_doctor_signs_in_and_appears_on_every_dashboard() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    let mut dashboard = hospital.dashboard("").await;
    dashboard.json().await;
    let user = created(&admin, new(&hospital, "nia")).await;
    assert_eq!(
        user,
        json!({
            "id": user["id"],
            "email": hospital.email("nia"),
            "username": format!("nia{}", hospital.id),
            "first_name": "Nia",
            "last_name": "<b>New</b>",
            "role": "doctor",
            "is_active": true,
            "hospital_id": hospital.id,
            "time_zone": "Asia/Kolkata",
            "is_available_for_consultation": false,
            "is_live": false,
            "consultation_hours": "08:00-12:00",
            "specialization": "Surgery",
            "hospital": format!("Hospital {}", hospital.id),
        })
    );
    let snapshot = dashboard.json().await;
    assert_eq!(snapshot["type"], "snapshot");
    assert!(snapshot["doctors"].as_array().unwrap().iter().any(|doctor| doctor["id"] == user["id"]), "{snapshot}");
    let nia = hospital.sign_in("nia").await;
    nia.go_live().await;
    assert_eq!(dashboard.json().await["doctor_name"], "Dr. Nia <b>New</b>");
}

#[tokio::test]
async fn a_fault_in_a_new_user_is_told_at_its_field() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    let with = |field: &str, value: Value| {
        let mut body = new(&hospital, "nia");
        body[field] = value;
        body
    };
    for (field, value) in [
        ("email", json!("nobody")),
        ("email", json!(7)),
        ("username", json!("a b")),
        ("role", json!("boss")),
        ("is_active", json!("yes")),
        ("first_name", json!("a\u{0}b")),
        ("password", json!("short")),
        ("hospital_id", json!("1")),
    ] {
        let answer = admin.post("/api/users/", with(field, value.clone())).await;
        assert_eq!(fault(&answer), (400, "invalid_request".into(), json!(field)), "{value}");
    }
    for (field, value) in [("email", hospital.email("ann").to_uppercase()), ("username", format!("ann{}", hospital.id))]
    {
        let answer = admin.post("/api/users/", with(field, json!(value))).await;
        assert_eq!(fault(&answer), (409, "conflict".into(), json!(field)));
    }
    let elsewhere = admin.post("/api/users/", with("hospital_id", json!(1))).await;
    assert_eq!(elsewhere.refusal(), (404, "not_found".into()));
}

#[tokio::test]
async fn ten_times_the_same_new_user_at_once_are_one() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    let answers =
        futures_util::future::join_all((0..10).map(|_| admin.post("/api/users/", new(&hospital, "nia")))).await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn the_list_is_searched_narrowed_and_paged() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    let list = async |query: &str| admin.get(&format!("/api/users/{query}")).await.json();
    let names = |page: &Value| {
        let first = |user: &Value| user["first_name"].as_str().unwrap().to_string();
        page["results"].as_array().unwrap().iter().map(first).collect::<Vec<_>>()
    };
    let all = list("").await;
    assert_eq!(all["count"], 10, "deactivated users too");
    assert_eq!(all["results"][9]["time_zone"], "Asia/Kolkata");
    assert_eq!(names(&all)[0], "<img src=x onerror=alert(1)>", "by first name");
    assert_eq!(names(&list("?role=doctor").await), ["<img src=x onerror=alert(1)>", "Ann", "Bob", "Gil"]);
    assert_eq!(names(&list("?search=ann%20lee").await), ["Ann"]);
    assert_eq!(names(&list("?search=BOB@").await), ["Bob"]);
    assert_eq!(list("?search=%25").await["count"], 0, "a sign like any other");
    let page = list("?limit=2&offset=1").await;
    assert_eq!((names(&page), &page["count"]), (names(&all)[1..3].to_vec(), &json!(10)));
    assert_eq!(list("?offset=10").await["results"], json!([]));
    for (query, field) in [("?limit=0", "limit"), ("?limit=1e9", "limit"), ("?offset=x", "offset"), ("?role=x", "role")]
    {
        let answer = admin.get(&format!("/api/users/{query}")).await;
        assert_eq!(fault(&answer), (400, "invalid_request".into(), json!(field)), "{query}");
    }
}

#[tokio::test]
async fn a_change_is_shown_and_what_is_not_named_stays() {
    let hospital = Hospital::fresh(either());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboard = hospital.dashboard("").await;
    dashboard.json().await;
    let before = ann.get("/api/users/me/").await.json();
    let mut expected = before.clone();
    expected["last_name"] = json!("Li");
    expected["specialization"] = json!("Neurology");
    assert_eq!(
        edited(&admin, &before["id"], json!({"last_name": "Li", "specialization": "Neurology"})).await,
        expected
    );
    assert_eq!(ann.get("/api/users/me/").await.json(), expected, "and ann is still signed in");
    let snapshot = dashboard.json().await;
    assert!(snapshot["doctors"].to_string().contains("Neurology"), "{snapshot}");
    // Sent back as it was received.
    assert_eq!(edited(&admin, &before["id"], expected.clone()).await, expected);
    assert_eq!(ann.get("/api/users/me/").await.status, 200);
    let taken = admin.patch(&format!("/api/users/{}/", before["id"]), json!({"email": hospital.email("bob")})).await;
    assert_eq!(fault(&taken), (409, "conflict".into(), json!("email")));
}

/// The password is verified for a while, and in the meantime it may have become another one.
#[tokio::test]
async fn a_sign_in_that_began_before_a_change_opens_no_session_after_it() {
    let hospital = Hospital::fresh(either());
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let id = json!(ann.id());
    for round in 0..5 {
        let (old, new) = (format!("password number {round}"), format!("password number {}", round + 1));
        edited(&admin, &id, json!({"password": old})).await;
        let login = || hospital.login(json!({"email": hospital.email("ann"), "password": old}));
        let logins = futures_util::future::join_all((0..4).map(|_| login()));
        let (logins, _) = futures_util::future::join(logins, edited(&admin, &id, json!({"password": new}))).await;
        for login in logins.into_iter().filter(|login| login.status == 200) {
            let session = Session::of(either(), &login);
            assert_eq!(session.get("/api/users/me/").await.status, 401, "round {round}");
        }
    }
}

#[tokio::test]
async fn a_user_with_another_email_is_listed_and_disconnected_by_it() {
    let hospital = Hospital::fresh(either());
    let (admin, user) = (hospital.sign_in("admin").await, hospital.sign_in("user").await);
    let mut socket = hospital.connect("user").await;
    socket.text().await;
    edited(&admin, &json!(user.id()), json!({"email": hospital.email("una")})).await;
    let listed = admin.get("/api/hms/active-connections").await.json();
    assert_eq!(listed["active_connections"][0]["email"], hospital.email("una"));
    let path = format!("/api/hms/active-connections/{}", hospital.email("una"));
    assert_eq!(admin.delete(&path).await.json()["closed"], 1);
    assert_eq!(socket.closed().await.code, 4004);
}

#[tokio::test]
async fn the_count_is_of_the_users_that_are_found() {
    let hospital = Hospital::fresh(either());
    let admin = hospital.sign_in("admin").await;
    let mut zebra = new(&hospital, "zoe");
    zebra["specialization"] = json!("Zebras");
    let zoe = created(&admin, zebra).await;
    assert_eq!(admin.get("/api/users/?search=zebra").await.json()["count"], 1);
    edited(&admin, &zoe["id"], json!({"role": "user"})).await;
    assert_eq!(admin.get("/api/users/?search=zebra").await.json(), json!({"count": 0, "results": []}));
}
