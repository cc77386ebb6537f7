//! How many people are connected, sent to the dashboards that ask for it.
//!
//! **Invariant:** the number that such a dashboard was sent last stands in its attachment. So it is sent a number only if
//! that is another one, also if the room slept, or died before it could send: the alarm looks again.

use std::{cell::Cell, rc::Rc, time::Duration};

use rollcall_core::{socket::to_json, wire::WatcherMessage};
use worker::Delay;

use super::sockets::{Sockets, note_count};

/// Before a number is sent, so that many people who come at once are sent as one.
const PAUSE: Duration = Duration::from_secs(1);

/// The number of people who are connected.
#[derive(Clone, Default)]
pub struct ConnectionCounter(Rc<Fields>);

#[derive(Default)]
struct Fields {
    /// A timer runs that will send it.
    is_due: Cell<bool>,
    /// Since the room woke up it was sent to those who did not know it.
    is_sent: Cell<bool>,
    /// The number, if nobody has come or gone since it was counted.
    counted: Cell<Option<usize>>,
}

impl ConnectionCounter {
    /// The number, counted if need be.
    pub fn count(&self, sockets: &Sockets) -> usize {
        let counted = self.0.counted.get().unwrap_or_else(|| sockets.people());
        self.0.counted.set(Some(counted));
        counted
    }

    /// Somebody has come or gone. Returns the work that sends the number soon, unless that is under way or no dashboard
    /// asks for it.
    pub fn changed(&self, sockets: &Sockets) -> Option<impl Future<Output = ()> + use<>> {
        self.0.counted.set(None);
        if self.0.is_due.get() || sockets.counting().next().is_none() {
            return None;
        }
        self.0.is_due.set(true);
        let (this, sockets) = (self.clone(), sockets.clone());
        Some(async move {
            Delay::from(PAUSE).await;
            this.0.is_due.set(false);
            this.send(&sockets);
        })
    }

    /// Once after waking, sends the number to dashboards that do not know it: the timer that would have may have ended
    /// with the room's memory. Without another timer, which would keep the room awake.
    pub fn send_after_waking(&self, sockets: &Sockets) {
        if !self.0.is_due.get() && !self.0.is_sent.replace(true) {
            self.send(sockets);
        }
    }

    fn send(&self, sockets: &Sockets) {
        let connections = self.count(sockets);
        let Some(text) = to_json(&WatcherMessage::Connections { connections }) else { return };
        for socket in sockets.counting() {
            if note_count(&socket, connections) {
                let _ = socket.send_with_str(&text);
            }
        }
    }
}
