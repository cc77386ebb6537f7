//! Relays: where a hospital has more dashboards than one object serves well, they watch relays, and the room tells those.
//! A relay is an object of the same class that no doctor's call reaches.
//!
//! **Invariant:** what the room promises its dashboards, a relay promises its own. It announces what is already a row,
//! in `seq` order: what it was not told, or was told too early, it reads. The room's checkpoint moves only when every
//! relay has heard. Nobody waits for a relay but who ends sessions or sockets there.

use std::{cell::RefCell, rc::Rc, time::Duration};

use rollcall_core::{
    Id, Seq,
    call::{Call, Counts, Place},
    event::Event,
};
use serde::de::DeserializeOwned;
use worker::State;

use super::{Memory, Room};
use crate::{
    clock,
    env::Bindings,
    error::Result,
    http::object_call::{as_json, ask_json, understand},
    log::{self, About},
};

/// A relay that does not answer by then is told again by the alarm.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the room knows of each of its relays. Never borrowed while anything waits.
pub(super) type Relays = Rc<RefCell<Vec<Relay>>>;

/// What the room knows of a relay.
#[derive(Clone, Copy, Default)]
pub(super) struct Relay {
    /// Up to where it was told; unknown after waking, and when it did not answer.
    told: Option<Seq>,
    /// Up to where it has announced, as it said itself.
    heard: Option<Seq>,
}

impl Room {
    /// The relays of this room; a relay has none.
    pub(super) fn relays(&self) -> worker::Result<impl Iterator<Item = Place>> {
        let Place { hospital_id, relay } = self.place()?;
        Ok(Place::relays(hospital_id, if relay.is_none() { self.bindings.watch_relays() } else { 0 }))
    }

    /// Tells the relays what has been announced since they were told last: one call each, however much it is.
    pub(super) fn tell_relays(&self, memory: &Memory) -> worker::Result<()> {
        let latest = memory.board.seq();
        for (index, place) in self.relays()?.enumerate() {
            let told = match self.relay(index, |relay| relay.told.replace(latest)) {
                Some(told) if told == latest => continue,
                told => told,
            };
            // Where it is not known what one was told, it knows itself.
            let events = memory.board.after(told.unwrap_or(latest)).cloned().collect();
            let json = as_json(&Call::Relay { events, latest, connections: self.connections() })?;
            let (relays, told) = (Rc::clone(&self.relays), tell(&self.bindings, place, json));
            self.state.wait_until(log::about(About::object(place, String::new()), async move {
                let heard = told.await.and_then(|answer| understand::<Seq>(&answer));
                let heard = heard.inspect_err(|error| log::error(format_args!("a relay did not answer: {error}"))).ok();
                if let Some(relay) = relays.borrow_mut().get_mut(index) {
                    relay.heard = relay.heard.max(heard);
                    relay.told = relay.told.filter(|_| heard.is_some());
                }
            }));
        }
        Ok(())
    }

    /// Whether every relay has announced everything up to `latest`.
    pub(super) fn relays_have_heard(&self, latest: Seq) -> worker::Result<bool> {
        let mut indexes = 0..self.relays()?.count();
        Ok(indexes.all(|index| self.relay(index, |relay| relay.heard) >= Some(latest)))
    }

    /// Passes a call on to the relay where all of a user's dashboards are, if there is one and this is not it.
    ///
    /// # Errors
    /// Where it does not answer in time.
    pub(super) async fn pass_on<T: DeserializeOwned + Default>(&self, user_id: Id, call: &Call) -> Result<T> {
        match (self.place()?.relay, self.watched_by(user_id)?) {
            (Some(_), _) | (None, Place { relay: None, .. }) => Ok(T::default()),
            (None, relay) => understand(&tell(&self.bindings, relay, as_json(call)?).await?),
        }
    }

