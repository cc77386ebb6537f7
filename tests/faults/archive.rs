//! The archive: D1 is locked, or a flight to it fails.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use rollcall_tests::{Answer, Follower, Hospital, PASSWORD, Server, Session, request_from};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    CARRIED_OVER, PATIENCE, RECOVERY, WATCH, arm, as_heard, audit, connections_lost, faulty_for_archive, fragile,
    insist, is_signed_out, is_unavailable, report, scaled, state_equals_history, struck,
};

/// A room asks D1 again a minute after it had no answer, at most; and then it has a lot to tell.
const CARRIED_OVER_AFTERWARDS: Duration = Duration::from_secs(90);

/// A doctor who comes and goes at this pace until `stop`; how often. Each call is answered with success.
async fn come_and_go(doctor: &Session, stop: &AtomicBool) -> usize {
    let mut calls = 0;
    while !stop.load(Ordering::Relaxed) {
        let called = Instant::now();
        let changed = if calls % 2 == 0 { doctor.go_live().await } else { doctor.leave().await };
        assert_eq!(changed["changed"], true);
        assert!(called.elapsed() < PATIENCE);
        calls += 1;
        sleep(Duration::from_millis(100)).await;
    }
    calls
}

/// What else happens in the hospital, once a second.
struct Day<'a> {
    server: &'static Server,
    hospital: &'a Hospital,
    admin: &'a Session,
    /// Their user is edited and reset.
    user: &'a Session,
    /// Sessions to be ended.
    to_end: Vec<Session>,
    /// How many requests were answered, by their kind.
    done: BTreeMap<&'static str, usize>,
}

impl Day<'_> {
    fn count(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }

    /// Makes the requests that the room answers alone.
    async fn of_the_room(&mut self, latest: u64) {
        for query in [String::new(), format!("?since={latest}")] {
            let first = self.admin.socket(&format!("{WATCH}{query}"), true).await.json().await;
            assert!(first["type"] == "snapshot" || first["seq"].as_u64() >= Some(latest), "{first}");
            self.count("joins");
        }
        for path in [
            "/api/users/me/",
            "/api/users/online-doctors/",
            "/api/users/",
            "/api/events/?limit=10",
            "/api/hms/active-connections",
            "/metrics",
        ] {
            let answer = self.admin.get(path).await;
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            self.count("reads");
        }
        if let Some(session) = self.to_end.pop() {
            assert_eq!(session.post_nothing("/api/users/logout/").await.status, 204);
            is_signed_out(&session).await;
            self.count("sign-outs");
        }
    }

    /// Makes the requests that need D1, from another address each time: nobody is throttled.
    async fn of_the_database(&mut self, attempt: usize) -> [Answer; 4] {
        let id = self.user.id();
        let body = json!({"email": self.hospital.email("bob"), "password": PASSWORD});
        let address = format!("203.0.113.{}", 1 + attempt % 250);
        let new = json!({"email": self.hospital.email("nia"), "role": "user", "password": PASSWORD});
        [
            request_from(self.server, &address, "POST", "/api/users/login/", Some(body)).await,
            self.admin.patch(&format!("/api/users/{id}/"), json!({"last_name": "Roe"})).await,
            self.admin.post_nothing(&format!("/api/users/{id}/reset-password/")).await,
            self.admin.post("/api/users/", new).await,
        ]
    }
}

#[tokio::test]
async fn a_database_that_is_locked_for_two_minutes_stops_no_board() {
    let (server, _turn) = fragile().await;
    let hospital = Hospital::fresh(server);
    let (admin, watcher, user) =
        (hospital.sign_in("admin").await, hospital.sign_in("admin2").await, hospital.sign_in("user").await);
    let doctors = join_all(["ann", "bob", "eve"].map(|name| hospital.sign_in(name))).await;
    let mut dashboards: Vec<_> = (0..5).map(|_| Follower::start(server, watcher.authorization())).collect();
    for dashboard in &mut dashboards {
        dashboard.hears(0, RECOVERY).await;
    }
    let to_end = join_all((0..scaled(4, 20)).map(|_| hospital.sign_in("admin3"))).await;
    let mut day = Day { server, hospital: &hospital, admin: &admin, user: &user, to_end, done: BTreeMap::new() };

    // The burst has begun by then, so that the lock comes in its middle.
    let stop = AtomicBool::new(false);
    let burst = async { join_all(doctors.iter().map(|doctor| come_and_go(doctor, &stop))).await };
    let away = Duration::from_secs(scaled(20, 120) as u64);
    let while_locked = async {
        sleep(Duration::from_millis(1_500)).await;
        let database = server.database();
        database.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let (began, mut attempt) = (Instant::now(), 0);
        while began.elapsed() < away {
            let latest = dashboards[0].notes().events.len() as u64;
            day.of_the_room(latest).await;
            if attempt % 5 == 0 {
                day.of_the_database(attempt).await.iter().for_each(is_unavailable);
            }
            attempt += 1;
            sleep(Duration::from_millis(700)).await;
        }
        stop.store(true, Ordering::Relaxed);
        database.execute_batch("COMMIT").unwrap();
        drop(database);
        Instant::now()
    };
    let (calls, unlocked) = join(burst, while_locked).await;
    let calls: usize = calls.iter().sum();

    server.archive_catches_up(hospital.id, CARRIED_OVER_AFTERWARDS).await;
    let carried_over = unlocked.elapsed();
    let events = audit(&admin).await;
    assert_eq!(events.len(), calls, "each call is an event");
    for dashboard in &mut dashboards {
        dashboard.hears(calls as u64, RECOVERY).await;
        let notes = dashboard.notes();
        assert_eq!((notes.gaps, notes.lost), (0, 0));
        assert!(notes.events.iter().cloned().eq(events.iter().cloned().map(as_heard)));
    }
    for doctor in &doctors {
        state_equals_history(doctor, &events).await;
    }
    afterwards(&mut day).await;
    let done = day.done;
    server.stop_and_compare_archive(hospital.id);
    server.restart();
    report(
        4,
        "a_database_that_is_locked_for_two_minutes_stops_no_board",
        format!(
            "exclusive lock on D1's file for {} s: {calls} state calls, {} joins, {} reads, {} sign-outs meanwhile, none \
             refused; sign-ins and changes of users 503; D1 has everything {:.1} s after the lock",
            away.as_secs(),
            done["joins"],
            done["reads"],
            done["sign-outs"],
            carried_over.as_secs_f64()
        ),
        "nothing: D1's copy of the log = the room's, row by row",
    );
}

