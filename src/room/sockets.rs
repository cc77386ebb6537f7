//! The room's sockets: what each one is stands in its attachment, which the runtime keeps while the room sleeps.
//!
//! **Invariant:** sending never fails: a socket that cannot be sent to is on its way out, and the next join resumes.
//! Whatever closes a doctor's socket, presence is told.

use js_sys::{Date, Function, JsString, Reflect};
use rollcall_core::{
    Id, Rejection, Timestamp,
    board::Board,
    metrics::Count,
    registry::entries,
    socket::{Attachment, Kind, close_code_for},
    wire::{ActiveConnection, DoctorEvent},
};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{Response, Result, State, WebSocket, WebSocketPair, web_sys, worker_sys::DurableObjectState};

use super::Room;
use crate::{clock, log, metrics};

pub(super) const WATCHER: &str = "watcher";
pub(super) const CONNECTION: &str = "connection";
/// Beside [`WATCHER`]: it asks to be told how many are connected.
pub(super) const COUNTING: &str = "counting";

/// The longest close reason, in bytes (RFC 6455); a longer one throws.
const REASON_LIMIT: usize = 123;

impl Room {
    /// Takes a socket over from the Worker, with tags for what the room looks up. Tags are ids, never emails: they
    /// have a length limit.
    ///
    /// # Errors
    /// Where the runtime takes no more of them.
    pub(super) fn accept(&self, socket: &WebSocket, attachment: &Attachment) -> Result<()> {
        let (kind, counting) = match attachment.kind {
            Kind::Watcher { told, .. } => (WATCHER, told.map(|_| COUNTING)),
            Kind::Connection { .. } => (CONNECTION, None),
        };
        let session = attachment.session_id.map(session_tag);
        let user = attachment.user_id.map(user_tag);
        let tags = [Some(kind.to_string()), counting.map(str::to_string), session, user]
            .into_iter()
            .flatten()
            .map(JsValue::from)
            .collect();
        metrics::count(Count::Opened(if kind == WATCHER { "dashboard" } else { "connection" }));
        // `State::accept_websocket_with_tags` would panic.
        Ok(self.raw.accept_websocket_with_tags(socket.as_ref(), tags)?)
    }

    /// Sends a doctor's event to every dashboard and to the doctor's own pages, encoded once, and says how long it is in
    /// bytes.
    pub(super) fn send_to_all(&self, doctor_id: Id, event: &DoctorEvent) -> usize {
        let Some(text) = encode(event) else { return 0 };
        let hears = |socket: &WebSocket| attachment(socket).is_some_and(|socket| socket.hears_events_of(doctor_id));
        for socket in self.sockets_of(doctor_id).filter(hears) {
            let _ = socket.send_with_str(&text);
        }
        let _sent = send_to_tagged(&self.raw, WATCHER, &JsString::from(text.as_str()));
        #[cfg(feature = "faults")]
        crate::faults::count_sends(_sent as usize);
        text.len()
    }

    /// Hears a text frame, or one that is not text.
    pub(super) fn hear(&self, socket: &WebSocket, text: Option<&str>) -> Result<()> {
        // What comes after a close is nobody's business any more.
        if !is_open(socket) {
            return Ok(());
        }
        let Some(text) = text else { return self.close(socket, &Rejection::BinaryFrame) };
        let Some(mut attachment) = attachment(socket) else { return Ok(()) };
        let reply = attachment.hear(text, clock::now(), self.announced_bytes()?);
        store(socket, &attachment)?;
        if let Some(text) = reply.text {
            let _ = socket.send_with_str(text);
        }
        match reply.close {
            Some(rejection) => self.close(socket, &rejection),
            None => Ok(()),
        }
    }

    /// Closes a socket with a refusal's code.
    pub(super) fn close(&self, socket: &WebSocket, rejection: &Rejection) -> Result<()> {
        metrics::count_of(Some(self.hospital_id()?), Count::Closed(rejection));
        close(socket, rejection);
        self.gone(socket)
    }

    /// A socket was closed by its peer, or failed. The runtime does not answer a close for sockets that may hibernate.
    pub(super) fn closed(&self, socket: &WebSocket, code: usize, reason: &str) -> Result<()> {
        let code = close_code_for(u16::try_from(code).unwrap_or_default());
        let _ = socket.close(Some(code), Some(within(reason, REASON_LIMIT)));
        self.gone(socket)
    }

    fn gone(&self, socket: &WebSocket) -> Result<()> {
        let Some(attachment) = attachment(socket) else { return Ok(()) };
        if matches!(attachment.kind, Kind::Connection { .. }) {
            self.tell_connections_soon();
        }
        match attachment.doctor_id() {
            Some(doctor_id) => self.see(doctor_id),
            None => Ok(()),
        }
    }

    /// Closes the sockets of sessions that have ended, and those that are still on their way here.
    pub(super) fn end_sessions(&self, session_ids: &[Id]) -> Result<()> {
        self.note_ended(session_ids)?;
        for session_id in session_ids {
            self.open_sockets_tagged(&session_tag(*session_id))
                .try_for_each(|socket| self.close(&socket, &Rejection::SessionEnded))?;
        }
        Ok(())
    }

    /// Closes all of a user's sockets, and says how many there were.
    pub(super) fn disconnect(&self, user_id: Id, because: &Rejection) -> Result<usize> {
        let sockets: Vec<_> = self.sockets_of(user_id).collect();
        sockets.iter().try_for_each(|socket| self.close(socket, because))?;
        Ok(sockets.len())
    }

