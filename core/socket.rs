//! A socket's attachment, and the answers to its messages.
//!
//! **Invariant:** an attachment outlives deploys and hibernation: its JSON is pinned below, and may only grow.

use std::mem;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    ApiError, Seq, SessionId, Timestamp, UserId,
    auth::Principal,
    wire::{ConnectionCommand, ConnectionMessage, WatcherCommand, WatcherMessage},
};

/// The largest text frame, in bytes.
pub const FRAME_LIMIT: usize = 64 * 1024;

/// The open sockets that one user may have, of both kinds together.
pub const SOCKETS_PER_USER: usize = 10;

/// So many messages may come at once, and no more than refill the bucket after that.
const BUCKET: i32 = 120;

/// One message's share of the bucket comes back in this time.
const REFILL: TimeDelta = TimeDelta::milliseconds(500);

/// So many messages in a row that are not understood, and the socket is closed.
const MALFORMED_LIMIT: u8 = 3;

/// What the runtime stores with a socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What is at the other end.
    #[serde(flatten)]
    pub kind: Kind,
    /// The user; absent for a watcher without a session, where sockets need none.
    pub user_id: Option<UserId>,
    /// The session that opened it.
    pub session_id: Option<SessionId>,
    /// When that session ends by itself.
    #[serde(default)]
    pub session_ends: Option<Timestamp>,
    /// When it was opened.
    #[serde(default)]
    pub connected_at: Timestamp,
    /// When it was last heard, apart from pings: those are the runtime's to remember.
    #[serde(default)]
    pub last_activity: Timestamp,
    /// How many messages in a row were not understood.
    #[serde(default)]
    malformed: u8,
    /// When its bucket is full again. Each message moves it on by [`REFILL`].
    #[serde(default)]
    bucket_full_at: Timestamp,
}

/// The two kinds of sockets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// A dashboard on `/ws/doctor-status/`.
    Watcher {
        /// It speaks `rollcall.v1`.
        v1: bool,
        /// The latest event that it has acknowledged; nothing is known of sockets of older deploys.
        #[serde(default)]
        acked: Option<Seq>,
        /// How many bytes the room had announced when it was last heard; less what it was sent when it joined.
        #[serde(default)]
        heard_at_byte: i64,
        /// The number of connections that it was sent last; `None` if it does not ask for that number.
        #[serde(default, rename = "told")]
        last_count_sent: Option<usize>,
    },
    /// A person on `/ws/connect/`.
    Connection {
        /// Their email, as stored.
        email: String,
        /// Their presence is watched.
        #[serde(default)]
        doctor: bool,
        /// It speaks `rollcall.v1`.
        #[serde(default)]
        v1: bool,
    },
}

/// The one who opens a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketOwner {
    /// The user, if known.
    pub user_id: Option<UserId>,
    /// The session that it is opened with, if any.
    pub session_id: Option<SessionId>,
    /// When that session ends by itself.
    pub session_ends: Option<Timestamp>,
}

impl SocketOwner {
    /// A user who is only named, which is enough where sockets need no session.
    pub fn named(user_id: UserId) -> Self {
        Self { user_id: Some(user_id), ..Self::default() }
    }
}

impl From<&Principal> for SocketOwner {
    fn from(who: &Principal) -> Self {
        Self { user_id: Some(who.user_id), session_id: Some(who.session_id), session_ends: Some(who.session_ends) }
    }
}

/// What a text frame leads to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Send this text.
    pub text: Option<String>,
    /// And then close with this error's code.
    pub close: Option<ApiError>,
}

impl Reply {
    fn close(error: ApiError) -> Self {
        Self { text: None, close: Some(error) }
    }
}

impl Attachment {
    /// The attachment of a socket that is opened now.
    pub fn new(kind: Kind, owner: SocketOwner, now: Timestamp) -> Self {
        let SocketOwner { user_id, session_id, session_ends } = owner;
        Self {
            kind,
            user_id,
            session_id,
            session_ends,
            connected_at: now,
            last_activity: now,
            malformed: 0,
            bucket_full_at: now,
        }
    }

