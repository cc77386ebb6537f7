//! A hospital's room: the Durable Object that owns the hospital's live data.
//!
//! **Invariant:** the room is the only writer of its log and of its doctors' state; nothing reaches a socket unless it is a
//! row of the log; events reach every socket in `seq` order. Nothing awaits between deciding and recording.

mod alarm;
pub mod api;
mod archive;
pub mod cookies;
pub mod credentials;
mod duty;
pub mod handshake;
mod internal;
mod join;
mod parts;
pub mod request;
pub mod router;
mod sockets;
mod state;
mod storage;
mod takeover;
mod user_changes;
mod users;

use std::rc::Rc;

use rollcall_core::{ApiError, room::RoomName};
use tower_http::cors::CorsLayer;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{
    DurableObject, Env, Request, Response, Result, State, WebSocket, WebSocketIncomingMessage,
    WebSocketRequestResponsePair, durable_object, web_sys, worker_sys::DurableObjectState,
};

use self::state::LiveRoom;
use crate::{
    platform::{env::Bindings, faults, js},
    telemetry::{
        context::{RequestContext, with_context},
        error::Error,
        http,
    },
};

/// The Durable Object class. It sleeps between requests, frames and alarms; only its storage, its sockets and their
/// attachments outlive that.
#[durable_object]
pub struct Room {
    live: Rc<LiveRoom>,
    cors: Option<CorsLayer>,
}

impl DurableObject for Room {
    fn new(state: State, env: Env) -> Self {
        // The `worker` crate's `State` cannot be cloned.
        let state: State = state._inner().unchecked_into::<DurableObjectState>().into();
        if let Ok(ping) = WebSocketRequestResponsePair::new("ping", "pong") {
            state.set_websocket_auto_response(&ping);
        }
        let hospital_id = state.id().name().and_then(|name| RoomName::parse(&name)).unwrap_or_default();
        let bindings = Bindings::new(env);
        let cors = http::cors(&bindings.allowed_origins());
        Self { live: LiveRoom::new(state, bindings, hospital_id), cors }
    }

    /// The runtime's requests go to [`Room::serve`]: through here, each would be wrapped twice.
    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("Not found.", 404)
    }

    async fn websocket_message(&self, socket: WebSocket, frame: WebSocketIncomingMessage) -> Result<()> {
        self.in_room(async |room| {
            match frame {
                WebSocketIncomingMessage::String(text) => room.on_message(&socket, Some(&text))?,
                WebSocketIncomingMessage::Binary(_) => room.on_message(&socket, None)?,
            }
            Ok(())
        })
        .await
    }

    async fn websocket_close(&self, socket: WebSocket, code: usize, reason: String, _was_clean: bool) -> Result<()> {
        self.in_room(async |room| Ok(room.on_close(&socket, code, &reason)?)).await
    }

    async fn websocket_error(&self, socket: WebSocket, _error: worker::Error) -> Result<()> {
        self.in_room(async |room| Ok(room.on_close(&socket, 0, "")?)).await
    }

    async fn alarm(&self) -> Result<Response> {
        let context = RequestContext::of_room(self.live.hospital_id(), String::new());
        with_context(context, self.live.clone().on_alarm()).await?;
        Response::empty()
    }
}

impl Room {
    async fn answer(&self, json: &str) -> std::result::Result<serde_json::Value, Error> {
        faults::point("room", self.live.hospital_id()).await?;
        self.live.clone().answer(json).await
    }

    /// Does `work` in a room that has read what it knows.
    async fn in_room(&self, work: impl AsyncFnOnce(&LiveRoom) -> std::result::Result<(), Error>) -> Result<()> {
        let context = RequestContext::of_room(self.live.hospital_id(), String::new());
        with_context(context, async {
            self.live.ready().await?;
            self.live.alarm_after_waking()?;
            work(&self.live).await
        })
        .await
        .map_err(|error| worker::Error::RustError(error.into_api_error().to_string()))
    }
}

/// The two entrances.
#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
impl Room {
    /// The entrance of clients: receives what one sent, and trusts nothing in it. Returns a response or, if something had
    /// to be waited for, a promise of one.
    pub fn serve(&self, request: web_sys::Request) -> std::result::Result<JsValue, JsValue> {
        let served = router::serve(Rc::clone(&self.live), self.cors.clone(), request);
        js::now_or_promise(async { Ok(served.await?.into()) })
    }

    /// The entrance of the Worker and nobody else: an RPC method, which no HTTP request reaches. Answers a call, both in
    /// JSON, for a request of that id.
    pub async fn call(&self, json: String, request_id: String) -> std::result::Result<String, JsValue> {
        let context = RequestContext::of_room(self.live.hospital_id(), request_id);
        let answer = with_context(context, async { self.answer(&json).await.map_err(Error::into_api_error) }).await;
        serde_json::to_string::<std::result::Result<_, ApiError>>(&answer)
            .map_err(|error| worker::Error::from(error).into())
    }
}
