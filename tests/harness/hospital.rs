//! Hospitals of the tests: each test takes a fresh one, so they run side by side on one server.

use std::{
    fmt::Write,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use rollcall_core::password;

use crate::{Answer, Follower, Server, Session, Socket, request};

/// The password of everybody in the tests, except those who say otherwise.
pub const PASSWORD: &str = "  correct horse ☤ battery staple  ";

/// The first hospital's id; below are those of the demo accounts.
const FIRST: i64 = 100;
const COUNT: i64 = 160;
const OF_LONG_NAMES: i64 = FIRST + COUNT;
const OF_AN_UNKNOWN_ZONE: i64 = OF_LONG_NAMES + 1;
const OF_SLOW_HASHES: i64 = OF_AN_UNKNOWN_ZONE + 1;

/// How many `active` and `inactive` people there are whose passwords cost what they cost in production.
pub const SLOW: usize = 6;

/// A hash of [`PASSWORD`] that costs next to nothing: the tests sign in hundreds of times. The cost stands in the hash.
const QUICK_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$AQEBAQEBAQEBAQEBAQEBAQ$aqfvkK6EIppzm6tJhcHYqTOarqLCCTXKlcaBj24Qaes";

/// A hospital with `admin` (and `admin2` to `admin5`), the doctors `ann`, `bob` and `eve` (whose name is an attack), `user`, and `gone`, who is
/// deactivated.
pub struct Hospital {
    /// Its id.
    pub id: i64,
    server: &'static Server,
}

impl Hospital {
    /// One that no other test has.
    pub fn fresh(server: &'static Server) -> Self {
        static NEXT: AtomicI64 = AtomicI64::new(FIRST + 1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(id < FIRST + COUNT, "too few hospitals for the tests");
        Self { id, server }
    }

    /// The one that no test gets otherwise; for a server that has it as its `DEFAULT_HOSPITAL`.
    pub fn of_its_own(server: &'static Server) -> Self {
        Self { id: FIRST, server }
    }

    /// The one where Ann's first name is 16 KiB long, so that her events are big.
    pub fn of_long_names(server: &'static Server) -> Self {
        Self { id: OF_LONG_NAMES, server }
    }

    /// The one whose time zone, `Mars/Olympus`, does not exist.
    pub fn of_an_unknown_zone(server: &'static Server) -> Self {
        Self { id: OF_AN_UNKNOWN_ZONE, server }
    }

    /// The one of people named `active0` and `inactive0` and so on, whose passwords cost what they cost in production.
    pub fn of_slow_hashes(server: &'static Server) -> Self {
        Self { id: OF_SLOW_HASHES, server }
    }

    /// The same one on another server.
    pub fn at(&self, server: &'static Server) -> Self {
        Self { id: self.id, server }
    }

    /// The email of one of its people.
    pub fn email(&self, name: &str) -> String {
        format!("{name}@h{}.example.com", self.id)
    }

    /// Signs one of its people in.
    pub async fn sign_in(&self, name: &str) -> Session {
        Session::open(self.server, &self.email(name), PASSWORD).await
    }

    /// A dashboard of its administrator.
    pub async fn dashboard(&self, query: &str) -> Socket {
        self.sign_in("admin").await.socket(&format!("/ws/doctor-status/{query}"), true).await
    }

    /// As many dashboards, ten for each of its administrators, that keep coming back.
    pub async fn followers(&self, count: usize) -> Vec<Follower> {
        let mut followers = Vec::with_capacity(count);
        for name in ["admin", "admin2", "admin3", "admin4", "admin5"].into_iter().take(count.div_ceil(10)) {
            let authorization = self.sign_in(name).await.authorization();
            let more = (count - followers.len()).min(10);
            followers.extend((0..more).map(|_| Follower::start(self.server, authorization.clone())));
        }
        for follower in &mut followers {
            follower.hears(0, Duration::from_secs(20)).await;
        }
        followers
    }

    /// A connection of one of its people; with a session where that is needed.
    pub async fn connect(&self, name: &str) -> Socket {
        self.connection(name, false).await
    }

    /// A connection of one of its people as our pages open it: it speaks `rollcall.v1`.
    pub async fn page(&self, name: &str) -> Socket {
        self.connection(name, true).await
    }

    async fn connection(&self, name: &str, v1: bool) -> Socket {
        let path = format!("/ws/connect/?email={}", self.email(name));
        if self.server.is_strict() {
            self.sign_in(name).await.socket(&path, v1).await
        } else {
            Socket::open(self.server, &path, &[], v1).await
        }
    }

    /// Tries a login.
    pub async fn login(&self, body: serde_json::Value) -> Answer {
        request(self.server, "POST", "/api/users/login/", &[], Some(body)).await
    }
}

/// The statements that create them.
pub(crate) fn sql() -> String {
    let hash = QUICK_HASH;
    let mut sql = String::new();
    for id in FIRST..=OF_AN_UNKNOWN_ZONE {
        // Half an hour off, and without summer time: what is shown in the hospital's zone is never what is in UTC.
        writeln!(sql, "INSERT INTO hospitals (id, name, time_zone) VALUES ({id}, 'Hospital {id}', 'Asia/Kolkata');")
            .unwrap();
        for (name, first, last, role, active) in [
            ("admin", "Alex", "Admin", "admin", 1),
            ("admin2", "Alma", "Admin", "admin", 1),
            ("admin3", "Amir", "Admin", "admin", 1),
            ("admin4", "Anja", "Admin", "admin", 1),
            ("admin5", "Aziz", "Admin", "admin", 1),
            ("bob", "Bob", "Ray", "doctor", 1),
            ("ann", "Ann", "Lee", "doctor", 1),
            ("eve", "<img src=x onerror=alert(1)>", "O''Neil", "doctor", 1),
            ("user", "Una", "User", "user", 1),
            ("gone", "Gil", "Gone", "doctor", 0),
        ] {
            writeln!(
                sql,
                "INSERT INTO users (hospital_id, email, username, first_name, last_name, role, is_active, password_hash)
                 VALUES ({id}, '{name}@h{id}.example.com', '{name}{id}', '{first}', '{last}', '{role}', {active}, '{hash}');"
            )
            .unwrap();
        }
        writeln!(
            sql,
            "INSERT INTO doctors (user_id, consultation_hours, specialization)
             SELECT id, '09:00-17:00', 'Cardiology' FROM users WHERE hospital_id = {id} AND role = 'doctor';"
        )
        .unwrap();
    }
    writeln!(sql, "UPDATE hospitals SET time_zone = 'Mars/Olympus' WHERE id = {OF_AN_UNKNOWN_ZONE};").unwrap();
    let slow = password::hash(PASSWORD, [1; password::SALT_BYTES]).unwrap();
    writeln!(sql, "INSERT INTO hospitals (id, name, time_zone) VALUES ({OF_SLOW_HASHES}, 'Slow', 'UTC');").unwrap();
    for (name, active) in (0..SLOW).flat_map(|n| [(format!("active{n}"), 1), (format!("inactive{n}"), 0)]) {
        writeln!(
            sql,
            "INSERT INTO users (hospital_id, email, username, role, is_active, password_hash)
             VALUES ({OF_SLOW_HASHES}, '{name}@h{OF_SLOW_HASHES}.example.com', '{name}', 'user', {active}, '{slow}');"
        )
        .unwrap();
    }
    let long = "A".repeat(16 * 1024);
    writeln!(sql, "UPDATE users SET first_name = '{long}' WHERE username = 'ann{OF_LONG_NAMES}';").unwrap();
    sql
}
