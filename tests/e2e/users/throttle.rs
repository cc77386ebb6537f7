//! How often somebody may try `POST /api/users/login/`

use std::time::Duration;

use rollcall_tests::{Answer, Hospital, PASSWORD, either, request_from};
use serde_json::json;

async fn login_from(address: &str, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    request_from(either(), address, "POST", "/api/users/login/", Some(body)).await
}

async fn fail(address: &str, email: &str, times: usize) {
    for _ in 0..times {
        assert_eq!(login_from(address, email, "wrong").await.refusal(), (401, "invalid_credentials".into()));
    }
}

fn is_throttled(answer: &Answer) {
    assert_eq!(answer.refusal(), (429, "throttled".into()));
    let seconds: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=300).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn after_five_failures_the_right_password_waits_too() {
    let hospital = Hospital::fresh(either());
    let email = hospital.email("ann");
    fail("203.0.113.1", &email, 5).await;
    is_throttled(&login_from("203.0.113.1", &email, PASSWORD).await);
    let other_case = format!(" {} ", email.to_uppercase());
    is_throttled(&login_from("203.0.113.1", &other_case, PASSWORD).await);
}

/// Were an account counted under all of its names, or in another way than a name that nobody has, the count would tell
/// which accounts there are.
#[tokio::test]
async fn the_count_does_not_tell_whether_there_is_such_an_account() {
    let hospital = Hospital::fresh(either());
    let mut answers = Vec::new();
    for (address, name) in [("203.0.113.9", "ann"), ("203.0.113.10", "nobody")] {
        let (email, username) = (hospital.email(name), format!("{name}{}", hospital.id));
        let mut statuses = Vec::new();
        for body in [
            json!({"email": email}),
            json!({"username": email}),
            json!({"username": username}),
            json!({"username": username.to_uppercase()}),
            json!({"email": format!(" {} ", email.to_uppercase())}),
        ] {
            for _ in 0..3 {
                let mut body = body.clone();
                body["password"] = json!("wrong");
                statuses.push(request_from(either(), address, "POST", "/api/users/login/", Some(body)).await.status);
            }
        }
        answers.push(statuses);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], [401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 429]);
}

#[tokio::test]
async fn nobody_is_locked_out_from_elsewhere() {
    let hospital = Hospital::fresh(either());
    fail("203.0.113.2", &hospital.email("ann"), 5).await;
    assert_eq!(login_from("203.0.113.3", &hospital.email("ann"), PASSWORD).await.status, 200);
    assert_eq!(login_from("203.0.113.2", &hospital.email("bob"), PASSWORD).await.status, 200);
    is_throttled(&login_from("203.0.113.2", &hospital.email("ann"), PASSWORD).await);
    // Of IPv6 addresses somebody has as many as they like.
    for host in 1..=5 {
        fail(&format!("2001:db8::{host}"), &hospital.email("ann"), 1).await;
    }
    is_throttled(&login_from("2001:db8::99", &hospital.email("ann"), PASSWORD).await);
    assert_eq!(login_from("2001:db8:0:1::1", &hospital.email("ann"), PASSWORD).await.status, 200);
}

#[tokio::test]
async fn an_email_that_nobody_has_is_throttled_alike() {
    let hospital = Hospital::fresh(either());
    for name in ["nobody", "gone"] {
        fail("203.0.113.4", &hospital.email(name), 5).await;
        is_throttled(&login_from("203.0.113.4", &hospital.email(name), PASSWORD).await);
    }
}

#[tokio::test]
async fn a_success_starts_the_count_anew() {
    let hospital = Hospital::fresh(either());
    let email = hospital.email("ann");
    for _ in 0..3 {
        fail("203.0.113.5", &email, 4).await;
        assert_eq!(login_from("203.0.113.5", &email, PASSWORD).await.status, 200);
    }
}

#[tokio::test]
async fn tries_at_once_are_counted_one_by_one() {
    let hospital = Hospital::fresh(either());
    let email = hospital.email("ann");
    let tries = (0..20).map(|_| login_from("203.0.113.6", &email, "wrong"));
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 5);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 15);
}

/// Interleaved, so that whatever else the machine does hits all alike. The spread is that between the quartiles.
#[tokio::test]
async fn failures_take_the_same_time_whoever_is_named() {
    const ROUNDS: usize = 4;
    let hospital = Hospital::of_slow_hashes(either());
    let mut times = [const { Vec::new() }; 3];
    for round in 0..ROUNDS * rollcall_tests::SLOW {
        let n = round % rollcall_tests::SLOW;
        for (name, times) in ["active", "nobody", "inactive"].into_iter().zip(&mut times) {
            // The right password of a deactivated user, and the wrong one of somebody active.
            let password = if name == "active" { "wrong" } else { PASSWORD };
            let began = std::time::Instant::now();
            let answer = login_from("203.0.113.8", &hospital.email(&format!("{name}{n}")), password).await;
            times.push(began.elapsed());
            assert_eq!(answer.status, 401);
        }
    }
    times.iter_mut().for_each(|times| times.sort());
    let quantile = |times: &Vec<Duration>, at: usize| times[times.len() * at / 4];
    let medians = times.each_ref().map(|times| quantile(times, 2));
    let spreads = times.each_ref().map(|times| quantile(times, 3) - quantile(times, 1));
    println!("medians {medians:?}, spreads {spreads:?}");
    let apart = *medians.iter().max().unwrap() - *medians.iter().min().unwrap();
    assert!(apart <= *spreads.iter().max().unwrap(), "medians {medians:?}, spreads {spreads:?}");
}
