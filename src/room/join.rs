//! Joining a room: dashboards, and people.
//!
//! **Invariant:** nothing awaits between reading the board and accepting the socket, so a dashboard's first event is the
//! one right after what it was sent.

use rollcall_core::{
    ApiError,
    event::Event,
    room::{BACKLOG, Since},
    socket::{Attachment, Kind, SOCKETS_PER_USER, SocketOwner, to_json},
    sweep,
    user::UserRecord,
    welcome::{Missed, welcome},
    wire::{ConnectionMessage, Role},
};
use worker::{WebSocket, WebSocketPair};

use super::state::LiveRoom;
use crate::{platform::clock, telemetry::error::Result};

/// A dashboard that joins.
pub(super) struct Watcher {
    /// Who opens it.
    pub owner: SocketOwner,
    /// It speaks `rollcall.v1`.
    pub v1: bool,
    /// Where it resumes.
    pub since: Option<Since>,
    /// It asks to be told how many people are connected.
    pub connections: bool,
}

impl LiveRoom {
    /// A dashboard joins.
    pub(super) fn join_as_watcher(&self, Watcher { owner, v1, since, connections }: Watcher) -> Result<WebSocket> {
        let missed = since.map(|since| Ok::<_, worker::Error>((since, self.missed(since)?))).transpose()?;
        let last_count_sent = connections.then(|| self.connections.count(&self.sockets));
        let count = || self.connections.count(&self.sockets);
        let welcome = welcome(&mut self.board(), v1, missed, last_count_sent, count);
        let bytes: usize = welcome.messages.iter().map(String::len).sum();
        let heard_at_byte = self.announced_bytes() - i64::try_from(bytes).unwrap_or_default();
        let kind = Kind::Watcher { v1, acked: Some(welcome.acked), heard_at_byte, last_count_sent };
        self.join(kind, owner, &welcome.messages)
    }

    /// A person joins.
    pub(super) fn join_as_person(&self, owner: SocketOwner, user: &UserRecord, v1: bool) -> Result<WebSocket> {
        let email = user.email.clone();
        let message = format!("Connected successfully as {email}");
        let greeting = to_json(&ConnectionMessage::ConnectionEstablished { message });
        let kind = Kind::Connection { email, doctor: user.role == Role::Doctor, v1 };
        self.join(kind, owner, greeting.as_slice())
    }

    /// What happened after `since`: read from the log, and only if nothing of it is missing.
    fn missed(&self, since: Since) -> worker::Result<Missed> {
        let first = self.row().first_seq.max(self.forgotten_to()?);
        let latest = self.latest();
        let Some(after) = since.resume_after(latest).filter(|after| *after >= first) else { return Ok(Missed::TooOld) };
        let events = self.storage.events_after(after, BACKLOG)?;
        let is_complete = usize::try_from(latest.get() - after.get()).is_ok_and(|behind| events.len() == behind);
        Ok(if is_complete { Missed::Events(events.iter().map(Event::message).collect()) } else { Missed::TooOld })
    }

    /// Accepts a socket and sends it `messages`; or rejects it if its user, or the room, has too many.
    fn join(&self, kind: Kind, owner: SocketOwner, messages: &[String]) -> Result<WebSocket> {
        let has_too_many = |user_id| self.sockets.of_user(user_id).count() >= SOCKETS_PER_USER;
        if owner.user_id.is_some_and(has_too_many) {
            return Err(ApiError::TooManySockets.into());
        }
        let WebSocketPair { client, server } = WebSocketPair::new()?;
        let attachment = Attachment::new(kind, owner, clock::now());
        self.sockets.accept(&server, &attachment).map_err(|_| ApiError::RoomFull)?;
        for message in messages {
            let _ = server.send_with_str(message);
        }
        if let Err(error) = self.after_join(&attachment) {
            // Its client will not get it: it must not stay behind.
            self.close(&server, &ApiError::Unavailable)?;
            return Err(error.into());
        }
        Ok(client)
    }

    fn after_join(&self, attachment: &Attachment) -> worker::Result<()> {
        if matches!(attachment.kind, Kind::Connection { .. }) {
            self.connections_changed();
        }
        if let Some(doctor_id) = attachment.doctor_id() {
            self.presence.opened(&self.storage, doctor_id)?;
        }
        let now = clock::now();
        let check = sweep::first_deadline(attachment, now);
        self.sockets.check_by(check);
        let deadlines = [Some(check), self.presence.next_deadline(now)];
        deadlines.into_iter().flatten().min().map_or(Ok(()), |deadline| self.alarm.arm(deadline))
    }
}
