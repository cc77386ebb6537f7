//! How many people are connected, told to the dashboards that ask for it.
//!
//! **Invariant:** the number that such a dashboard was told last stands in its attachment. So it is told what it does not
//! know and nothing else, also where the room slept, or died before it could tell: the alarm looks again.

use std::{cell::Cell, rc::Rc, time::Duration};

use rollcall_core::{
    Id,
    call::{Call, Counts, Gauges, Place},
    wire::WatcherMessage,
};
use wasm_bindgen::JsCast;
use worker::{Delay, State, worker_sys::DurableObjectState};

use super::{
    Room,
    relays::tell_all,
    sockets::{self, CONNECTION, COUNTING, WATCHER},
};
/// Before anybody is told, so that many who come at once are told of once.
const PAUSE: Duration = Duration::from_secs(1);

/// What is known, and told.
#[derive(Default)]
pub(super) struct Telling {
    /// A timer runs that will tell.
    soon: Cell<bool>,
    /// How many there are, where nobody has come or gone since they were counted. What a relay was told last.
    known: Cell<Option<usize>>,
    /// What the relays were told last.
    relayed: Cell<Option<usize>>,
}

impl Telling {
    /// How many people are connected, where that is known.
    pub(super) fn known(&self) -> Option<usize> {
        self.known.get()
    }

    /// This relay is told how many people are connected.
    pub(super) fn learn(&self, connections: usize) {
        self.known.set(Some(connections));
    }
}

impl Room {
    /// Somebody has come or gone.
    pub(super) fn tell_connections_soon(&self) {
        self.telling.known.set(None);
        let relays = self.relays().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
        let nobody_asks = sockets::open_tagged(&self.state, COUNTING).next().is_none() && relays.is_empty();
        if nobody_asks || self.telling.soon.replace(true) {
            return;
        }
        let state = State::from(self.raw.clone().unchecked_into::<DurableObjectState>());
        let (telling, bindings) = (Rc::clone(&self.telling), self.bindings.clone());
        self.state.wait_until(async move {
            Delay::from(PAUSE).await;
            telling.soon.set(false);
            let connections = connections(&state);
            tell(&state, connections);
            if telling.relayed.replace(Some(connections)) == Some(connections) {
                return;
            }
            // One that does not answer is told with the next event.
            let _ = tell_all(&state, &bindings, relays, &Call::Connections(connections));
        });
    }

    /// Tells whoever does not know: the timer that would have may have ended with the memory of the room. Without another
    /// one, which would keep the room awake.
    pub(super) fn tell_connections_now(&self) {
        match self.place() {
            Ok(Place { relay: Some(_), .. }) => {
                if let Some(connections) = self.telling.known() {
                    tell(&self.state, connections);
                }
            }
            _ => tell(&self.state, connections(&self.state)),
        }
    }

    /// How many people are connected. A relay knows what it was told.
    pub(super) fn connections(&self) -> usize {
        let is_relay = self.place().is_ok_and(|place| place.relay.is_some());
        match self.telling.known() {
            Some(known) => known,
            None if is_relay => 0,
            None => {
                let connections = connections(&self.state);
                self.telling.learn(connections);
                connections
            }
        }
    }

    /// What is open here.
    pub(super) fn gauges(&self) -> worker::Result<Gauges> {
        let announced = self.checkpoint()?.map(|checkpoint| checkpoint.seq).unwrap_or_default();
        let open = |tag| sockets::open_tagged(&self.state, tag).count();
        let (dashboards, connections) = (open(WATCHER), open(CONNECTION));
        Ok(Gauges { dashboards, connections, people: self.connections(), announced })
    }

    /// What is counted here of a user, and of all.
    pub(super) fn counts(&self, user_id: Option<Id>) -> Counts {
        let sockets = user_id.map_or(0, |user_id| self.sockets_of(user_id).count());
        Counts { sockets, connections: self.connections() }
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
