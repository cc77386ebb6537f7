//! The runtime is killed, or replaced.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::Client;
use rollcall_tests::{Build, Follower, Hospital, Notes, Server, Session};
use serde_json::Value;
use tokio::{task::JoinHandle, time::sleep};

use crate::{CARRIED_OVER, as_heard, audit, connections_lost, counts, fragile, report, scaled, state_equals_history};

const RECOVERY: Duration = Duration::from_secs(20);

/// What was acknowledged: the events' doctor and action, by seq.
type Acknowledged = Arc<Mutex<BTreeMap<u64, (Value, &'static str)>>>;

/// A doctor who comes and goes as fast as the server answers, and does not mind if it does not.
fn come_and_go(doctor: Session, acknowledged: Acknowledged, stop: Arc<AtomicBool>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let client = Client::new();
        for action in ["login", "logout"].into_iter().cycle() {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            match doctor.try_post(&client, &format!("/api/users/{action}-status/")).await {
                Ok(answer) if answer.status == 200 => {
                    let answer = answer.json();
                    if answer["changed"] == true {
                        let (seq, doctor_id) = (answer["seq"].as_u64().unwrap(), answer["doctor"]["id"].clone());
                        acknowledged.lock().unwrap().insert(seq, (doctor_id, action));
                    }
                }
                Ok(_) | Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    })
}

/// Compares what was acknowledged and what was heard with the history.
fn compare(acknowledged: &Acknowledged, heard: &[Notes], audit: &[Value]) {
    for (seq, (doctor_id, action)) in acknowledged.lock().unwrap().iter() {
        let event = &audit[usize::try_from(*seq).unwrap() - 1];
        assert_eq!(
            (&event["doctor_id"], event["action"].as_str()),
            (doctor_id, Some(*action)),
            "{seq} was acknowledged"
        );
    }
    let audit: Vec<Value> = audit.iter().cloned().map(as_heard).collect();
    for (at, event) in audit.iter().enumerate() {
        assert_eq!(event["seq"], at + 1, "a gap in the history");
    }
    for notes in heard {
        assert_eq!((notes.gaps, notes.lost), (0, 0));
        assert!(notes.events == audit, "a dashboard's log is not the history");
    }
}

/// Kills the runtime while doctors come and go before 50 dashboards, again and again, and compares what is left.
#[tokio::test]
async fn a_killed_runtime_loses_nothing_it_acknowledged() {
    let (server, _turn) = fragile().await;
    let rounds = scaled(3, 30);
    let hospital = Hospital::fresh(server);
    let admin = hospital.sign_in("admin").await;
    let doctors = join_all(["ann", "bob", "eve"].map(|name| hospital.sign_in(name))).await;
    let mut dashboards = hospital.followers(50).await;

    let acknowledged = Acknowledged::default();
    for round in 0..rounds {
        for dashboard in &dashboards {
            dashboard.has_resumed(round, RECOVERY).await;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let calls: Vec<_> = doctors
            .iter()
            .map(|doctor| come_and_go(doctor.clone(), Arc::clone(&acknowledged), Arc::clone(&stop)))
            .collect();
        // At another point of the burst each time.
        sleep(Duration::from_millis(500 + 137 * (round as u64 % 11))).await;
        server.kill();
        stop.store(true, Ordering::Relaxed);
        join_all(calls).await;
        server.restart();
    }
    let events = audit(&admin).await;
    let latest = events.len() as u64;
    for dashboard in &mut dashboards {
        dashboard.hears(latest, RECOVERY).await;
    }
    let heard: Vec<_> = dashboards.iter().map(Follower::notes).collect();
    compare(&acknowledged, &heard, &events);
    for doctor in &doctors {
        state_equals_history(doctor, &events).await;
    }
    let acknowledged = acknowledged.lock().unwrap().len();
    let repeated: usize = heard.iter().map(|notes| notes.repeated).sum();
    assert!(acknowledged > rounds * 5, "a burst is more than {acknowledged} events in {rounds} rounds");
    let caught_up = server.archive_catches_up(hospital.id, CARRIED_OVER).await;
    drop(dashboards);
    server.stop_and_compare_archive(hospital.id);
    server.restart();
    report(
        1,
        "a_killed_runtime_loses_nothing_it_acknowledged",
        format!(
            "{rounds} × `kill -9` in a burst, 50 dashboards: {latest} events, {acknowledged} of them acknowledged, {repeated} \
             heard twice; D1 has them all {:.1} s later",
            caught_up.as_secs_f64()
        ),
        "0 acknowledged events, 0 gaps, 0 duplicates after de-duplication; audit = every dashboard's log = D1's copy, row by \
         row",
    );
}

#[tokio::test]
async fn a_restart_does_not_keep_a_doctor_on_duty_for_ever() {
    let (server, _turn) = fragile().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann, bob) =
        (hospital.sign_in("admin").await, hospital.sign_in("ann").await, hospital.sign_in("bob").await);
    ann.go_live().await;
    bob.go_live().await;
    // The alarm of those calls has rung by then.
    sleep(Duration::from_secs(2)).await;
    let mut connections = vec![hospital.connect("ann").await, hospital.connect("bob").await];
    for connection in &mut connections {
        connection.json().await;
    }
    server.kill();
    drop(connections);
    server.restart();
    let restarted = Instant::now();
    let back = hospital.connect("bob").await;
    let events = loop {
        let events = audit(&admin).await;
        if connections_lost(&events) > 0 {
            break events;
        }
        assert!(restarted.elapsed() < Duration::from_secs(25), "still on duty");
        sleep(Duration::from_millis(200)).await;
    };
    let after = restarted.elapsed();
    sleep(Duration::from_secs(6)).await;
    assert_eq!(audit(&admin).await, events, "one logout, and no other");
    assert_eq!(connections_lost(&events), 1);
    let lost = events.last().unwrap();
    assert_eq!((&lost["doctor_id"], &lost["action"]), (&ann.id().into(), &"logout".into()));
    assert_eq!(lost["actor_id"], Value::Null);
    drop(back);
    report(
        10,
        "a_restart_does_not_keep_a_doctor_on_duty_for_ever",
        "two doctors on duty, runtime killed and restarted, one comes back; grace 5 s".into(),
        &format!("nothing: one logout, `connection_lost`, {:.0} s after the restart", after.as_secs_f64()),
    );
}

#[tokio::test]
async fn two_thousand_dashboards_come_back_at_once() {
    let (server, _turn) = fragile().await;
    // `DEFAULT_HOSPITAL`: dashboards without a session.
    let hospital = Hospital::of_its_own(server);
    let ann = hospital.sign_in("ann").await;
    let count = scaled(300, 2000);
    let mut dashboards: Vec<_> = (0..count).map(|_| Follower::start(server, String::new())).collect();
    for dashboard in &mut dashboards {
        dashboard.hears(0, RECOVERY).await;
    }
    ann.go_live().await;
    for dashboard in &mut dashboards {
        dashboard.hears(1, RECOVERY).await;
    }
    server.kill();
    server.restart_build(Build::Faults);
    let back = Instant::now();
    let doctor = hospital.sign_in("ann").await;
    doctor.leave().await;
    for dashboard in &mut dashboards {
        dashboard.hears(2, Duration::from_secs(60)).await;
    }
    let took = back.elapsed();
    // Each of them watches now, not only caught up.
    doctor.go_live().await;
    for dashboard in &mut dashboards {
        dashboard.hears(3, RECOVERY).await;
    }
    let queries = counts(server).await.queries;
    for notes in dashboards.iter().map(Follower::notes) {
        assert_eq!((notes.gaps, notes.lost, notes.events.len()), (0, 0, 3));
    }
    // A sign-in, and flights of three events. The room wakes with what it has stored.
    assert!(queries < 30, "{queries} D1 queries for {count} dashboards");
    drop(dashboards);
    server.stop();
    server.restart();
    report(
        6,
        "two_thousand_dashboards_come_back_at_once",
        format!(
            "{count} dashboards reconnect after a kill: all back in {:.1} s, {queries} D1 queries in all",
            took.as_secs_f64()
        ),
        "nothing",
    );
}

#[tokio::test]
async fn a_deploy_loses_nothing() {
    let (server, _turn) = fragile().await;
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboards = hospital.followers(20).await;
    let acknowledged = Acknowledged::default();
    for build in [Build::Faults, Build::Release] {
        let stop = Arc::new(AtomicBool::new(false));
        let calls = come_and_go(ann.clone(), Arc::clone(&acknowledged), Arc::clone(&stop));
        sleep(Duration::from_millis(500)).await;
        deploy(server, build);
        sleep(Duration::from_millis(500)).await;
        stop.store(true, Ordering::Relaxed);
        calls.await.unwrap();
    }
    let events = audit(&admin).await;
    for dashboard in &mut dashboards {
        dashboard.hears(events.len() as u64, RECOVERY).await;
    }
    let heard: Vec<_> = dashboards.iter().map(Follower::notes).collect();
    compare(&acknowledged, &heard, &events);
    state_equals_history(&ann, &events).await;
    report(
        15,
        "a_deploy_loses_nothing",
        format!("2 × another build while 20 dashboards watch a burst of {} events", events.len()),
        "nothing: all resume",
    );
}

/// Another build takes over, with what was stored.
fn deploy(server: &Server, build: Build) {
    server.stop();
    server.restart_build(build);
}
