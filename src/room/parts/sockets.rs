//! The room's sockets: what each one is stands in its attachment, which the runtime keeps while the room sleeps.
//!
//! **Invariant:** sending never fails: a socket that cannot be sent to is on its way out, and its client resumes. Whatever
//! closes a doctor's socket, presence is told.

use std::{cell::Cell, rc::Rc};

use chrono::TimeDelta;
use rollcall_core::{
    ApiError, SessionId, Timestamp, UserId,
    metrics::Count,
    registry::entries,
    socket::{Attachment, Kind, to_json},
    wire::{ActiveConnection, DoctorEvent},
};
use wasm_bindgen::JsValue;
use worker::{Result, State, WebSocket, WebSocketPair, web_sys};

use crate::{platform::js, telemetry::metrics};

const WATCHER: &str = "watcher";
const CONNECTION: &str = "connection";
/// Besides [`WATCHER`]: it asks to be told how many people are connected.
const COUNTING: &str = "counting";

/// The longest close reason, in bytes (RFC 6455); a longer one throws.
pub const REASON_LIMIT: usize = 123;

/// While events are sent, sockets are checked this often: a dashboard may fall behind.
const CHECK_EVERY: TimeDelta = TimeDelta::seconds(3);

/// The sockets of a room.
#[derive(Clone)]
pub struct Sockets {
    state: Rc<State>,
    /// When the next one has to be checked; `None` if that is not known.
    check_at: Rc<Cell<Option<Timestamp>>>,
    checked_at: Rc<Cell<Timestamp>>,
}

impl Sockets {
    pub fn new(state: Rc<State>) -> Self {
        Self { state, check_at: Rc::default(), checked_at: Rc::default() }
    }

    /// When the next socket has to be checked, if there is one.
    pub fn check_at(&self) -> Option<Timestamp> {
        self.check_at.get().filter(|at| *at < Timestamp::MAX_UTC)
    }

    /// A socket has to be checked by then.
    pub fn check_by(&self, deadline: Timestamp) {
        self.check_at.set(self.check_at.get().map(|at| at.min(deadline)));
    }

    /// Whether sockets have to be checked now.
    pub fn checking_is_due(&self, now: Timestamp) -> bool {
        self.check_at.get().is_none_or(|at| at <= now) || now - self.checked_at.get() >= CHECK_EVERY
    }

    /// Sockets were checked at `now`, and have to be again at `next`.
    pub fn checked(&self, now: Timestamp, next: Option<Timestamp>) {
        self.check_at.set(Some(next.unwrap_or(Timestamp::MAX_UTC)));
        self.checked_at.set(now);
    }

    /// Accepts a socket, with tags for what the room looks up. Tags are ids, never emails: they have a length limit.
    ///
    /// # Errors
    /// The runtime's, if it takes no more of them.
    pub fn accept(&self, socket: &WebSocket, attachment: &Attachment) -> Result<()> {
        let (kind, counting) = match attachment.kind {
            Kind::Watcher { last_count_sent, .. } => (WATCHER, last_count_sent.map(|_| COUNTING)),
            Kind::Connection { .. } => (CONNECTION, None),
        };
        let session = attachment.session_id.map(session_tag);
        let user = attachment.user_id.map(user_tag);
        let tags = [Some(kind.to_string()), counting.map(str::to_string), session, user];
        let tags = tags.into_iter().flatten().map(JsValue::from).collect();
        metrics::count(Count::Opened(if kind == WATCHER { "dashboard" } else { "connection" }));
        // `State::accept_websocket_with_tags` would panic.
        self.state.as_raw().accept_websocket_with_tags(socket.as_ref(), tags)?;
        store(socket, attachment)
    }

    /// Sends a doctor's event to every dashboard and to the doctor's own pages, encoded once. Returns its length in bytes.
    pub fn broadcast(&self, doctor_id: UserId, event: &DoctorEvent) -> usize {
        let Some(text) = to_json(event) else { return 0 };
        let receives = |socket: &WebSocket| attachment(socket).is_some_and(|one| one.receives_events_of(doctor_id));
        for socket in self.of_user(doctor_id).filter(receives) {
            let _ = socket.send_with_str(&text);
        }
        let _sent = js::send_to_tagged(&self.state, WATCHER, &text);
        #[cfg(feature = "faults")]
        crate::platform::faults::count_sends(crate::telemetry::context::current().room(), _sent as usize);
        text.len()
    }

    /// Every open dashboard.
    pub fn dashboards(&self) -> impl Iterator<Item = WebSocket> + use<> {
        self.tagged(WATCHER)
    }

