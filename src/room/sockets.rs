//! What the room does with its sockets: messages, closes, and checks.
//!
//! **Invariant:** whatever closes a doctor's socket, presence is told.

use rollcall_core::{
    ApiError, SessionId, Timestamp, UserId,
    metrics::Count,
    socket::{Attachment, Kind, close_code_for},
    sweep::{self, Announced},
};
use worker::{Result, WebSocket};

use super::{
    parts::sockets::{REASON_LIMIT, attachment, close, is_open, note_count, prefix, store},
    state::LiveRoom,
};
use crate::{
    platform::clock,
    telemetry::{error, metrics},
};

impl LiveRoom {
    /// Receives a text frame, or one that is not text.
    pub(super) fn on_message(&self, socket: &WebSocket, text: Option<&str>) -> Result<()> {
        // What comes after a close does not count.
        if !is_open(socket) {
            return Ok(());
        }
        let Some(text) = text else { return self.close(socket, &ApiError::BinaryFrame) };
        let Some(mut attachment) = attachment(socket) else { return Ok(()) };
        let reply = attachment.on_message(text, clock::now(), self.announced_bytes());
        store(socket, &attachment)?;
        if let Some(text) = reply.text {
            let _ = socket.send_with_str(text);
        }
        reply.close.map_or(Ok(()), |error| self.close(socket, &error))
    }

    /// A socket was closed by its peer, or failed. The runtime does not answer a close for sockets that may hibernate.
    pub(super) fn on_close(&self, socket: &WebSocket, code: usize, reason: &str) -> Result<()> {
        let code = close_code_for(u16::try_from(code).unwrap_or_default());
        let _ = socket.close(Some(code), Some(prefix(reason, REASON_LIMIT)));
        self.after_close(socket)
    }

    /// Closes a socket with an error's code.
    pub(super) fn close(&self, socket: &WebSocket, error: &ApiError) -> Result<()> {
        metrics::count(Count::Closed(error));
        close(socket, error);
        self.after_close(socket)
    }

    fn after_close(&self, socket: &WebSocket) -> Result<()> {
        let Some(attachment) = attachment(socket) else { return Ok(()) };
        if matches!(attachment.kind, Kind::Connection { .. }) {
            self.connections_changed();
        }
        let Some(doctor_id) = attachment.doctor_id() else { return Ok(()) };
        self.presence.set_connected(&self.storage, doctor_id, self.sockets.is_connected(doctor_id))?;
        self.presence.next_deadline(clock::now()).map_or(Ok(()), |deadline| self.alarm.arm(deadline))
    }

    /// Ends sessions, and closes their sockets.
    pub(super) fn end_sessions(&self, ids: &[SessionId], now: Timestamp) -> error::Result<()> {
        self.storage.transaction(|| Ok(ids.iter().try_for_each(|id| self.storage.end_session(*id, now))?))?;
        for id in ids {
            self.sockets.of_session(*id).try_for_each(|socket| self.close(&socket, &ApiError::SessionEnded))?;
        }
        Ok(())
    }

    /// Closes all of a user's sockets, and returns how many there were.
    pub(super) fn close_sockets_of(&self, user_id: UserId, error: &ApiError) -> Result<usize> {
        let sockets: Vec<_> = self.sockets.of_user(user_id).collect();
        sockets.iter().try_for_each(|socket| self.close(socket, error))?;
        Ok(sockets.len())
    }

    /// Sends the board as it is now to the dashboards that know snapshots.
    pub(super) fn send_snapshot(&self) {
        let connections = self.connections.count(&self.sockets);
        let Some(text) = self.board().snapshot(connections) else { return };
        for socket in self.sockets.dashboards() {
            if matches!(attachment(&socket), Some(Attachment { kind: Kind::Watcher { v1: true, .. }, .. })) {
                let _ = socket.send_with_str(&text);
                note_count(&socket, connections);
            }
        }
    }

    /// Checks every open socket, closes those that must go, and returns when to check again.
    pub(super) fn check_sockets(&self) -> error::Result<Option<Timestamp>> {
        let now = clock::now();
        if !self.sockets.checking_is_due(now) {
            return Ok(self.sockets.check_at());
        }
        let recorded_at = |seq| self.storage.recorded_at(seq).ok().flatten().unwrap_or(now);
        let announced =
            Announced { seq: self.latest(), bytes: self.announced_bytes(), recorded_at: Box::new(recorded_at) };
        let mut next: Option<Timestamp> = None;
        for socket in self.sockets.all() {
            let Some(mut attachment) = attachment(&socket) else {
                // Nobody knows what it is; a client of ours comes back.
                self.close(&socket, &ApiError::Unavailable)?;
                continue;
            };
            let before = attachment.clone();
            match sweep::check_liveness(&mut attachment, self.sockets.pinged_at(&socket), &announced, now) {
                Ok(deadline) => {
                    next = Some(next.map_or(deadline, |earlier| earlier.min(deadline)));
                    if attachment != before {
                        store(&socket, &attachment)?;
                    }
                }
                Err(error) => self.close(&socket, &error)?,
            }
        }
        self.sockets.checked(now, next);
        Ok(next)
    }
}