    /// This relay hears what its room has announced, and says what it has announced itself by then.
    pub(super) async fn hear_of(&self, events: Vec<Event>, latest: Seq) -> Result<Seq> {
        if self.forgets()? {
            return Ok(latest);
        }
        let mut memory = self.lock().await?;
        let memory = self.awake(&mut memory).await?;
        self.announce_in_time().await?;
        for event in events {
            self.announce(memory, event);
        }
        self.catch_up(memory, latest).await?;
        Ok(memory.board.seq())
    }

    /// This relay shows the roster as it is now.
    pub(super) async fn show_here(&self) -> Result<()> {
        if self.forgets()? {
            return Ok(());
        }
        self.show(self.awake(&mut *self.lock().await?).await?).await
    }

    /// Whether this is a relay that nobody watches.
    pub(super) fn nobody_watches_this_relay(&self) -> worker::Result<bool> {
        Ok(self.place()?.relay.is_some() && self.open_sockets().next().is_none())
    }

    /// A relay that nobody watches remembers nothing that would have to be kept up. Says whether this is one.
    fn forgets(&self) -> worker::Result<bool> {
        // Where it is locked somebody is joining.
        let forgets = || self.memory.try_lock().map(|mut memory| *memory = None).is_ok();
        Ok(self.nobody_watches_this_relay()? && forgets())
    }

    /// How many sockets a user has in the other place where they may have some: connections are at the room, dashboards at
    /// a relay. A relay learns on the way how many people are connected.
    ///
    /// # Errors
    /// Where a relay cannot ask. A person joins though the relay of their dashboards cannot be asked.
    pub(super) async fn sockets_elsewhere(&self, user_id: Option<Id>) -> Result<usize> {
        let Place { hospital_id, relay } = self.place()?;
        let elsewhere = match (relay, user_id) {
            (Some(_), None) if self.telling.known().is_some() => return Ok(0),
            (Some(_), _) => Place::room(hospital_id),
            (None, Some(user_id)) => self.watched_by(user_id)?,
            (None, None) => return Ok(0),
        };
        if relay == elsewhere.relay {
            return Ok(0);
        }
        let counted = tell(&self.bindings, elsewhere, as_json(&Call::Count(user_id))?).await;
        match (counted.and_then(|answer| understand::<Counts>(&answer)), relay) {
            (Ok(Counts { sockets, connections }), Some(_)) => {
                self.telling.learn(connections);
                Ok(sockets)
            }
            (Ok(Counts { sockets, .. }), None) => Ok(sockets),
            (Err(error), None) => {
                log::error(format_args!("a relay did not answer: {error}"));
                Ok(0)
            }
            (Err(error), Some(_)) => Err(error),
        }
    }

    /// Where a user's dashboards are.
    fn watched_by(&self, user_id: Id) -> worker::Result<Place> {
        Ok(Place::watched_by(user_id, self.hospital_id()?, self.bindings.watch_relays()))
    }

    /// Changes, or reads, what is known of a relay.
    fn relay<T>(&self, index: usize, change: impl FnOnce(&mut Relay) -> Option<T>) -> Option<T> {
        let mut relays = self.relays.borrow_mut();
        if relays.len() <= index {
            relays.resize(index + 1, Relay::default());
        }
        relays.get_mut(index).and_then(change)
    }
}

/// Tells relays, without waiting for any.
pub(super) fn tell_all(
    state: &State,
    bindings: &Bindings,
    relays: impl IntoIterator<Item = Place>,
    call: &Call,
) -> worker::Result<()> {
    let json = as_json(call)?;
    for place in relays {
        let told = tell(bindings, place, json.clone());
        state.wait_until(log::about(About::object(place, String::new()), async {
            if let Err(error) = told.await {
                log::error(format_args!("a relay did not answer: {error}"));
            }
        }));
    }
    Ok(())
}

/// Sends a call to a relay, or to its room; the answer is JSON.
fn tell(bindings: &Bindings, place: Place, json: String) -> impl Future<Output = Result<String>> + use<> {
    let object = bindings.room(place);
    async move {
        let object = object?;
        Ok(clock::within(PATIENCE, ask_json(&object, json)).await??)
    }
}