    /// The open dashboards that ask to be told how many people are connected.
    pub fn counting(&self) -> impl Iterator<Item = WebSocket> + use<> {
        self.tagged(COUNTING)
    }

    /// A user's open sockets, of both kinds.
    pub fn of_user(&self, user_id: UserId) -> impl Iterator<Item = WebSocket> + use<> {
        self.tagged(&user_tag(user_id))
    }

    /// A session's open sockets.
    pub fn of_session(&self, id: SessionId) -> impl Iterator<Item = WebSocket> + use<> {
        self.tagged(&session_tag(id))
    }

    /// Every open socket.
    pub fn all(&self) -> impl Iterator<Item = WebSocket> + use<> {
        self.state.get_websockets().into_iter().filter(is_open)
    }

    /// How many dashboards, and how many sockets of people, are open.
    pub fn counts(&self) -> (usize, usize) {
        (self.tagged(WATCHER).count(), self.tagged(CONNECTION).count())
    }

    /// Whether a doctor has an open socket on `/ws/connect/`.
    pub fn is_connected(&self, doctor_id: UserId) -> bool {
        let attachments = self.of_user(doctor_id).filter_map(|socket| attachment(&socket));
        attachments.into_iter().any(|attachment| matches!(attachment.kind, Kind::Connection { .. }))
    }

    /// Who is connected, one entry for each email.
    pub fn registry(&self) -> Vec<ActiveConnection> {
        self.entries(|socket| js::pinged_at(&self.state, socket))
    }

    /// How many people are connected.
    pub fn people(&self) -> usize {
        self.entries(|_| None).len()
    }

    fn entries(&self, pinged: impl Fn(&WebSocket) -> Option<Timestamp>) -> Vec<ActiveConnection> {
        entries(self.tagged(CONNECTION).filter_map(|socket| {
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

    /// A user has another email from now on: their open connections are listed by it.
    pub fn rename(&self, user_id: UserId, to: &str) -> Result<()> {
        for socket in self.of_user(user_id) {
            if let Some(mut attachment) = attachment(&socket)
                && let Kind::Connection { email, .. } = &mut attachment.kind
            {
                *email = to.to_string();
                store(&socket, &attachment)?;
            }
        }
        Ok(())
    }

    fn tagged(&self, tag: &str) -> impl Iterator<Item = WebSocket> + use<> {
        self.state.get_websockets_with_tag(tag).into_iter().filter(is_open)
    }

    /// When a socket last sent a `ping` that the runtime answered.
    pub fn pinged_at(&self, socket: &WebSocket) -> Option<Timestamp> {
        js::pinged_at(&self.state, socket)
    }
}

/// Notes the number of connections in a dashboard's attachment. Returns whether the dashboard has to be sent it.
pub fn note_count(socket: &WebSocket, connections: usize) -> bool {
    let Some(mut attachment) = attachment(socket) else { return false };
    attachment.note_count(connections) && store(socket, &attachment).is_ok()
}

/// Rejects a join so that a browser can read why: accepted, then closed.
///
/// # Errors
/// The runtime's.
pub fn reject(error: &ApiError) -> Result<WebSocket> {
    let pair = WebSocketPair::new()?;
    pair.server.accept()?;
    close(&pair.server, error);
    Ok(pair.client)
}

/// A socket that is closing stays listed until its peer has answered.
pub fn is_open(socket: &WebSocket) -> bool {
    let socket: &web_sys::WebSocket = socket.as_ref();
    socket.ready_state() == web_sys::WebSocket::OPEN
}

fn session_tag(id: SessionId) -> String {
    format!("session:{id}")
}

fn user_tag(id: UserId) -> String {
    format!("user:{id}")
}

pub fn close(socket: &WebSocket, error: &ApiError) {
    let _ = socket.close(Some(error.close_code()), Some(prefix(&error.to_string(), REASON_LIMIT)));
}

/// Attachments are stored as JSON text: the next deploy must be able to read what is stored today.
pub fn store(socket: &WebSocket, attachment: &Attachment) -> Result<()> {
    socket.serialize_attachment(serde_json::to_string(attachment)?)
}

/// What a socket is.
pub fn attachment(socket: &WebSocket) -> Option<Attachment> {
    let stored = socket.deserialize_attachment::<String>().ok().flatten()?;
    serde_json::from_str(&stored).ok()
}

/// The longest prefix of at most `limit` bytes that ends between characters.
pub fn prefix(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or_default()
}
