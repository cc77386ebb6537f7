//! A dashboard that keeps coming back, and writes down what it hears.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use rollcall_core::wire::SUBPROTOCOL;
use serde_json::Value;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        http::{HeaderValue, header},
    },
};

use crate::Server;

/// A `rollcall.v1` dashboard on `/ws/doctor-status/`; ends when dropped.
pub struct Follower {
    notes: Arc<Mutex<Notes>>,
    latest: watch::Receiver<Option<u64>>,
    task: JoinHandle<()>,
}

/// What a dashboard has heard.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// Every event once, as it came.
    pub events: Vec<Value>,
    /// Events that came again.
    pub repeated: usize,
    /// Events that came too early: something before them was missing.
    pub gaps: usize,
    /// Times that it was back, and how often the server could not tell it everything it had missed.
    pub resumed: usize,
    /// Resumptions that were answered with a snapshot.
    pub lost: usize,
}

/// How often an event is acknowledged, at most.
const ACK_EVERY: Duration = Duration::from_secs(1);

impl Follower {
    /// Follows a hospital that has no events yet, and comes back whenever it is cut off. `authorization` may be empty.
    pub fn start(server: &'static Server, authorization: String) -> Self {
        let notes = Arc::new(Mutex::new(Notes::default()));
        let (says, latest) = watch::channel(None);
        let task = tokio::spawn(follow(server, authorization, Arc::clone(&notes), says));
        Self { notes, latest, task }
    }

    /// Waits until it has heard the event `seq`; 0 is when it has joined.
    ///
    /// # Panics
    /// When that takes longer than `patience`.
    pub async fn hears(&mut self, seq: u64, patience: Duration) {
        let heard = timeout(patience, self.latest.wait_for(|latest| *latest >= Some(seq))).await.is_ok();
        assert!(heard, "{seq} did not come: {:?}", self.notes());
    }

    /// Waits until it has come back so often.
    ///
    /// # Panics
    /// When that takes longer than `patience`.
    pub async fn has_resumed(&self, times: usize, patience: Duration) {
        let began = Instant::now();
        while self.notes().resumed < times {
            assert!(began.elapsed() < patience, "it did not come back: {:?}", self.notes());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it has heard so far.
    pub fn notes(&self) -> Notes {
        self.notes.lock().unwrap().clone()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(
    server: &'static Server,
    authorization: String,
    notes: Arc<Mutex<Notes>>,
    says: watch::Sender<Option<u64>>,
) {
    loop {
        let query = says.borrow().map(|latest| format!("?since={latest}")).unwrap_or_default();
        let mut request = server.socket_address(&format!("/ws/doctor-status/{query}")).into_client_request().unwrap();
        request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        if !authorization.is_empty() {
            request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().unwrap());
        }
        if let Ok(Ok((mut socket, _))) = timeout(Duration::from_secs(10), connect_async(request)).await {
            let mut acked = Instant::now();
            while let Some(Ok(Message::Text(text))) = socket.next().await {
                take(&serde_json::from_str(&text).unwrap(), &notes, &says);
                if acked.elapsed() > ACK_EVERY {
                    acked = Instant::now();
                    let ack = format!(r#"{{"type":"ack","seq":{}}}"#, says.borrow().unwrap_or_default());
                    let _ = socket.send(Message::text(ack)).await;
                }
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Notes a message down.
fn take(message: &Value, notes: &Mutex<Notes>, says: &watch::Sender<Option<u64>>) {
    let mut notes = notes.lock().unwrap();
    let latest = *says.borrow();
    let seq = message["seq"].as_u64();
    match message["type"].as_str().unwrap() {
        "snapshot" => drop(says.send_replace(seq)),
        "resumed" => {
            notes.resumed += 1;
            notes.lost += usize::from(message["recovered"] != true);
        }
        "error" => panic!("{message}"),
        _ if seq <= latest => notes.repeated += 1,
        _ => {
            notes.gaps += usize::from(seq != latest.map(|latest| latest + 1));
            notes.events.push(message.clone());
            says.send_replace(seq);
        }
    }
}
