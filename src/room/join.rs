//! Joining a room: dashboards, and people.
//!
//! **Invariant:** between reading the board and accepting the socket nothing waits, so a dashboard's first
//! announcement is the event right after what it was sent.

use rollcall_core::{
    Id,
    auth::Principal,
    board::Missed,
    call::Since,
    socket::Attachment,
    wire::{ConnectionMessage, SUBPROTOCOL, WatcherMessage},
};
use worker::{Response, Result, WebSocket, WebSocketPair};

use super::{Memory, Room, sockets};
use crate::{clock, error};

impl Room {
    /// A dashboard joins.
    pub(super) async fn watch(&self, by: Option<Principal>, v1: bool, since: Option<Since>) -> Result<Response> {
        let mut memory = self.memory.lock().await;
        let (memory, missed) = match self.ready(&mut memory, since).await {
            Ok(ready) => ready,
            Err(error) => return sockets::refuse(&error.into_rejection(), v1),
        };
        let pair = WebSocketPair::new()?;
        let attachment = Attachment::Watcher {
            user_id: by.as_ref().map(|by| by.user_id),
            session_id: by.as_ref().map(|by| by.session_id),
            v1,
        };
        self.accept(&pair.server, &attachment)?;

        let mut snapshot_due = v1 && since.is_none();
        if let (Some(since), Some(missed)) = (since, missed) {
            snapshot_due = missed == Missed::Lost;
            resume(&pair.server, memory, since, missed);
        }
        if snapshot_due {
            sockets::send(&pair.server, &memory.board.snapshot(self.registry().len()));
        }
        opened(pair.client, v1)
    }

    /// A person joins.
    pub(super) fn connect(&self, user_id: Id, email: String, session_id: Option<Id>) -> Result<Response> {
        let pair = WebSocketPair::new()?;
        let now = clock::now();
        let message = format!("Connected successfully as {email}");
        let attachment = Attachment::Connection { user_id, session_id, email, connected_at: now, last_activity: now };
        self.accept(&pair.server, &attachment)?;
        sockets::send(&pair.server, &ConnectionMessage::ConnectionEstablished { message });
        opened(pair.client, false)
    }

    /// The memory a dashboard joins from, deep enough for what it has missed.
    async fn ready<'a>(
        &self,
        memory: &'a mut Option<Memory>,
        since: Option<Since>,
    ) -> error::Result<(&'a mut Memory, Option<Missed>)> {
        let memory = self.awake(memory).await?;
        let mut missed = since.map(|since| memory.board.missed(since));
        if missed == Some(Missed::Deeper) {
            self.deepen(memory).await?;
            missed = since.map(|since| memory.board.missed(since));
        }
        Ok((memory, missed))
    }
}

/// Sends a dashboard what it missed, and whether that was everything.
fn resume(socket: &WebSocket, memory: &Memory, since: Since, missed: Missed) {
    let from = match since {
        Since::Seq(from) => from,
        Since::Unreadable => 0,
    };
    let seq = memory.board.seq();
    let recovered = match missed {
        Missed::Events(events) => {
            events.iter().for_each(|event| sockets::send(socket, event));
            true
        }
        Missed::Deeper | Missed::Lost => false,
    };
    sockets::send(socket, &WatcherMessage::Resumed { from, seq, recovered });
}

/// The answer to an upgrade. Browsers drop a socket whose offered subprotocol is not confirmed.
pub(super) fn opened(client: WebSocket, v1: bool) -> Result<Response> {
    let mut response = Response::from_websocket(client)?;
    if v1 {
        response.headers_mut().set("Sec-WebSocket-Protocol", SUBPROTOCOL)?;
    }
    Ok(response)
}
