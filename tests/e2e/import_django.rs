//! `cargo xtask import-django`, of a dump that a Django application made: the one in `tests/django`

use std::{
    fs,
    path::PathBuf,
    process::Command,
    sync::OnceLock,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::Client;
use rollcall_tests::{Answer, Server, Session, keep_out_of_logs, request, request_from, rows};
use rusqlite::{Row, types};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

/// The password of everybody in the application.
const PASSWORD: &str = " the ☤ password in Django ";
const NEW: &str = "another password, chosen in Rollcall";

/// No refusal is faster, for as long as there is a password that Django stored.
const REFUSAL_TIME: Duration = Duration::from_secs(3);

/// A Django application with 1,000 users who can be imported, and three who cannot.
struct Django(TempDir);

impl Django {
    fn with_users() -> Self {
        keep_out_of_logs(PASSWORD);
        keep_out_of_logs(NEW);
        let django = Self(TempDir::new().unwrap());
        django.python(&["manage.py", "migrate", "--verbosity", "0"]);
        django.python(&["fill.py", PASSWORD]);
        django
    }

    fn python(&self, arguments: &[&str]) {
        let Some(python) = std::env::var_os("ROLLCALL_DJANGO") else {
            panic!("ROLLCALL_DJANGO must name a Python with the packages of tests/django; `cargo xtask test` does");
        };
        let output = Command::new(python)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/django"))
            .env("DATABASE_PATH", self.0.path().join("db.sqlite3"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Does something in the application.
    fn change(&self, program: &str) {
        let users = "from hms.models import CustomUser; users = CustomUser.objects.filter";
        self.python(&["manage.py", "shell", "--no-imports", "--command", &format!("{users}\n{program}")]);
    }

    /// The command of `docs/migrate.md`.
    fn dump(&self) -> String {
        let file = self.dumped().to_str().unwrap().to_string();
        self.python(&["manage.py", "dumpdata", "hms.CustomUser", "authtoken.Token", "--output", &file]);
        file
    }

    fn dumped(&self) -> PathBuf {
        self.0.path().join("dump.json")
    }

    /// The `Authorization` of a client that signed in to the application.
    fn authorization(&self, user_id: i64) -> String {
        let rows: Vec<Value> = serde_json::from_str(&fs::read_to_string(self.dumped()).unwrap()).unwrap();
        let is_theirs = |row: &&Value| row["model"] == "authtoken.token" && row["fields"]["user"] == user_id;
        let key = rows.iter().find(is_theirs).unwrap()["pk"].as_str().unwrap();
        assert_eq!(key.len(), 40);
        keep_out_of_logs(key);
        format!("Token {key}")
    }
}

fn email(user_id: i64) -> String {
    format!("user{user_id}@example.com")
}

/// What is stored of somebody, without what a sign-in changes.
fn stored(server: &Server, user_id: i64) -> String {
    let sql = "SELECT json_array(hospital_id, email, username, first_name, last_name, role, is_active,
                      consultation_hours, specialization, is_available_for_consultation, is_live)
               FROM users LEFT JOIN doctors d ON d.user_id = id WHERE id = ?1";
    server.database().query_row(sql, [user_id], |row| row.get(0)).unwrap()
}

fn password_hash(server: &Server, user_id: i64) -> String {
    let hash = |row: &Row| row.get(0);
    server.database().query_row("SELECT password_hash FROM users WHERE id = ?1", [user_id], hash).unwrap()
}

/// Waits until D1 has a doctor on duty.
async fn archived(server: &Server, user_id: i64) {
    let (began, sql) = (Instant::now(), format!("SELECT is_live FROM doctors WHERE user_id = {user_id}"));
    while rows(&server.database(), &sql) != [[types::Value::Integer(1)]] {
        assert!(began.elapsed() < Duration::from_secs(10), "D1 does not have doctor {user_id} on duty");
        sleep(Duration::from_millis(100)).await;
    }
}

/// The line that was printed about it.
fn line<'a>(report: &'a str, about: &str) -> &'a str {
    report.lines().find(|line| line.contains(&format!(" {about}: "))).unwrap_or_else(|| panic!("{about}:\n{report}"))
}

async fn tried(server: &Server, address: &str, email: &str, password: &str) -> (u16, String, Duration) {
    let began = Instant::now();
    let body = json!({"email": email, "password": password});
    let answer = request_from(server, address, "POST", "/api/users/login/", Some(body)).await;
    (answer.status, answer.text, began.elapsed())
}

/// Signs in from eight places at once, on connections that are open already, so that they do come at once.
async fn at_once(client: &Client, server: &Server, user_id: i64) -> Vec<u16> {
    join_all((0..8).map(|_| client.get(format!("{}/healthz", server.address)).send())).await;
    let tries = (0..8).map(|place| {
        let request = client.post(format!("{}/api/users/login/", server.address));
        let request = request.header("cf-connecting-ip", format!("203.0.113.{}", 100 + place));
        Answer::of(request.json(&json!({"email": email(user_id), "password": PASSWORD})))
    });
    join_all(tries).await.iter().map(|answer| answer.status).collect()
}

/// One story, because each of its steps takes a while: the move of a hospital from Django.
#[tokio::test]
async fn a_django_application_moves_with_its_users_passwords_and_tokens() {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let django = Django::with_users();
    let dump = django.dump();
    let (mut good, mut report) = (true, String::new());
    let server = SERVER.get_or_init(|| {
        Server::in_production_after(|server| {
            (good, report) = server.import_django(&[&dump, "--time-zone", "Asia/Kolkata"])
        })
    });

    // Every row is told of, and those that cannot be imported hold up no other.
    assert!(!good);
    for (about, told) in [
        ("hospital 1", "imported  hospital 1: General Hospital"),
        ("user 1", "imported  user 1: admin, hospital 1; its role is none of ours, so it is admin"),
        ("user 2", "imported  user 2: doctor, hospital 1"),
        ("user 6", "imported  user 6: doctor, hospital 1; it has no password: an administrator has to reset it"),
        ("user 1001", "refused   user 1001: email: it is that of user 8"),
        ("user 1002", "refused   user 1002: email: Enter a valid email address."),
        ("token of user 5", "unchanged token of user 5: its user is deactivated"),
        ("token of user 1001", "refused   token of user 1001: its user is not there"),
    ] {
        assert_eq!(line(&report, about), told);
    }
    assert!(report.ends_with(
        "users: 1000 imported, 0 changed, 0 unchanged, 3 refused\ntokens: 5 imported, 0 changed, 1 unchanged, 1 refused\n"
    ));

    // A refusal tells nobody whose password Django stored, nor who there is.
    let refusals =
        [(email(3), "wrong"), ("nobody@example.com".into(), PASSWORD), (email(5), PASSWORD), (email(6), PASSWORD)];
    let refusals = refusals.iter().map(|(email, password)| tried(server, "203.0.113.1", email, password));
    let refusals = join_all(refusals).await;
    for (status, text, took) in &refusals {
        assert_eq!((*status, text), (401, &refusals[0].1));
        assert!(*took >= REFUSAL_TIME && *took < 2 * REFUSAL_TIME, "{took:?}");
    }

    // Three sign in with their old passwords, as costly as Django makes them; after that they are stored as ours are.
    assert!([1, 2].iter().all(|user_id| password_hash(server, *user_id).starts_with("pbkdf2_sha256$1000000$")));
    for user_id in [1, 2, 3] {
        let user = Session::open(server, &email(user_id), PASSWORD).await.user;
        assert_eq!((user.id.get(), user.email, user.hospital_id.get()), (user_id, email(user_id), 1));
        assert_eq!(user.time_zone, "Asia/Kolkata");
        assert!(password_hash(server, user_id).starts_with("$argon2id$"));
        Session::open(server, &email(user_id), PASSWORD).await;
    }
    // Of sign-ins at once one replaces the hash, and the others do not notice.
    let client = Client::new();
    for user_id in 20..24 {
        assert_eq!(at_once(&client, server, user_id).await, [200; 8]);
    }

    // A client that was signed in stays so, for as long as any session lasts.
    let as_doctor = [("authorization", &*django.authorization(9))];
    let me = request(server, "GET", "/api/users/me/", &as_doctor, None).await.json();
    assert_eq!(
        (&me["id"], &me["is_live"], &me["consultation_hours"]),
        (&json!(9), &json!(false), &json!("09:00-17:00"))
    );
    let session = request(server, "GET", "/api/users/sessions/", &as_doctor, None).await.json()["sessions"][0].clone();
    let time = |name: &str| session[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert_eq!(
        (&session["user_agent"], time("expires_at") - time("created_at")),
        (&json!("Django"), chrono::TimeDelta::hours(10))
    );
    let came = request(server, "POST", "/api/users/login-status/", &as_doctor, None).await.json();
    assert_eq!((&came["changed"], &came["seq"]), (&json!(true), &json!(1)));
    // A password that Django stored can be changed, and a session that it began can be ended.
    let as_eighth = [("authorization", &*django.authorization(8))];
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    assert_eq!(request(server, "POST", "/api/users/password/", &as_eighth, Some(body)).await.status, 200);
    let admin = Session::open(server, &email(1), PASSWORD).await;
    let added = json!({"email": "new@example.com", "role": "doctor", "password": NEW});
    assert_eq!(admin.post("/api/users/", added).await.json()["id"], 1001, "above those of Django");
    let edited = admin.patch("/api/users/11/", json!({"first_name": "Edited"})).await;
    assert_eq!((edited.status, edited.json()["last_name"].as_str()), (200, Some("Last11")));
    let as_third = [("authorization", &*django.authorization(3))];
    assert_eq!(request(server, "POST", "/api/users/logout/", &as_third, None).await.status, 204);

    // Django goes on meanwhile. D1 has what the room recorded before the runtime is stopped.
    archived(server, 9).await;
    server.stop();
    django.change(
        "users(pk__in=[2, 11, 12]).update(first_name='Changed')
users(pk=17).update(is_available_for_consultation=True)
users(pk=15).update(is_active=False)
users(pk=9).update(role='user')
user = users(pk=13).get(); user.set_password('changed'); user.save()",
    );
    let tokens = |server: &Server| rows(&server.database(), "SELECT * FROM imported_tokens ORDER BY token_sha256");
    let before: Vec<String> = (1..=1001).map(|id| stored(server, id)).collect();
    let (before_hashes, before_tokens) = ([2, 3, 8, 11].map(|id| password_hash(server, id)), tokens(server));
    let (_, again) = server.import_django(&[&django.dump()]);
    for (about, told) in [
        ("user 2", "changed   user 2: first_name"),
        ("user 9", "refused   user 9: role: cannot change while the doctor is on duty"),
        ("user 11", "unchanged user 11: edited in Rollcall since it was imported"),
        ("user 12", "changed   user 12: first_name"),
        ("user 13", "changed   user 13: password"),
        ("user 14", "unchanged user 14: as it was imported"),
        ("user 17", "changed   user 17: is_available_for_consultation"),
        ("user 15", "changed   user 15: is_active"),
        ("user 1001", "refused   user 1001: somebody else has that id"),
        ("token of user 3", "unchanged token of user 3: it was imported before"),
    ] {
        assert_eq!(line(&again, about), told);
    }
    assert!(again.contains("users: 0 imported, 5 changed, 994 unchanged, 4 refused\n"), "{again}");
    assert!(again.contains("tokens: 0 imported, "), "{again}");
    let changed: Vec<i64> = (1..=1001).filter(|id| stored(server, *id) != before[*id as usize - 1]).collect();
    assert_eq!(changed, [2, 12, 15, 17]);
    assert!(stored(server, 12).contains("Changed") && stored(server, 11).contains("Edited"));
    assert!(stored(server, 2).contains(r#"O'Neil'); DROP TABLE users; -- \\ /* $$ ☤"#), "{}", stored(server, 2));
    assert_eq!([2, 3, 8, 11].map(|id| password_hash(server, id)), before_hashes);
    assert_eq!(tokens(server), before_tokens, "none is taken again");

    server.restart();
    let changed = [email(8), email(13)];
    let refused = join_all(changed.iter().map(|email| tried(server, "203.0.113.4", email, PASSWORD))).await;
    assert!(refused.iter().all(|(status, ..)| *status == 401), "{refused:?}");
    assert_eq!(Session::open(server, &email(13), "changed").await.id(), 13);
    assert_eq!(tried(server, "203.0.113.4", &email(8), NEW).await.0, 200);
    assert_eq!(request(server, "GET", "/api/users/me/", &as_third, None).await.refusal().1, "invalid_token");
    let me = request(server, "GET", "/api/users/me/", &as_doctor, None).await.json();
    assert_eq!((&me["role"], &me["is_live"]), (&json!("doctor"), &json!(true)));

    // Once more, while the room is awake: it notices with the next flight of its archive.
    let admin = Session::open(server, &email(1), PASSWORD).await;
    let eighteenth = Session::open(server, &email(18), PASSWORD).await;
    let mut dashboard = admin.socket("/ws/doctor-status/", true).await;
    dashboard.json().await;
    django.change("users(pk=14).update(first_name='Awake')\nusers(pk=16).update(is_active=False)");
    let (_, report) = server.import_django(&[&django.dump()]);
    assert_eq!(line(&report, "user 14"), "changed   user 14: first_name");
    assert_eq!(line(&report, "user 16"), "changed   user 16: is_active");
    eighteenth.go_live().await;
    let began = Instant::now();
    let snapshot = loop {
        let message = dashboard.json().await;
        if message["type"] == "snapshot" {
            break message;
        }
    };
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let doctors = snapshot["doctors"].as_array().unwrap();
    let name = |id: i64| doctors.iter().find(|doctor| doctor["id"] == id).map(|doctor| doctor["first_name"].clone());
    assert_eq!((name(14), name(16)), (Some(json!("Awake")), None));
    // Or when somebody signs in whom it does not know as they are now.
    django.change("users(pk=19).update(first_name='Signed in')");
    server.import_django(&[&django.dump()]);
    let nineteenth = Session::open(server, &email(19), PASSWORD).await;
    assert_eq!(nineteenth.user.first_name, "Signed in");
    assert_eq!(nineteenth.get("/api/users/me/").await.json()["first_name"], "Signed in");
}