/// Repeats the refused requests until they work.
async fn afterwards(day: &mut Day<'_>) {
    let began = Instant::now();
    for attempt in 100.. {
        let answers = day.of_the_database(attempt).await;
        let statuses = answers.each_ref().map(|answer| answer.status);
        if statuses[..3] == [200; 3] && [201, 409].contains(&statuses[3]) {
            return;
        }
        assert!(began.elapsed() < CARRIED_OVER_AFTERWARDS, "{answers:?}");
        sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn a_grace_that_runs_out_while_the_database_is_locked_is_one_logout_in_time() {
    let (server, _turn) = fragile().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboard = Follower::start(server, admin.authorization());
    let mut socket = hospital.connect("ann").await;
    socket.json().await;
    ann.go_live().await;
    dashboard.hears(1, RECOVERY).await;
    server.archive_catches_up(hospital.id, CARRIED_OVER).await;
    let database = server.database();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    drop(socket);
    let dropped = Instant::now();
    dashboard.hears(2, PATIENCE).await;
    let took = dropped.elapsed();
    database.execute_batch("COMMIT").unwrap();
    drop(database);
    assert!(took > Duration::from_secs(4), "{took:?}");
    server.archive_catches_up(hospital.id, CARRIED_OVER_AFTERWARDS).await;
    let events = audit(&admin).await;
    assert_eq!((events.len(), connections_lost(&events)), (2, 1));
    report(
        4,
        "a_grace_that_runs_out_while_the_database_is_locked_is_one_logout_in_time",
        format!(
            "the lock is held while a doctor's grace of 5 s runs out: logged out {:.1} s after the socket went",
            took.as_secs_f64()
        ),
        "nothing: one logout",
    );
}

#[tokio::test]
async fn a_flight_that_fails_is_repeated_and_archives_nothing_twice() {
    let (server, _turn) = faulty_for_archive().await;
    let mut done = Vec::new();
    for point in ["flight", "landed"] {
        for fault in ["error", "panic", "hang"] {
            let hospital = Hospital::fresh(server);
            let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
            let mut dashboard = Follower::start(server, admin.authorization());
            dashboard.hears(0, RECOVERY).await;
            arm(server, &hospital, &format!("{point}/{fault}")).await;
            let began = Instant::now();
            ann.go_live().await;
            struck(server).await;
            // The log has gone on since the flight that failed.
            insist(&ann, "/api/users/logout-status/").await;
            dashboard.hears(2, RECOVERY).await;
            server.archive_catches_up(hospital.id, CARRIED_OVER_AFTERWARDS).await;
            done.push(format!("{point}/{fault}: {:.1} s", began.elapsed().as_secs_f64()));
            assert_eq!(server.archived_events(hospital.id), server.logged_events(hospital.id), "{point}/{fault}");
            let events: Vec<Value> = audit(&admin).await.into_iter().map(as_heard).collect();
            assert_eq!((dashboard.notes().events, dashboard.notes().gaps), (events, 0), "{point}/{fault}");
        }
    }
    report(
        21,
        "a_flight_that_fails_is_repeated_and_archives_nothing_twice",
        format!(
            "a flight of the archive meets a fault before D1 is asked (flight), or D1's answer is lost (landed); D1 has \
             everything after {}",
            done.join(", ")
        ),
        "nothing: D1's copy of the log = the room's, row by row; calls and dashboards wait for nothing",
    );
}
