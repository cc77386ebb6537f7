//! What a socket is, and what it hears back.
//!
//! **Invariant:** an attachment outlives deploys and hibernation: its JSON is pinned below, and may only grow.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Id, Rejection, Timestamp,
    wire::{ConnectionCommand, ConnectionMessage, WatcherCommand, WatcherMessage},
};

/// The largest text frame, in bytes.
pub const FRAME_LIMIT: usize = 64 * 1024;

/// Who is at the other end: stored with the socket by the runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Attachment {
    /// A dashboard on `/ws/doctor-status/`.
    Watcher {
        /// Who watches; absent where sockets are open.
        user_id: Option<Id>,
        /// The session that opened it.
        session_id: Option<Id>,
        /// It speaks `rollcall.v1`.
        v1: bool,
    },
    /// A person on `/ws/connect/`.
    Connection {
        /// Who.
        user_id: Id,
        /// The session that opened it.
        session_id: Option<Id>,
        /// Their email, as stored.
        email: String,
        /// When it was opened.
        connected_at: Timestamp,
        /// When it was last heard.
        last_activity: Timestamp,
    },
}

/// What a text frame leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing to say.
    Nothing,
    /// Send this text.
    Send(String),
    /// Close with this refusal's code.
    Close(Rejection),
}

impl Attachment {
    /// The session that opened the socket.
    pub fn session_id(&self) -> Option<Id> {
        match self {
            Self::Watcher { session_id, .. } | Self::Connection { session_id, .. } => *session_id,
        }
    }

    /// Hears a text frame at `now`: remembers the activity, and says what to answer.
    pub fn hear(&mut self, frame: &str, now: Timestamp) -> Reply {
        if frame.len() > FRAME_LIMIT {
            return Reply::Close(Rejection::TooLarge(FRAME_LIMIT));
        }
        match self {
            Self::Watcher { .. } => match understand(frame, r#"Expected {"type":"ack","seq":<number>}"#) {
                Ok(WatcherCommand::Ack { .. }) => Reply::Nothing,
                Err(message) => say(&WatcherMessage::Error { message }),
            },
            Self::Connection { email, last_activity, .. } => {
                *last_activity = now;
                say(&match understand(frame, r#"Expected {"message":"<text>"}"#) {
                    Ok(ConnectionCommand { message }) => ConnectionMessage::Message {
                        message: format!("Server received: {message}"),
                        from: email.clone(),
                    },
                    Err(message) => ConnectionMessage::Error { message },
                })
            }
        }
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

/// Wire messages always serialize: they hold text, numbers and times only.
fn say(message: &impl Serialize) -> Reply {
    serde_json::to_string(message).map_or(Reply::Nothing, Reply::Send)
}

/// The code to answer a peer's close with: its own where it may be sent, 1000 for one that may not.
pub fn close_code_for(peer: u16) -> u16 {
    match peer {
        1000..=1003 | 1007..=1014 | 3000..=4999 => peer,
        _ => 1000,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T09:05:00Z".parse().unwrap()
    }

    fn connection() -> Attachment {
        Attachment::Connection {
            user_id: 9,
            session_id: None,
            email: "user1@example.com".into(),
            connected_at: "2026-11-21T09:00:00Z".parse().unwrap(),
            last_activity: "2026-11-21T09:00:00Z".parse().unwrap(),
        }
    }

    fn watcher() -> Attachment {
        Attachment::Watcher { user_id: Some(1), session_id: Some(5), v1: true }
    }

    #[test]
    fn attachments_of_older_deploys_are_still_read() {
        let stored = r#"{"kind":"connection","user_id":9,"session_id":null,"email":"user1@example.com","connected_at":"2026-11-21T09:00:00Z","last_activity":"2026-11-21T09:00:00Z"}"#;
        assert_eq!(serde_json::from_str::<Attachment>(stored).unwrap(), connection());
        assert_eq!(serde_json::to_string(&connection()).unwrap(), stored);
        let stored = r#"{"kind":"watcher","user_id":1,"session_id":5,"v1":true}"#;
        assert_eq!(serde_json::from_str::<Attachment>(stored).unwrap(), watcher());
        assert_eq!(serde_json::to_string(&watcher()).unwrap(), stored);
    }

    #[test]
    fn a_connection_is_echoed_as_in_the_original_and_its_activity_remembered() {
        let mut socket = connection();
        let reply = socket.hear(r#"{"message":"Hello Server!"}"#, now());
        let expected = r#"{"type":"message","message":"Server received: Hello Server!","from":"user1@example.com"}"#;
        assert_eq!(reply, Reply::Send(expected.into()));
        let Attachment::Connection { last_activity, .. } = socket else { panic!() };
        assert_eq!(last_activity, now());
    }

    #[test]
    fn what_is_not_understood_is_answered() {
        let invalid = |reply: Reply| reply == Reply::Send(r#"{"type":"error","message":"Invalid JSON format"}"#.into());
        let deep = "[".repeat(10_000);
        for frame in ["", "hello", "{", "{'message':1}", deep.as_str()] {
            assert!(invalid(connection().hear(frame, now())), "{frame:.20}");
            assert!(invalid(watcher().hear(frame, now())), "{frame:.20}");
        }
        for frame in ["{}", "[]", "7", r#"["Hello"]"#, r#"{"message":7}"#, r#"{"type":"subscribe"}"#] {
            for mut socket in [connection(), watcher()] {
                let Reply::Send(text) = socket.hear(frame, now()) else { panic!("{frame}") };
                assert!(text.starts_with(r#"{"type":"error","message":"Expected {"#), "{text}");
            }
        }
    }

    #[test]
    fn an_acknowledgement_is_heard_in_silence() {
        assert_eq!(watcher().hear(r#"{"type":"ack","seq":9}"#, now()), Reply::Nothing);
    }

    #[test]
    fn a_frame_over_the_limit_closes_with_1009() {
        let Reply::Close(rejection) = connection().hear(&"x".repeat(FRAME_LIMIT + 1), now()) else { panic!() };
        assert_eq!(rejection.close_code(), 1009);
    }

    #[test]
    fn a_close_is_answered_with_a_code_that_may_be_sent() {
        for reserved in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            assert_eq!(close_code_for(reserved), 1000, "{reserved}");
        }
        for sent in [1000, 1001, 1008, 3000, 4001, 4999] {
            assert_eq!(close_code_for(sent), sent);
        }
    }

    proptest! {
        #[test]
        fn any_frame_is_answered(frame: String) {
            let _ = (connection().hear(&frame, now()), watcher().hear(&frame, now()));
        }
    }
}
