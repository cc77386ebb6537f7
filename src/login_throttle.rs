//! An address's attempts to sign in: a Durable Object for each address, so that counting is exact and one address never
//! holds up another.
//!
//! **Invariant:** an attempt counts from when it is admitted, before anything is hashed, so attempts side by side cannot
//! outrun the count.

mod storage;

use rollcall_core::{
    Timestamp,
    throttle::{Admission, TRIES, ThrottleCall, WINDOW, wait},
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use self::storage::Tries;
use crate::platform::clock;

/// The Durable Object class. Everything it knows is in its storage, and gone soon after the last attempt.
#[durable_object]
pub struct LoginThrottle {
    state: State,
}

impl DurableObject for LoginThrottle {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    /// Nobody sends requests here: the Worker calls [`LoginThrottle::call`].
    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("Not found.", 404)
    }

    /// Forgets what is too old to count.
    async fn alarm(&self) -> Result<Response> {
        match self.tries()?.forget_before(clock::now() - WINDOW)? {
            Some(oldest) => self.arm(oldest).await?,
            None => self.state.storage().delete_all().await?,
        }
        Response::empty()
    }
}

/// The entrance of the Worker: an RPC method, which no HTTP request reaches.
#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
impl LoginThrottle {
    /// Answers a [`ThrottleCall`], both in JSON.
    pub async fn call(&self, json: String) -> std::result::Result<String, JsValue> {
        Ok(self.answer(&json).await?)
    }
}

impl LoginThrottle {
    async fn answer(&self, json: &str) -> Result<String> {
        Ok(match serde_json::from_str(json)? {
            ThrottleCall::Try { key } => serde_json::to_string(&self.attempt(&key).await?)?,
            ThrottleCall::Forget { key } => serde_json::to_string(&self.tries()?.forget(&key)?)?,
        })
    }

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
            self.arm(now).await?;
        }
        Ok(admission)
    }

    async fn arm(&self, oldest: Timestamp) -> Result<()> {
        self.state.storage().set_alarm(oldest + WINDOW + WINDOW).await
    }

    fn tries(&self) -> Result<Tries> {
        Tries::open(&self.state.storage())
    }
}