    /// The doctor whose presence this socket shows.
    pub fn doctor_id(&self) -> Option<UserId> {
        match self.kind {
            Kind::Connection { doctor: true, .. } => self.user_id,
            Kind::Connection { doctor: false, .. } | Kind::Watcher { .. } => None,
        }
    }

    /// Whether a person's own connection receives the events of that doctor: a doctor their own, if the client
    /// understands them.
    pub fn receives_events_of(&self, doctor_id: UserId) -> bool {
        matches!(self.kind, Kind::Connection { v1: true, .. }) && self.doctor_id() == Some(doctor_id)
    }

    /// Notes that the number of connections is `connections` now. `true` if it is to be sent to this dashboard, which
    /// asks for it and was sent another number last.
    pub fn note_count(&mut self, connections: usize) -> bool {
        match &mut self.kind {
            Kind::Watcher { last_count_sent: Some(last), .. } => mem::replace(last, connections) != connections,
            Kind::Watcher { last_count_sent: None, .. } | Kind::Connection { .. } => false,
        }
    }

    /// Notes a text frame that arrived at `now`, when the room had announced so many bytes in all, and answers it.
    pub fn on_message(&mut self, frame: &str, now: Timestamp, announced_bytes: i64) -> Reply {
        if frame.len() > FRAME_LIMIT {
            return Reply::close(ApiError::TooLarge(FRAME_LIMIT));
        }
        self.last_activity = now;
        self.bucket_full_at = self.bucket_full_at.max(now) + REFILL;
        if self.bucket_full_at - now > REFILL * BUCKET {
            return Reply::close(ApiError::TooManyMessages);
        }
        let (text, understood) = match &mut self.kind {
            Kind::Watcher { acked, heard_at_byte, .. } => {
                *heard_at_byte = announced_bytes;
                match understand(frame, r#"Expected {"type":"ack","seq":<number>}"#) {
                    Ok(WatcherCommand::Ack { seq }) => {
                        *acked = Some(acked.unwrap_or_default().max(seq));
                        (None, true)
                    }
                    Err(message) => (to_json(&WatcherMessage::Error { message }), false),
                }
            }
            Kind::Connection { email, .. } => match understand(frame, r#"Expected {"message":"<text>"}"#) {
                Ok(ConnectionCommand { message }) => {
                    let message = format!("Server received: {message}");
                    (to_json(&ConnectionMessage::Message { message, from: email.clone() }), true)
                }
                Err(message) => (to_json(&ConnectionMessage::Error { message }), false),
            },
        };
        self.malformed = if understood { 0 } else { self.malformed.saturating_add(1) };
        Reply { text, close: (self.malformed >= MALFORMED_LIMIT).then_some(ApiError::Malformed) }
    }
}

/// Reads a JSON object. The error is the original's text for what is not JSON, `expected` for JSON of another shape.
fn understand<T: DeserializeOwned>(frame: &str, expected: &str) -> Result<T, String> {
    // By way of `Value`, because serde reads an array as a struct's fields in order: `["x"]` is no message of ours.
    match serde_json::from_str(frame) {
        Ok(object @ Value::Object(_)) => serde_json::from_value(object).map_err(|_| expected.into()),
        Ok(_) => Err(expected.into()),
        Err(_) => Err("Invalid JSON format".into()),
    }
}

/// A message's JSON. Wire messages always serialize: they hold text, numbers and times only.
pub fn to_json(message: &impl Serialize) -> Option<String> {
    serde_json::to_string(message).ok()
}

/// The code to answer a peer's close with: its own where it may be sent, 1000 for one that may not.
pub fn close_code_for(peer: u16) -> u16 {
    match peer {
        1000..=1003 | 1007..=1014 | 3000..=4999 => peer,
        _ => 1000,
    }
}

#[cfg(test)]
pub(crate) mod tests;
