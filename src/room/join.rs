//! Joining a room: dashboards, and people.
//!
//! **Invariant:** between reading the board and accepting the socket nothing waits, so a dashboard's first
//! announcement is the event right after what it was sent.

use rollcall_core::{
    Rejection,
    board::Missed,
    call::Since,
    socket::{Attachment, Kind, Opener, SOCKETS_PER_USER},
    welcome::welcome,
    wire::ConnectionMessage,
};
use worker::{Response, Result, WebSocket, WebSocketPair};

use super::{Memory, Room, sockets};
use crate::{clock, error};

impl Room {
    /// A dashboard joins.
    pub(super) async fn join_as_watcher(
        &self,
        opener: Opener,
        v1: bool,
        since: Option<Since>,
        connections: bool,
    ) -> error::Result<Response> {
        if self.place()?.relay.is_some_and(|relay| relay >= self.bindings.watch_relays()) {
            // A deploy with fewer of them has just overtaken this join.
            return Err(Rejection::Unavailable.into());
        }
        let elsewhere = self.sockets_elsewhere(opener.user_id).await?;
        let mut memory = self.lock().await?;
        let (memory, missed) = self.ready(&mut memory, since).await?;
        let told = connections.then(|| self.connections());
        let welcome = welcome(&mut memory.board, v1, since.zip(missed), told, || self.connections());
        let bytes: usize = welcome.messages.iter().map(String::len).sum();
        let heard_at_byte = self.announced_bytes()? - i64::try_from(bytes).unwrap_or_default();
        let kind = Kind::Watcher { v1, acked: Some(welcome.acked), heard_at_byte, told };
        self.join(kind, opener, elsewhere, &welcome.messages).await
    }

    /// A person joins.
    pub(super) async fn join_as_person(
        &self,
        opener: Opener,
        email: String,
        doctor: bool,
        v1: bool,
    ) -> error::Result<Response> {
        let message = format!("Connected successfully as {email}");
        let greeting = sockets::encode(&ConnectionMessage::ConnectionEstablished { message });
        let elsewhere = self.sockets_elsewhere(opener.user_id).await?;
        self.join(Kind::Connection { email, doctor, v1 }, opener, elsewhere, greeting.as_slice()).await
    }

    /// Accepts a socket and sends it `messages`; or refuses it, where its user, with those `elsewhere`, or the room has too
    /// many.
    async fn join(&self, kind: Kind, opener: Opener, elsewhere: usize, messages: &[String]) -> error::Result<Response> {
        // Since the Worker looked, perhaps while this waited for its turn.
        if let Some(session_id) = opener.session_id
            && self.has_ended(session_id)?
        {
            return Err(Rejection::SessionEnded.into());
        }
        let has_too_many = |user_id| self.sockets_of(user_id).count() + elsewhere >= SOCKETS_PER_USER;
        if opener.user_id.is_some_and(has_too_many) {
            return Err(Rejection::TooManySockets.into());
        }
        let WebSocketPair { client, server } = WebSocketPair::new()?;
        let attachment = Attachment::new(kind, opener, clock::now());
        self.accept(&server, &attachment).map_err(|_| Rejection::RoomFull)?;
        if let Err(error) = self.greet(&server, &attachment, messages).await {
            // Its client will not get it: it must not stay behind.
            self.close(&server, &Rejection::Unavailable)?;
            return Err(error.into());
        }
        Ok(Response::from_websocket(client)?)
    }

    async fn greet(&self, socket: &WebSocket, attachment: &Attachment, messages: &[String]) -> Result<()> {
        sockets::store(socket, attachment)?;
        for message in messages {
            let _ = socket.send_with_str(message);
        }
        if matches!(attachment.kind, Kind::Connection { .. }) {
            self.tell_connections_soon();
        }
        if let Some(doctor_id) = attachment.doctor_id() {
            self.change_presence(doctor_id, |presence| presence.opened(doctor_id, clock::now()))?;
        }
        self.look_at_in_time(attachment).await
    }

    /// The memory a dashboard joins from, deep enough for what it has missed.
    async fn ready<'a>(
        &self,
        memory: &'a mut Option<Memory>,
        since: Option<Since>,
    ) -> error::Result<(&'a mut Memory, Option<Missed>)> {
        let memory = self.awake(memory).await?;
        if let Some(Since::Seq(since)) = since
            && self.place()?.relay.is_some()
        {
            // Another relay may have heard earlier.
            self.catch_up(memory, since).await?;
        }
        let mut missed = since.map(|since| memory.board.missed(since));
        if missed == Some(Missed::Deeper) {
            self.deepen(memory).await?;
            missed = since.map(|since| memory.board.missed(since));
        }
        Ok((memory, missed))
    }
}
