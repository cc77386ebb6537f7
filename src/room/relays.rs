//! Relays: where a hospital has more dashboards than one object serves well, they watch relays, and the room tells those.
//! A relay is an object of the same class that no doctor's call reaches.
//!
//! **Invariant:** what the room promises its dashboards, a relay promises its own. It announces what is already a row,
//! in `seq` order: what it was not told, it reads. And the room's checkpoint moves only when every relay has heard.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use rollcall_core::{
    Id, Rejection, Seq,
    call::{Call, Counts, Place},
    event::Event,
};
use worker::console_error;

use super::{Memory, PATIENCE, Room};
use crate::{
    error::Result,
    http::object_call::{as_json, ask, ask_each, understand},
};

/// Callers wait no longer for a relay that does not answer.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);

/// What the room knows of its relays, and a relay of its room.
#[derive(Default)]
pub(super) struct Relays {
    /// What each has announced, where that is known. Never borrowed while anything waits.
    heard: RefCell<Vec<Heard>>,
    /// How many people are connected, as a relay was told last.
    pub connections: Cell<Option<usize>>,
}

#[derive(Clone, Copy, Default)]
struct Heard {
    seq: Option<Seq>,
    /// It did not answer the last time: nobody waits for it but the alarm.
    silent: bool,
}

impl Room {
    /// The relays of this room; a relay has none.
    pub(super) fn relays(&self) -> worker::Result<Vec<Place>> {
        let Place { hospital_id, relay } = self.place()?;
        let relays = if relay.is_none() { self.bindings.watch_relays() } else { 0 };
        Ok(Place::relays(hospital_id, relays).collect())
    }

    /// Whether this is a relay that nobody watches.
    pub(super) fn is_idle_relay(&self) -> worker::Result<bool> {
        Ok(self.place()?.relay.is_some() && self.open_sockets().next().is_none())
    }

    /// Tells the relays what has been announced since they last heard: one call each, however much it is.
    ///
    /// One that does not answer is told again by the alarm, which passes `all`.
    ///
    /// # Errors
    /// Where one of them has not heard.
    pub(super) async fn tell_relays(&self, memory: &Memory, all: bool) -> Result<()> {
        let relays = self.relays()?;
        if relays.is_empty() {
            return Ok(());
        }
        self.relays.heard.borrow_mut().resize(relays.len(), Heard::default());
        let (latest, connections) = (memory.board.seq(), self.connections());
        let heard = self.relays.heard.borrow().clone();
        let behind = relays.into_iter().zip(heard).enumerate().filter(|(_, (_, heard))| heard.seq != Some(latest));
        let (told, waiting): (Vec<_>, Vec<_>) = behind.partition(|(_, (_, heard))| all || !heard.silent);
        let mut calls = Vec::new();
        for (_, (place, heard)) in &told {
            // Where it is not known what one has heard, it knows itself.
            let events = memory.board.after(heard.seq.unwrap_or(latest)).cloned().collect();
            calls.push((*place, as_json(&Call::Relay { events, latest, connections })?));
        }
        let answers = ask_each(&self.bindings, calls, if all { PATIENCE } else { SHORT_PATIENCE }).await;
        let mut all_have_heard = waiting.is_empty();
        for ((index, _), answer) in told.iter().zip(answers) {
            let seq = answer.and_then(|answer| understand::<Seq>(&answer));
            let seq = seq.inspect_err(|error| console_error!("a relay did not answer: {error}")).ok();
            all_have_heard &= seq.is_some_and(|seq| seq >= latest);
            if let Some(heard) = self.relays.heard.borrow_mut().get_mut(*index) {
                *heard = Heard { seq, silent: seq.is_none() };
            }
        }
        if all_have_heard { Ok(()) } else { Err(Rejection::Unavailable.into()) }
    }

    /// Passes a call on to every relay, which must do the same, and adds up what they answer.
    pub(super) async fn pass_on(&self, call: &Call) -> Result<usize> {
        let json = as_json(call)?;
        let calls = self.relays()?.into_iter().map(|place| (place, json.clone())).collect();
        let mut sum = 0;
        for answer in ask_each(&self.bindings, calls, PATIENCE).await {
            sum += understand::<Option<usize>>(&answer?)?.unwrap_or_default();
        }
        Ok(sum)
    }

    /// This relay hears what its room has announced, and says what it has announced itself by then.
    pub(super) async fn hear_of(&self, events: Vec<Event>, latest: Seq, connections: usize) -> Result<Seq> {
        self.relays.connections.set(Some(connections));
        // Nobody watches here, and nothing is remembered that would have to be kept up.
        if self.memory.try_lock().is_ok_and(|memory| memory.is_none()) && self.open_sockets().next().is_none() {
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

    /// What is counted here of a user, and of all.
    pub(super) fn counts(&self, user_id: Option<Id>) -> Counts {
        let sockets = user_id.map_or(0, |user_id| self.sockets_of(user_id).count());
        Counts { sockets, connections: self.connections() }
    }

    /// How many sockets a user has in the other place where they may have some: connections are at the room, dashboards at
    /// a relay. A relay learns on the way how many people are connected.
    pub(super) async fn sockets_elsewhere(&self, user_id: Option<Id>) -> Result<usize> {
        let Place { hospital_id, relay } = self.place()?;
        let elsewhere = match (relay, user_id) {
            (Some(_), None) if self.relays.connections.get().is_some() => return Ok(0),
            (Some(_), _) => Place::room(hospital_id),
            (None, Some(user_id)) => Place::to_watch(hospital_id, self.bindings.watch_relays(), &user_id.to_string()),
            (None, None) => return Ok(0),
        };
        if elsewhere.relay.is_none() && relay.is_none() {
            return Ok(0);
        }
        let Counts { sockets, connections } = ask(&self.bindings.room(elsewhere)?, &Call::Count(user_id)).await?;
        if relay.is_some() {
            self.relays.connections.set(Some(connections));
        }
        Ok(sockets)
    }
}
