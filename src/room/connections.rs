//! How many people are connected, told to the dashboards that ask for it.
//!
//! **Invariant:** the number that such a dashboard was told last stands in its attachment. So it is told what it does not
//! know and nothing else, also where the room slept, or died before it could tell: the alarm looks again.

use std::{cell::Cell, rc::Rc, time::Duration};

use rollcall_core::{
    call::{Call, Place},
    wire::WatcherMessage,
};
use wasm_bindgen::JsCast;
use worker::{Delay, State, worker_sys::DurableObjectState};

use super::{
    PATIENCE, Room,
    sockets::{self, COUNTING},
};
use crate::{
    env::Bindings,
    http::object_call::{as_json, ask_each},
};

/// Before anybody is told, so that many who come at once are told of once.
const PAUSE: Duration = Duration::from_secs(1);

/// What has been told to whom.
#[derive(Default)]
pub(super) struct Telling {
    /// A timer runs that will tell.
    soon: Cell<bool>,
    /// How many there are, where nobody has come or gone since they were counted.
    counted: Cell<Option<usize>>,
    /// What the relays were told last, if all of them heard it.
    relayed: Cell<Option<usize>>,
}

impl Room {
    /// Somebody has come or gone, or may have.
    pub(super) fn tell_connections_soon(&self) {
        self.telling.counted.set(None);
        let relays = self.relays().unwrap_or_default();
        let nobody_asks = sockets::open_tagged(&self.state, COUNTING).next().is_none() && relays.is_empty();
        if nobody_asks || self.telling.soon.replace(true) {
            return;
        }
        let state = State::from(self.raw.clone().unchecked_into::<DurableObjectState>());
        let (telling, bindings) = (Rc::clone(&self.telling), self.bindings.clone());
        let relayed = self.place().ok().and_then(|place| place.relay).map(|_| self.connections());
        self.state.wait_until(async move {
            Delay::from(PAUSE).await;
            telling.soon.set(false);
            let connections = relayed.unwrap_or_else(|| connections(&state));
            tell(&state, connections);
            telling.tell_relays(&bindings, relays, connections).await;
        });
    }

    /// How many people are connected. A relay knows what it was told.
    pub(super) fn connections(&self) -> usize {
        match self.place() {
            Ok(Place { relay: Some(_), .. }) => self.relays.connections.get().unwrap_or_default(),
            _ => {
                let counted = self.telling.counted.get().unwrap_or_else(|| connections(&self.state));
                self.telling.counted.set(Some(counted));
                counted
            }
        }
    }

    /// This relay is told how many people are connected.
    pub(super) fn learn_connections(&self, connections: usize) {
        self.relays.connections.set(Some(connections));
        tell(&self.state, connections);
    }
}

impl Telling {
    /// Tells the relays, if they do not know. One that does not answer is told with the next event.
    async fn tell_relays(&self, bindings: &Bindings, relays: Vec<Place>, connections: usize) {
        if relays.is_empty() || self.relayed.replace(Some(connections)) == Some(connections) {
            return;
        }
        let Ok(json) = as_json(&Call::Connections(connections)) else { return };
        let calls = relays.into_iter().map(|place| (place, json.clone())).collect();
        if ask_each(bindings, calls, PATIENCE).await.iter().any(Result::is_err) {
            self.relayed.set(None);
        }
    }
}

/// Tells the dashboards that do not know.
fn tell(state: &State, connections: usize) {
    let Some(text) = sockets::encode(&WatcherMessage::Connections { connections }) else { return };
    for socket in sockets::open_tagged(state, COUNTING) {
        if sockets::learns(&socket, connections) {
            let _ = socket.send_with_str(&text);
        }
    }
}

fn connections(state: &State) -> usize {
    sockets::registry(state, &|_| None).len()
}
