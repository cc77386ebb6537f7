//! The only file that names a binding or a variable of `wrangler.toml`.

use chrono::TimeDelta;
use js_sys::Object;
use rollcall_core::{Id, call::Place};
use worker::{D1Database, Env, Fetcher, RateLimiter};

/// The Worker's environment.
#[derive(Clone)]
pub struct Bindings(Env);

/// Each change is a call to each relay: more of them would take the room longer than a second.
const RELAYS_LIMIT: u32 = 64;

/// A shorter `METRICS_TOKEN` is none.
const METRICS_TOKEN_LENGTH: usize = 32;

/// Whether a socket needs a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketAuth {
    /// As in the original applications: an email is enough, and anybody may watch.
    Open,
    /// A session is needed.
    Strict,
}

impl Bindings {
    /// Wraps what the runtime hands over.
    pub fn new(env: Env) -> Self {
        Self(env)
    }

    /// The database.
    pub fn db(&self) -> worker::Result<D1Database> {
        self.0.d1("DB")
    }

    /// The room of a hospital, or one of its relays.
    pub fn room(&self, place: Place) -> worker::Result<Object> {
        Ok(self.0.durable_object("ROOM")?.get_by_name(&place.name())?.into_rpc())
    }

    /// The counter of an address's tries to sign in.
    pub fn login_throttle(&self, address_group: &str) -> worker::Result<Object> {
        Ok(self.0.durable_object("LOGIN_THROTTLE")?.get_by_name(address_group)?.into_rpc())
    }

    /// How often one address may ask for a password to be verified, whoever it names.
    pub fn login_limit(&self) -> worker::Result<RateLimiter> {
        self.0.rate_limiter("LOGIN_LIMIT")
    }

    /// The pages, and what else is served as it is.
    pub fn assets(&self) -> worker::Result<Fetcher> {
        self.0.assets("ASSETS")
    }

    /// `SOCKET_AUTH`, strict unless it says `open`. `None` where it says so in production, which is refused.
    pub fn socket_auth(&self) -> Option<SocketAuth> {
        match (self.var("SOCKET_AUTH").as_str(), self.var("ENVIRONMENT").as_str()) {
            ("open", "production") => None,
            ("open", _) => Some(SocketAuth::Open),
            (_, _) => Some(SocketAuth::Strict),
        }
    }

    /// The hospital that a dashboard without a session joins where sockets are open.
    pub fn default_hospital(&self) -> Id {
        self.var("DEFAULT_HOSPITAL").parse().unwrap_or(1)
    }

    /// How long a doctor on duty may be without a socket; `None` for as long as they like.
    pub fn auto_logout_grace(&self) -> Option<TimeDelta> {
        let seconds = self.var("AUTO_LOGOUT_GRACE_SECONDS").parse().unwrap_or(45);
        (seconds > 0).then(|| TimeDelta::seconds(i64::from(seconds)))
    }

    /// How long events are kept; `None` for ever.
    pub fn event_retention(&self) -> Option<TimeDelta> {
        let days = self.var("EVENT_RETENTION_DAYS").trim().parse().unwrap_or(0);
        (days > 0).then(|| TimeDelta::days(i64::from(days)))
    }

    /// How many relays a hospital's dashboards are spread over; 0 where they all watch its room.
    pub fn watch_relays(&self) -> u32 {
        self.var("WATCH_RELAYS").trim().parse().unwrap_or(0).min(RELAYS_LIMIT)
    }

    /// `METRICS_TOKEN`, where one is set: a secret, so one that can be guessed is none.
    pub fn metrics_token(&self) -> Option<String> {
        Some(self.var("METRICS_TOKEN")).filter(|token| token.len() >= METRICS_TOKEN_LENGTH)
    }

    /// Origins of pages hosted elsewhere.
    pub fn allowed_origins(&self) -> Vec<String> {
        self.var("ALLOWED_ORIGINS").split_whitespace().map(str::to_owned).collect()
    }

    fn var(&self, name: &str) -> String {
        self.0.var(name).map(|value| value.to_string()).unwrap_or_default()
    }
}
