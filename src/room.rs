//! A hospital's room: the Durable Object where its doctors, dashboards and connections meet.
//!
//! **Invariant:** the room is the only writer of its doctors' state; nothing reaches a socket unless it is already a
//! row in `events`; and events reach every socket in `seq` order. [`Room::memory`] is locked from before a change is
//! sent to the database until it is announced, and while a dashboard joins, so neither can overtake the other.

mod alarm;
mod connections;
mod durable;
mod join;
mod record;
mod relays;
mod sockets;

pub(crate) use sockets::refuse;

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use rollcall_core::{
    Id, Rejection, Timestamp,
    board::Board,
    call::{Call, Place},
    ticket::SocketPath,
    wire::{ActiveConnections, Success},
};
use tokio::sync::{Mutex, MutexGuard};
use wasm_bindgen::JsCast;
use worker::{
    DurableObject, Env, Request, Response, Result, State, WebSocket, WebSocketIncomingMessage,
    WebSocketRequestResponsePair, durable_object, worker_sys::DurableObjectState,
};

use self::{connections::Telling, durable::Durable, record::Waiting, relays::Relays};
use crate::{
    clock,
    env::Bindings,
    error::{self, Error},
    faults,
    http::object_call,
    log::{self, About, Refused},
};

/// The Durable Object class. Woken for a call, a frame or its alarm, asleep in between; only its sockets, their
/// attachments and what is in its own storage outlive its sleep.
#[durable_object]
pub struct Room {
    state: State,
    /// The same, for what the `worker` crate does not bind.
    raw: DurableObjectState,
    bindings: Bindings,
    place: OnceCell<Place>,
    memory: Mutex<Option<Memory>>,
    /// Changes that nobody has sent to the database yet. Never borrowed while anything waits.
    waiting: RefCell<VecDeque<Waiting>>,
    /// How far the hospital is from UTC.
    offset: clock::Offset,
    /// Read from storage at first use, and never borrowed while anything waits.
    durable: RefCell<Option<Durable>>,
    /// For when the alarm is set; unknown after waking.
    alarm: Cell<Option<Option<Timestamp>>>,
    /// Until then the database may still make a change that it did not answer.
    in_doubt_until: Cell<Timestamp>,
    relays: Relays,
    telling: Rc<Telling>,
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
        let raw = state._inner();
        let state = State::from(raw.clone().unchecked_into::<DurableObjectState>());
        if let Ok(ping) = WebSocketRequestResponsePair::new("ping", "pong") {
            state.set_websocket_auto_response(&ping);
        }
        Self {
            state,
            raw,
            bindings: Bindings::new(env),
            place: OnceCell::new(),
            memory: Mutex::new(None),
            waiting: RefCell::default(),
            offset: clock::Offset::default(),
            durable: RefCell::new(None),
            alarm: Cell::new(None),
            in_doubt_until: Cell::default(),
            relays: Relays::default(),
            telling: Rc::default(),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let about = About::object(self.place()?, object_call::request_id(&request));
        log::about(about, self.answer_call(request)).await
    }

    async fn websocket_message(&self, socket: WebSocket, frame: WebSocketIncomingMessage) -> Result<()> {
        match frame {
            WebSocketIncomingMessage::String(text) => self.hear(&socket, Some(&text))?,
            WebSocketIncomingMessage::Binary(_) => self.hear(&socket, None)?,
        }
        self.look_again_in_time().await
    }

    async fn websocket_close(&self, socket: WebSocket, code: usize, reason: String, _was_clean: bool) -> Result<()> {
        self.closed(&socket, code, &reason)?;
        self.look_again_in_time().await
    }

    async fn websocket_error(&self, socket: WebSocket, _error: worker::Error) -> Result<()> {
        self.closed(&socket, 0, "")?;
        self.look_again_in_time().await
    }

    async fn alarm(&self) -> Result<Response> {
        log::about(About::object(self.place()?, String::new()), self.ring()).await?;
        Response::empty()
    }
}

