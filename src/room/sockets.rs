//! The room's sockets: what each one is stands in its attachment, which the runtime keeps while the room sleeps.
//!
//! **Invariant:** sending never fails: a socket that cannot be sent to is on its way out, and the next join resumes.

use rollcall_core::{
    Id, Rejection,
    registry::entries,
    socket::{Attachment, Reply, close_code_for},
    wire::{ActiveConnection, DoctorEvent},
};
use serde::Serialize;
use worker::{Response, Result, WebSocket, WebSocketPair, console_error, web_sys};

use super::{Room, join::opened};
use crate::clock;

const WATCHER: &str = "watcher";
const CONNECTION: &str = "connection";

/// The longest close reason, in bytes (RFC 6455); a longer one throws.
const REASON_LIMIT: usize = 123;

impl Room {
    /// Takes a socket over from the Worker, with tags for what the room looks up. Tags are ids, never emails: they
    /// have a length limit.
    pub(super) fn accept(&self, socket: &WebSocket, attachment: &Attachment) -> Result<()> {
        let kind = match attachment {
            Attachment::Watcher { .. } => WATCHER,
            Attachment::Connection { .. } => CONNECTION,
        };
        match attachment.session_id() {
            Some(id) => self.state.accept_websocket_with_tags(socket, &[kind, &session_tag(id)]),
            None => self.state.accept_websocket_with_tags(socket, &[kind]),
        }
        store(socket, attachment)
    }

    /// Sends an event to every dashboard, encoded once.
    pub(super) fn send_to_watchers(&self, event: &DoctorEvent) {
        if let Some(text) = encode(event) {
            for socket in self.open_sockets(WATCHER) {
                let _ = socket.send_with_str(&text);
            }
        }
    }

    /// Who is connected.
    pub(super) fn registry(&self) -> Vec<ActiveConnection> {
        entries(self.open_sockets(CONNECTION).filter_map(|socket| match attachment(&socket)? {
            Attachment::Connection { email, connected_at, last_activity, .. } => {
                Some((email, connected_at, last_activity))
            }
            Attachment::Watcher { .. } => None,
        }))
    }

    /// Closes the sockets of a session that has ended.
    pub(super) fn end_session(&self, session_id: Id) {
        for socket in self.open_sockets(&session_tag(session_id)) {
            close(&socket, &Rejection::SessionEnded);
        }
    }

    /// A socket that is closing stays listed until its peer has answered.
    fn open_sockets(&self, tag: &str) -> impl Iterator<Item = WebSocket> {
        self.state.get_websockets_with_tag(tag).into_iter().filter(|socket| {
            let socket: &web_sys::WebSocket = socket.as_ref();
            socket.ready_state() == web_sys::WebSocket::OPEN
        })
    }
}

fn session_tag(id: Id) -> String {
    format!("session:{id}")
}

/// Answers a text frame.
pub(super) fn hear(socket: &WebSocket, text: &str) {
    let Some(mut attachment) = attachment(socket) else { return };
    match attachment.hear(text, clock::now()) {
        Reply::Nothing => {}
        Reply::Send(reply) => {
            let _ = socket.send_with_str(reply);
        }
        Reply::Close(rejection) => return close(socket, &rejection),
    }
    if let Err(error) = store(socket, &attachment) {
        console_error!("an attachment was not stored: {error}");
    }
}

/// Sends one message to one socket.
pub(super) fn send(socket: &WebSocket, message: &impl Serialize) {
    if let Some(text) = encode(message) {
        let _ = socket.send_with_str(text);
    }
}

/// Closes a socket with a refusal's code.
pub(super) fn close(socket: &WebSocket, rejection: &Rejection) {
    let _ = socket.close(Some(rejection.close_code()), Some(within(&rejection.to_string(), REASON_LIMIT)));
}

/// Answers a peer's close: the runtime does not do it for sockets that may hibernate.
pub(super) fn answer_close(socket: &WebSocket, code: usize, reason: &str) {
    let code = close_code_for(u16::try_from(code).unwrap_or_default());
    let _ = socket.close(Some(code), Some(within(reason, REASON_LIMIT)));
}

/// Refuses a join so that a browser can read why: accepted, then closed.
pub(crate) fn refuse(rejection: &Rejection, v1: bool) -> Result<Response> {
    let pair = WebSocketPair::new()?;
    pair.server.accept()?;
    close(&pair.server, rejection);
    opened(pair.client, v1)
}

/// Attachments are stored as JSON text: what is stored today must be readable by the next deploy.
fn store(socket: &WebSocket, attachment: &Attachment) -> Result<()> {
    socket.serialize_attachment(serde_json::to_string(attachment)?)
}

fn attachment(socket: &WebSocket) -> Option<Attachment> {
    let stored = socket.deserialize_attachment::<String>().ok().flatten()?;
    serde_json::from_str(&stored).ok()
}

fn encode(message: &impl Serialize) -> Option<String> {
    serde_json::to_string(message).inspect_err(|error| console_error!("a message was not encoded: {error}")).ok()
}

/// The longest prefix of at most `limit` bytes that ends between characters.
fn within(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or_default()
}
