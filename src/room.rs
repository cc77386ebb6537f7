//! A hospital's room: the Durable Object where its doctors, dashboards and connections meet.
//!
//! **Invariant:** the room is the only writer of its doctors' state; nothing reaches a socket unless it is already a
//! row in `events`; and events reach every socket in `seq` order. [`Room::memory`] is locked from before a change is
//! sent to the database until it is announced, and while a dashboard joins, so neither can overtake the other.

mod join;
mod record;
mod sockets;

pub(crate) use sockets::refuse;

use futures_util::lock::Mutex;
use rollcall_core::{
    Id,
    board::Board,
    call::{Call, hospital_of},
    rejection::Rejection,
};
use worker::{
    DurableObject, Env, Request, Response, Result, State, WebSocket, WebSocketIncomingMessage,
    WebSocketRequestResponsePair, durable_object,
};

use crate::{
    env::Bindings,
    error::{self, Error},
    http::room_call,
};

/// The Durable Object class. Woken for a call or a frame, asleep in between; only its sockets and their attachments
/// outlive its sleep.
#[durable_object(websocket)]
pub struct Room {
    state: State,
    bindings: Bindings,
    memory: Mutex<Option<Memory>>,
}

/// What a room knows while it is awake, read from the database at the first call that needs it.
struct Memory {
    /// The hospital's time zone, an IANA name.
    time_zone: String,
    /// The roster, at the seq up to which events have been announced.
    board: Board,
}

impl DurableObject for Room {
    fn new(state: State, env: Env) -> Self {
        if let Ok(ping) = WebSocketRequestResponsePair::new("ping", "pong") {
            state.set_websocket_auto_response(&ping);
        }
        Self { state, bindings: Bindings::new(env), memory: Mutex::new(None) }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        match room_call::read(&request)? {
            Call::Record { by, doctor_id, change } => answer(self.record(&by, doctor_id, change).await),
            Call::Watch { by, v1, since } => self.watch(by, v1, since).await,
            Call::Connect { user_id, email, session_id } => self.connect(user_id, email, session_id),
            Call::Registry => answer(Ok(self.registry())),
            Call::EndSession { session_id } => {
                self.end_session(session_id);
                answer(Ok(()))
            }
        }
    }

    async fn websocket_message(&self, socket: WebSocket, frame: WebSocketIncomingMessage) -> Result<()> {
        match frame {
            WebSocketIncomingMessage::String(text) => sockets::hear(&socket, &text),
            WebSocketIncomingMessage::Binary(_) => sockets::close(&socket, &Rejection::BinaryFrame),
        }
        Ok(())
    }

    async fn websocket_close(&self, socket: WebSocket, code: usize, reason: String, _was_clean: bool) -> Result<()> {
        sockets::answer_close(&socket, code, &reason);
        Ok(())
    }

    async fn websocket_error(&self, _socket: WebSocket, _error: worker::Error) -> Result<()> {
        // A socket that failed is closed already, and the registry is derived from the open ones.
        Ok(())
    }
}

impl Room {
    /// The hospital, by the room's name.
    fn hospital_id(&self) -> Result<Id> {
        let name = self.state.id().name().unwrap_or_default();
        hospital_of(&name).ok_or_else(|| worker::Error::RustError("a room without a hospital".into()))
    }
}

/// A call's result as the Worker reads it: a refusal is an answer too.
fn answer<T: serde::Serialize>(result: error::Result<T>) -> Result<Response> {
    Response::from_json(&result.map_err(Error::into_rejection))
}
