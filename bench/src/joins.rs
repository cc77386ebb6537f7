//! Sockets that open, and that are there.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt, stream};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::{sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    dashboards::{Heard, WATCH, open, watch},
    percentiles::percentiles,
    target::{Doctor, Target},
};

/// A dashboard that does not hear by then what it missed has not joined.
const HEARS_WITHIN: Duration = Duration::from_secs(10);

/// How long a server may take to forget what it needed only once. The runtime hibernates an idle object after ten seconds.
const SETTLED: Duration = Duration::from_secs(15);

/// The same for a server that takes longer: if something wakes an object, it waits ten seconds again.
const SETTLED_LATE: Duration = Duration::from_secs(40);

/// Dashboards that join, until each has all that it missed.
pub async fn joins(target: &Target, dashboards: usize, at_once: usize, behind: Option<u64>) -> Result<Value> {
    let (client, doctors) = (Target::client()?, target.doctors()?);
    let doctor = doctors.first().context("no doctor")?;
    let missed = behind.unwrap_or(0);
    // An even number, so that the next one to take this measure finds the doctor where this one did.
    for call in 0..missed.next_multiple_of(2).max(2) {
        target.call(&client, doctor, call % 2 == 0).await?;
    }
    let path = match behind {
        Some(behind) => format!("{WATCH}?since={}", latest(target, &client, doctor).await? - behind),
        None => WATCH.into(),
    };
    // What was missed, and that this was all.
    let messages = if behind.is_some() { missed + 1 } else { 0 };
    let heard = Arc::new(Heard::default());
    let cpu = target.server().cpu()?;
    let start = Instant::now();
    let joining = (0..dashboards).map(|_| async {
        let start = Instant::now();
        let mut socket = open(target, &path, &heard).await?;
        for _ in 0..messages {
            timeout(HEARS_WITHIN, socket.next()).await?.context("closed")??;
        }
        anyhow::Ok((socket, start.elapsed()))
    });
    let joined: Vec<_> = stream::iter(joining).buffer_unordered(at_once).collect().await;
    let took = start.elapsed();
    let cpu = target.server().cpu()? - cpu;
    // Those that joined stay open until all have.
    let (_sockets, each): (Vec<_>, Vec<_>) = joined.into_iter().flatten().unzip();
    let there = each.len();
    Ok(json!({
        "per_second": there as f64 / took.as_secs_f64(),
        "join_ms": percentiles(each),
        "failed": dashboards - there,
        "cpu_us_per_join": cpu.as_secs_f64() * 1e6 / there as f64,
    }))
}

/// The seq of the latest event, as a call that changes nothing says it.
async fn latest(target: &Target, client: &Client, doctor: &Doctor) -> Result<u64> {
    let answer: Value = serde_json::from_str(&target.answer(client, doctor, false).await?)?;
    answer.get("seq").and_then(Value::as_u64).context("this contestant has no seq")
}

/// What an idle dashboard costs.
pub async fn idle(target: &Target, dashboards: usize) -> Result<Value> {
    // Some that are there before: what the first one needs, the server needs once.
    let _first = watch(target, 100).await?;
    sleep(SETTLED).await;
    let before = target.server().memory()?;
    let per_socket = |memory: u64| (memory as f64 - before as f64) / dashboards as f64;
    let _heard = watch(target, dashboards).await?;
    let joined = Instant::now();
    sleep_until((joined + SETTLED).into()).await;
    let (settled, cpu) = (target.server().memory()?, target.server().cpu()?);
    sleep_until((joined + SETTLED_LATE).into()).await;
    let (late, cpu) = (target.server().memory()?, target.server().cpu()? - cpu);
    Ok(json!({
        "bytes_per_socket": per_socket(settled),
        "bytes_per_socket_late": per_socket(late),
        "server_bytes": settled,
        "cpu_percent_idle": 100.0 * cpu.as_secs_f64() / (SETTLED_LATE - SETTLED).as_secs_f64(),
    }))
}

/// There and back.
pub async fn echo(target: &Target, messages: usize) -> Result<Value> {
    let doctors = target.doctors()?;
    let doctor = doctors.first().context("no doctor")?;
    let path = format!("/ws/connect/?email={}", doctor.email);
    let mut socket = open(target, &path, &Arc::new(Heard::default())).await?;
    socket.next().await.context("no greeting")??;
    let mut took = Vec::new();
    for number in 0..messages {
        let start = Instant::now();
        socket.send(Message::text(format!(r#"{{"message":"{number}"}}"#))).await?;
        socket.next().await.context("closed")??;
        took.push(start.elapsed());
    }
    socket.close(None).await?;
    Ok(json!({"round_trip_ms": percentiles(took)}))
}
