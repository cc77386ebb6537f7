//! `migrations/`, on a database that was in use before them

use rollcall_tests::rows;
use rusqlite::{Connection, types::Value};

/// Applies the migrations whose numbers `which` names.
fn migrate(database: &Connection, which: std::ops::RangeInclusive<usize>) {
    let directory = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations")).unwrap();
    let mut files: Vec<_> = directory.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in &files[which.start() - 1..*which.end()] {
        database.execute_batch(&std::fs::read_to_string(file).unwrap()).unwrap();
    }
}

#[test]
fn since_when_a_doctor_is_on_duty_is_known_of_the_time_before_it_was_stored() {
    let database = Connection::open_in_memory().unwrap();
    migrate(&database, 1..=2);
    let mut sql = String::from("INSERT INTO hospitals (id, name) VALUES (1, 'One'), (2, 'Two');");
    for (id, hospital_id) in [(1, 1), (2, 1), (3, 2), (4, 2)] {
        sql.push_str(&format!(
            "INSERT INTO users (id, hospital_id, email, username, role, password_hash)
             VALUES ({id}, {hospital_id}, '{id}@x', '{id}', 'doctor', '');
             INSERT INTO doctors (user_id) VALUES ({id});"
        ));
    }
    // The clock was set back before the third event of the second doctor: the last one is by seq, not by time.
    for (hospital_id, seq, at_ms, action, doctor_id) in [
        (1, 1, 100, "login", 1),
        (1, 2, 200, "availability", 1),
        (1, 3, 300, "login", 2),
        (1, 4, 250, "logout", 2),
        (2, 1, 900, "availability", 3),
    ] {
        sql.push_str(&format!(
            "INSERT INTO events VALUES ({hospital_id}, {seq}, {at_ms}, 0, '{action}', NULL, NULL, {doctor_id},
               '', '', '', 0, 0, '', '', '');"
        ));
    }
    database.execute_batch(&sql).unwrap();
    migrate(&database, 3..=3);
    let mut statement = database.prepare("SELECT live_changed_ms FROM doctors ORDER BY user_id").unwrap();
    let since: Vec<Option<i64>> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(since, [Some(100), Some(250), None, None]);
}

/// Asked with every sign-in: it must not read every user.
#[test]
fn whether_anybody_has_a_password_of_django_is_looked_up_in_an_index() {
    let database = Connection::open_in_memory().unwrap();
    migrate(&database, 1..=4);
    let sql = "EXPLAIN QUERY PLAN SELECT id FROM users WHERE is_active = 1 AND password_hash LIKE 'pbkdf2%' LIMIT 1";
    let plan: String = database.query_row(sql, [], |row| row.get("detail")).unwrap();
    assert_eq!(plan, "SCAN users USING INDEX users_with_imported_passwords");
}

#[test]
fn a_token_that_1_0_imported_is_known_and_ended() {
    let database = Connection::open_in_memory().unwrap();
    migrate(&database, 1..=5);
    let filled = "INSERT INTO hospitals (id, name) VALUES (1, 'One');
        INSERT INTO users (id, hospital_id, email, username, role, password_hash) VALUES (1, 1, '1@x', '1', 'user', '');
        INSERT INTO sessions (token_sha256, user_id, user_agent, created_ms, expires_ms, revoked_ms)
        VALUES ('of Django', 1, 'Django', 1, 2, NULL), ('revoked', 1, 'Django', 1, 2, 3), ('ours', 1, 'Firefox', 1, 2, NULL);";
    database.execute_batch(filled).unwrap();
    migrate(&database, 6..=6);
    let known = rows(&database, "SELECT token_sha256, ended_ms IS NOT NULL FROM imported_tokens ORDER BY 1");
    let ended = |digest: &str| vec![Value::Text(digest.into()), Value::Integer(1)];
    assert_eq!(known, [ended("of Django"), ended("revoked")]);
}