/// Who waits longer for the room than this is sent away, and what they asked for is not done later: they may have
/// asked for something else by then.
const PATIENCE: Duration = Duration::from_secs(4);

impl Room {
    async fn answer_call(&self, request: Request) -> Result<Response> {
        let point = if self.place()?.relay.is_some() { "relay" } else { "room" };
        faults::point(point, self).await?;
        let call = object_call::read(request).await?;
        let response = match call {
            Call::Record { by, doctor_id, change } => answer(self.record(by, doctor_id, change).await),
            Call::Watch { opener, v1, since, connections } => {
                joined(SocketPath::DoctorStatus, self.join_as_watcher(opener, v1, since, connections).await)
            }
            Call::Connect { opener, email, doctor, v1 } => {
                joined(SocketPath::Connect, self.join_as_person(opener, email, doctor, v1).await)
            }
            Call::Registry => {
                let active_connections = self.registry();
                let (status, count) = (Success::Success, active_connections.len());
                answer(Ok(ActiveConnections { status, count, active_connections }))
            }
            Call::Count(user_id) => answer(Ok(self.counts(user_id))),
            Call::Gauges => answer(self.gauges().map_err(Error::from)),
            Call::Relay { events, latest, connections } => {
                self.telling.learn(connections);
                answer(self.hear_of(events, latest).await)
            }
            Call::Connections(connections) => {
                self.telling.learn(connections);
                self.tell_connections_now();
                answer(Ok(()))
            }
            Call::Show(connections) => {
                self.telling.learn(connections);
                answer(self.show_here().await)
            }
            Call::EndSessions { user_id, ref session_ids } => {
                self.end_sessions(session_ids)?;
                answer(self.pass_on::<()>(user_id, &call).await)
            }
            Call::Disconnect(user_id) => {
                let here = self.disconnect(user_id, &Rejection::Disconnected)?;
                answer(self.pass_on::<usize>(user_id, &call).await.map(|there| here + there))
            }
            Call::UserChanged { by, user_id, email, ended, is_gone, leaves_duty } => {
                self.end_sessions(&ended)?;
                self.rename(user_id, &email)?;
                if is_gone {
                    self.disconnect(user_id, &Rejection::SessionEnded)?;
                }
                // At a relay nobody is without a session.
                let ended = self.pass_on::<()>(user_id, &Call::EndSessions { user_id, session_ids: ended }).await;
                answer(self.show_anew(&by, user_id, leaves_duty).await.and(ended))
            }
        };
        self.look_again_in_time().await?;
        response
    }

    /// The room's memory, for one at a time, in the order of asking.
    async fn lock(&self) -> Result<MutexGuard<'_, Option<Memory>>> {
        match self.memory.try_lock() {
            Ok(memory) => Ok(memory),
            Err(_) => clock::within(PATIENCE, self.memory.lock()).await,
        }
    }

    /// The hospital, and which relay this is, if it is one: by the object's name.
    fn place(&self) -> Result<Place> {
        if let Some(place) = self.place.get() {
            return Ok(*place);
        }
        let name = self.state.id().name().unwrap_or_default();
        let place = Place::of(&name).ok_or_else(|| worker::Error::RustError("a room without a hospital".into()))?;
        Ok(*self.place.get_or_init(|| place))
    }

    /// The hospital.
    pub(crate) fn hospital_id(&self) -> Result<Id> {
        Ok(self.place()?.hospital_id)
    }
}

/// A join's result as a browser reads it: a refusal is a socket too.
fn joined(path: SocketPath, result: error::Result<Response>) -> Result<Response> {
    result.or_else(|error| {
        let rejection = error.into_rejection();
        log::refused(&Refused {
            code: rejection.code(),
            status: rejection.close_code(),
            method: "GET",
            path: path.as_str(),
        });
        refuse(&rejection)
    })
}

/// A call's result as the Worker reads it: a refusal is an answer too.
fn answer<T: serde::Serialize>(result: error::Result<T>) -> Result<Response> {
    Response::ok(object_call::as_json(&result.map_err(Error::into_rejection))?)
}
