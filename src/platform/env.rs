//! The only file that names a binding or a variable of `wrangler.toml`.

use std::{cell::RefCell, collections::HashMap};

use chrono::TimeDelta;
use rollcall_core::{HospitalId, room::RoomName};
use wasm_bindgen::JsValue;
use worker::{D1Database, Env, Fetcher, RateLimiter};

use super::js;

/// The Worker's environment.
#[derive(Clone)]
pub struct Bindings(Env);

/// A shorter `METRICS_TOKEN` counts as not set.
const METRICS_TOKEN_LENGTH: usize = 32;

thread_local! {
    /// Variables that were read: they are the same for as long as the isolate lives.
    static VARIABLES: RefCell<HashMap<&'static str, String>> = RefCell::default();
}

/// Whether a socket needs a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketAuth {
    /// As in the original applications: an email is enough, and anybody may watch.
    Open,
    /// A session is needed.
    Strict,
}

impl Bindings {
    /// Wraps the environment that the runtime hands over.
    pub fn new(env: Env) -> Self {
        Self(env)
    }

    /// The database.
    pub fn db(&self) -> worker::Result<D1Database> {
        self.0.d1("DB")
    }

    /// The room of a hospital, in the jurisdiction of `JURISDICTION`.
    pub fn room(&self, hospital_id: HospitalId) -> worker::Result<JsValue> {
        self.object("ROOM", &RoomName::of(hospital_id).to_string())
    }

    /// The counter of an address's attempts to sign in.
    pub fn login_throttle(&self, address_group: &str) -> worker::Result<JsValue> {
        self.object("LOGIN_THROTTLE", address_group)
    }

    fn object(&self, binding: &str, name: &str) -> worker::Result<JsValue> {
        js::object_by_name(self.0.as_ref(), binding, self.var("JURISDICTION").trim(), name)
    }

    /// How often one address may ask for a password to be verified, or an imported token to be looked up.
    pub fn login_limit(&self) -> worker::Result<RateLimiter> {
        self.0.rate_limiter("LOGIN_LIMIT")
    }

    /// The pages, and whatever else is served as it is.
    pub fn assets(&self) -> worker::Result<Fetcher> {
        self.0.assets("ASSETS")
    }

    /// `SOCKET_AUTH`, strict unless it says `open`. `None` if it says so in production, which is refused.
    pub fn socket_auth(&self) -> Option<SocketAuth> {
        match (self.var("SOCKET_AUTH").as_str(), self.var("ENVIRONMENT").as_str()) {
            ("open", "production") => None,
            ("open", _) => Some(SocketAuth::Open),
            (_, _) => Some(SocketAuth::Strict),
        }
    }

    /// The hospital that a dashboard without a session joins if sockets are open.
    pub fn default_hospital(&self) -> HospitalId {
        HospitalId::new(self.var("DEFAULT_HOSPITAL").parse().unwrap_or(1))
    }

    /// How long a doctor on duty may be without a socket; `None` means without limit.
    pub fn auto_logout_grace(&self) -> Option<TimeDelta> {
        let seconds = self.var("AUTO_LOGOUT_GRACE_SECONDS").parse().unwrap_or(45);
        (seconds > 0).then(|| TimeDelta::seconds(i64::from(seconds)))
    }

    /// How long events are kept; `None` means for ever.
    pub fn event_retention(&self) -> Option<TimeDelta> {
        let days = self.var("EVENT_RETENTION_DAYS").trim().parse().unwrap_or(0);
        (days > 0).then(|| TimeDelta::days(i64::from(days)))
    }

    /// `TOKEN_KEY`, by which invented tokens are recognized; empty if it is not set.
    pub fn token_key(&self) -> String {
        self.var("TOKEN_KEY")
    }

    /// `METRICS_TOKEN`, if one is set: a secret, so one that can be guessed does not count.
    pub fn metrics_token(&self) -> Option<String> {
        Some(self.var("METRICS_TOKEN")).filter(|token| token.len() >= METRICS_TOKEN_LENGTH)
    }

    /// Origins of pages hosted elsewhere.
    pub fn allowed_origins(&self) -> Vec<String> {
        self.var("ALLOWED_ORIGINS").split_whitespace().map(str::to_owned).collect()
    }

    fn var(&self, name: &'static str) -> String {
        let read = || self.0.var(name).map(|value| value.to_string()).unwrap_or_default();
        VARIABLES.with_borrow_mut(|known| known.entry(name).or_insert_with(read).clone())
    }
}
