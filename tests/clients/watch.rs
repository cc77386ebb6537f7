//! Prints every event of the hospital from now on as a line of JSON, until the session ends.
use std::{env, error::Error, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{ClientRequestBuilder, Message},
};

const FINAL: [u16; 9] = [1000, 1003, 1008, 1009, 4000, 4001, 4002, 4003, 4004];
const SILENCE: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, authorization) = (env::var("ROLLCALL_URL")?, format!("Token {}", env::var("ROLLCALL_TOKEN")?));
    let history = reqwest::Client::new().get(format!("{url}/api/events/?limit=1"));
    let history = history.header("Authorization", &authorization).send().await?.error_for_status()?;
    let latest = history.json::<Value>().await?["latest"].as_u64().unwrap_or(0);
    let mut seq = env::var("ROLLCALL_SINCE").map_or(Ok(latest), |since| since.parse())?;
    let address = url.replacen("http", "ws", 1) + "/ws/doctor-status/?since=";
    let mut attempt = 0;
    loop {
        let request = ClientRequestBuilder::new(format!("{address}{seq}").parse()?);
        let request = request.with_header("Authorization", &authorization);
        if let Ok(Ok((mut socket, _))) = timeout(SILENCE, connect_async(request)).await {
            let mut waiting = false;
            loop {
                match timeout(SILENCE, socket.next()).await {
                    Ok(Some(Ok(Message::Text(text)))) => {
                        (attempt, waiting) = (0, false);
                        let message: Value = serde_json::from_str(&text).unwrap_or_default();
                        if message["recovered"] == false {
                            eprintln!("missed some: /api/events/?since={seq}");
                        }
                        if message["doctor_id"].is_u64() {
                            if message["seq"].as_u64() <= Some(seq) {
                                continue; // It was here before.
                            }
                            println!("{text}");
                        }
                        seq = message["seq"].as_u64().unwrap_or(seq);
                    }
                    Ok(Some(Ok(Message::Close(Some(close))))) if FINAL.contains(&close.code.into()) => {
                        return Err(format!("stopped: {} {}", close.code, close.reason).into());
                    }
                    // Silent for long: somebody who is there answers `pong`.
                    Err(_) if !waiting => waiting = socket.send("ping".into()).await.is_ok(),
                    Ok(Some(Ok(_))) => {}
                    _ => break,
                }
            }
        }
        attempt = 6.min(attempt + 1);
        sleep(Duration::from_millis(fastrand::u64(..30_000.min(500 << attempt)))).await;
    }
}
