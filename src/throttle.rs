//! An address's tries to sign in: a Durable Object for each address, so that counting is exact and one address never
//! holds up another.
//!
//! **Invariant:** a try counts from when it is admitted, before anything is hashed, so tries side by side cannot
//! outrun the count.

use rollcall_core::{
    Rejection, Timestamp,
    throttle::{Admission, Call, TRIES, WINDOW, wait},
};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::{clock, db::tries::Tries, http::object_call};

/// The Durable Object class. Everything it knows is in its storage, and gone soon after the last try.
#[durable_object]
pub struct LoginThrottle {
    state: State,
}

impl DurableObject for LoginThrottle {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        match object_call::read(request).await? {
            Call::Try { key } => Response::from_json(&Ok::<_, Rejection>(self.attempt(&key).await?)),
            Call::Forget { key } => Response::from_json(&Ok::<_, Rejection>(self.tries()?.forget(&key)?)),
        }
    }

    /// Forgets what is too old to count.
    async fn alarm(&self) -> Result<Response> {
        match self.tries()?.forget_before(clock::now() - WINDOW)? {
            Some(oldest) => self.look_again(oldest).await?,
            None => self.state.storage().delete_all().await?,
        }
        Response::empty()
    }
}

impl LoginThrottle {
    async fn attempt(&self, key: &str) -> Result<Admission> {
        let (tries, now) = (self.tries()?, clock::now());
        let admission = match wait(&tries.latest(key, TRIES)?, now) {
            Some(seconds) => Admission::Wait { seconds, first: tries.refuse(key)? },
            None => {
                tries.count(key, now)?;
                Admission::Admitted
            }
        };
        if self.state.storage().get_alarm().await?.is_none() {
            self.look_again(now).await?;
        }
        Ok(admission)
    }

    async fn look_again(&self, oldest: Timestamp) -> Result<()> {
        self.state.storage().set_alarm(oldest + WINDOW + WINDOW).await
    }

    fn tries(&self) -> Result<Tries> {
        Tries::open(&self.state.storage())
    }
}