    /// A user has another email from now on: their open connections are listed by it.
    pub(super) fn rename(&self, user_id: Id, to: &str) -> Result<()> {
        for socket in self.sockets_of(user_id) {
            if let Some(mut attachment) = attachment(&socket)
                && let Kind::Connection { email, .. } = &mut attachment.kind
                && email != to
            {
                *email = to.to_string();
                store(&socket, &attachment)?;
            }
        }
        Ok(())
    }

    /// Sends the dashboards that know snapshots the state anew.
    pub(super) fn send_snapshot(&self, board: &mut Board) {
        let connections = self.connections();
        let Some(text) = board.snapshot(connections) else { return };
        for socket in self.open_sockets_tagged(WATCHER) {
            if matches!(attachment(&socket), Some(Attachment { kind: Kind::Watcher { v1: true, .. }, .. })) {
                let _ = socket.send_with_str(&text);
                learns(&socket, connections);
            }
        }
    }

    /// Who is connected.
    pub(super) fn registry(&self) -> Vec<ActiveConnection> {
        registry(&self.state, &|socket| self.pinged(socket))
    }

    /// Whether a doctor has an open socket on `/ws/connect/`.
    pub(super) fn is_connected(&self, doctor_id: Id) -> bool {
        self.sockets_of(doctor_id)
            .filter_map(|socket| attachment(&socket))
            .any(|attachment| matches!(attachment.kind, Kind::Connection { .. }))
    }

    /// A user's open sockets, of both kinds.
    pub(super) fn sockets_of(&self, user_id: Id) -> impl Iterator<Item = WebSocket> {
        self.open_sockets_tagged(&user_tag(user_id))
    }

    /// Every open socket.
    pub(super) fn open_sockets(&self) -> impl Iterator<Item = WebSocket> {
        self.state.get_websockets().into_iter().filter(is_open)
    }

    fn open_sockets_tagged(&self, tag: &str) -> impl Iterator<Item = WebSocket> + use<> {
        open_tagged(&self.state, tag)
    }

    /// When a socket last sent a `ping` that the runtime answered; by reflection, because `worker` does not bind it.
    pub(super) fn pinged(&self, socket: &WebSocket) -> Option<Timestamp> {
        let name = "getWebSocketAutoResponseTimestamp".into();
        let ask: Function = Reflect::get(&self.raw, &name).ok()?.dyn_into().ok()?;
        let socket: &web_sys::WebSocket = socket.as_ref();
        let date: Date = ask.call1(&self.raw, socket).ok()?.dyn_into().ok()?;
        Some(clock::from_millis(date.get_time() as i64))
    }
}

/// The open sockets that were accepted with a tag.
pub(super) fn open_tagged(state: &State, tag: &str) -> impl Iterator<Item = WebSocket> + use<> {
    state.get_websockets_with_tag(tag).into_iter().filter(is_open)
}

/// Who is connected, when `pinged` says when a socket last sent a `ping`.
pub(super) fn registry(state: &State, pinged: &dyn Fn(&WebSocket) -> Option<Timestamp>) -> Vec<ActiveConnection> {
    entries(open_tagged(state, CONNECTION).filter_map(|socket| {
        let Attachment { kind, connected_at, last_activity, .. } = attachment(&socket)?;
        match kind {
            Kind::Connection { email, .. } => {
                let pinged = pinged(&socket).unwrap_or(last_activity);
                Some((email, connected_at, last_activity.max(pinged)))
            }
            Kind::Watcher { .. } => None,
        }
    }))
}

/// Whether a dashboard is to be told that so many are connected. From then on it knows.
pub(super) fn learns(socket: &WebSocket, connections: usize) -> bool {
    let Some(mut attachment) = attachment(socket) else { return false };
    attachment.learns(connections) && store(socket, &attachment).is_ok()
}

#[wasm_bindgen(module = "/src/room/send.js")]
extern "C" {
    /// Sends one text to every socket that was accepted with a tag, so that none of them costs more than the send. Says how
    /// many it went to.
    #[wasm_bindgen(js_name = sendToTagged)]
    fn send_to_tagged(state: &DurableObjectState, tag: &str, text: &JsString) -> u32;
}

/// A socket that is closing stays listed until its peer has answered.
fn is_open(socket: &WebSocket) -> bool {
    let socket: &web_sys::WebSocket = socket.as_ref();
    socket.ready_state() == web_sys::WebSocket::OPEN
}

fn session_tag(id: Id) -> String {
    format!("session:{id}")
}

fn user_tag(id: Id) -> String {
    format!("user:{id}")
}

fn close(socket: &WebSocket, rejection: &Rejection) {
    let _ = socket.close(Some(rejection.close_code()), Some(within(&rejection.to_string(), REASON_LIMIT)));
}

/// Refuses a join so that a browser can read why: accepted, then closed.
pub(crate) fn refuse(rejection: &Rejection) -> Result<Response> {
    let pair = WebSocketPair::new()?;
    pair.server.accept()?;
    close(&pair.server, rejection);
    Response::from_websocket(pair.client)
}

/// Attachments are stored as JSON text: what is stored today must be readable by the next deploy.
pub(super) fn store(socket: &WebSocket, attachment: &Attachment) -> Result<()> {
    socket.serialize_attachment(serde_json::to_string(attachment)?)
}

/// What a socket is.
pub(super) fn attachment(socket: &WebSocket) -> Option<Attachment> {
    let stored = socket.deserialize_attachment::<String>().ok().flatten()?;
    serde_json::from_str(&stored).ok()
}

/// A message's text.
pub(super) fn encode(message: &impl Serialize) -> Option<String> {
    serde_json::to_string(message)
        .inspect_err(|error| log::error(format_args!("a message was not encoded: {error}")))
        .ok()
}

/// The longest prefix of at most `limit` bytes that ends between characters.
fn within(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or_default()
}
