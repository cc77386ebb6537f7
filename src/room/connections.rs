//! How many people are connected, told to the dashboards that ask for it.
//!
//! **Invariant:** the number that such a dashboard was told last stands in its attachment. So it is told what it does not
//! know and nothing else, also where the room slept, or died before it could tell: the alarm looks again.

use std::{rc::Rc, time::Duration};

use rollcall_core::wire::WatcherMessage;
use wasm_bindgen::JsCast;
use worker::{Delay, State, worker_sys::DurableObjectState};

use super::{
    Room,
    sockets::{self, COUNTING},
};

/// Before anybody is told, so that many who come at once are told of once.
const PAUSE: Duration = Duration::from_secs(1);

impl Room {
    /// Somebody has come or gone, or may have.
    pub(super) fn tell_connections_soon(&self) {
        if self.telling.get() || sockets::open_tagged(&self.state, COUNTING).next().is_none() {
            return;
        }
        self.telling.set(true);
        let state = State::from(self.raw.clone().unchecked_into::<DurableObjectState>());
        let telling = Rc::clone(&self.telling);
        self.state.wait_until(async move {
            Delay::from(PAUSE).await;
            telling.set(false);
            tell(&state);
        });
    }

    /// How many people are connected.
    pub(super) fn connections(&self) -> usize {
        connections(&self.state)
    }
}

/// Tells the dashboards that do not know.
fn tell(state: &State) {
    let connections = connections(state);
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
