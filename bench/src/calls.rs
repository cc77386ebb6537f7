//! State calls, and who hears of them.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures_util::future::join_all;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::{sleep, sleep_until};

use crate::{
    dashboards::watch,
    percentiles::percentiles,
    process::own_cpu,
    target::{Doctor, Target},
};

/// The first calls of a server are its slowest. An even number, so that the doctor is off duty behind them.
const WARM_UP: usize = 4;

/// How long the last dashboard is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// After so long there is no further call: some need many seconds for one.
const ENOUGH: Duration = Duration::from_secs(60);

/// Between two calls that are measured one by one, and after one that failed.
const PAUSE: Duration = Duration::from_millis(50);

/// From a call to the last of so many dashboards.
pub async fn fan_out(target: &Target, dashboards: usize, calls: usize) -> Result<Value> {
    let heard = watch(target, dashboards).await?;
    let (client, doctors) = (Target::client()?, target.doctors()?);
    let doctor = doctors.first().context("no doctor")?;
    let tell = async |number: usize| {
        let all = heard.messages() + dashboards as u64;
        let start = Instant::now();
        let called = async { target.call(&client, doctor, number.is_multiple_of(2)).await.map(|()| start.elapsed()) };
        let (called, reached) = tokio::join!(called, heard.last_of(all, PATIENCE));
        if reached.is_none() {
            // What still comes would be taken for the next call's.
            heard.silence(target.server()).await?;
        }
        sleep(PAUSE).await;
        anyhow::Ok((called.ok(), reached.map(|reached| reached - start)))
    };
    for warm_up in 0..WARM_UP {
        tell(warm_up).await?;
    }
    heard.silence(target.server()).await?;
    let (cpu, bytes, first) = (target.server().cpu()?, heard.bytes(), heard.messages());
    let begin = Instant::now();
    let mut told = Vec::new();
    while told.len() < calls && begin.elapsed() < ENOUGH {
        told.push(tell(told.len()).await?);
    }
    heard.silence(target.server()).await?;
    let notifications = heard.messages() - first;
    let cpu = target.server().cpu()? - cpu;
    let (calls, expected) = (told.len(), told.len() * dashboards);
    let (answered, last): (Vec<_>, Vec<_>) = told.into_iter().unzip();
    Ok(json!({
        "calls": calls,
        "failed": answered.iter().filter(|answer| answer.is_none()).count(),
        "calls_not_heard_by_all": last.iter().filter(|last| last.is_none()).count(),
        "to_last_ms": percentiles(last.into_iter().flatten().collect()),
        "answer_ms": percentiles(answered.into_iter().flatten().collect()),
        "lost": expected as i64 - notifications as i64,
        "lost_percent": 100.0 * (1.0 - notifications as f64 / expected as f64),
        "cpu_us_per_notification": cpu.as_secs_f64() * 1e6 / notifications as f64,
        "bytes_per_notification": (heard.bytes() - bytes) as f64 / notifications as f64,
    }))
}

/// State calls from so many callers at once; at a pace, or each as soon as its last one is answered.
pub async fn at_once(
    target: &Target,
    dashboards: usize,
    callers: usize,
    seconds: u32,
    pace: Option<u32>,
) -> Result<Value> {
    let heard = watch(target, dashboards).await?;
    let (client, doctors) = (Target::client()?, target.doctors()?);
    let callers = doctors.get(..callers).context("too few doctors")?;
    // Everybody begins on duty, with a connection that is open.
    join_all(callers.iter().map(|doctor| target.call(&client, doctor, false))).await;
    join_all(callers.iter().map(|doctor| target.call(&client, doctor, true))).await;
    heard.silence(target.server()).await?;
    let (cpu, own, first) = (target.server().cpu()?, own_cpu()?, heard.messages());
    let start = Instant::now();
    let calls = match pace {
        Some(pace) => paced(start, pace, pace * seconds, target, &client, callers).await,
        None => {
            let until = start + Duration::from_secs(seconds.into());
            let each = callers.iter().map(|doctor| call_until(until, target, &client, doctor));
            join_all(each).await.into_iter().flatten().collect()
        }
    };
    let took = start.elapsed();
    let (own, in_time) = (own_cpu()? - own, heard.messages() - first);
    heard.silence(target.server()).await?;
    let cpu = target.server().cpu()? - cpu;
    let answered: Vec<Duration> = calls.iter().copied().flatten().collect();
    let failed = calls.len() - answered.len();
    let calls = answered.len();
    let (expected, notifications) = (calls * dashboards, heard.messages() - first);
    Ok(json!({
        "per_second": calls as f64 / took.as_secs_f64(),
        "answer_ms": percentiles(answered),
        "calls": calls,
        "failed": failed,
        "notifications_per_second": in_time as f64 / took.as_secs_f64(),
        "lost": expected as i64 - notifications as i64,
        "lost_percent": 100.0 * (1.0 - notifications as f64 / expected as f64),
        "cpu_us_per_call": cpu.as_secs_f64() * 1e6 / calls as f64,
        // Near 100 it was the load that could do no more.
        "load_cpu_percent": 100.0 * own.as_secs_f64() / took.as_secs_f64(),
    }))
}

/// How long the answer to a call took; `None` where it failed.
type Call = Option<Duration>;

/// One caller, who leaves and comes until then.
async fn call_until(until: Instant, target: &Target, client: &Client, doctor: &Doctor) -> Vec<Call> {
    let (mut calls, mut comes) = (Vec::new(), false);
    while Instant::now() < until {
        let start = Instant::now();
        let call = target.call(client, doctor, comes).await.ok().map(|()| start.elapsed());
        calls.push(call);
        match call {
            Some(_) => comes = !comes,
            // Repeated, because nobody knows whether it was done; but not in a frenzy.
            None => sleep(PAUSE).await,
        }
    }
    calls
}

/// So many calls a second, from each doctor in turn, however long the answers take.
async fn paced(
    start: Instant,
    pace: u32,
    calls: u32,
    target: &Target,
    client: &Client,
    callers: &[Doctor],
) -> Vec<Call> {
    let calls = (0..calls).zip(callers.iter().cycle()).map(|(call, doctor)| async move {
        sleep_until((start + Duration::from_secs(1) / pace * call).into()).await;
        let comes = call as usize / callers.len() % 2 == 1;
        let start = Instant::now();
        target.call(client, doctor, comes).await.ok().map(|()| start.elapsed())
    });
    join_all(calls).await
}
