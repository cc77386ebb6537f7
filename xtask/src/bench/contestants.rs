//! The contestants, and how each is started: with what its makers recommend for production, and nothing that only
//! helps or only hurts here.

use std::{fs::File, path::Path};

use anyhow::{Context, Result};

use crate::{
    bench::{
        machine::Cores,
        prepare::{Place, State},
        servers::{self, REDIS, Running, last_lines},
    },
    build, wrangler,
};

const ROLLCALL: &str = "wrangler.toml";
const PARTYSERVER: &str = "bench/contestants/partyserver/wrangler.toml";

/// The Worker on partyserver, and where its configuration finds it with that package in it.
const PARTYSERVER_SOURCE: &str = "bench/contestants/partyserver/index.js";
const PARTYSERVER_BUNDLE: &str = "target/partyserver/index.js";

/// Without `-v 0` Daphne writes a line for each request.
const DAPHNE: &str = "daphne -b 127.0.0.1 -p PORT --no-server-name -v 0 healthcare.asgi:application";

const UVICORN: &str = "uvicorn healthcare.asgi:application --host 127.0.0.1 --port PORT --loop uvloop --http httptools \
    --ws-per-message-deflate false --lifespan off --no-server-header --log-level error --no-access-log \
    --timeout-keep-alive 75 --timeout-graceful-shutdown 1";

/// The one that the others are compared with: what the platform itself needs for what every contestant does.
pub const BASE: &str = "bare + D1";

/// Everybody.
pub const ALL: &[Contestant] = &[
    worker("rollcall", ROLLCALL, State::Rollcall, &[]),
    worker("bare", wrangler::BARE, State::Bare, &[]),
    worker(BASE, wrangler::BARE, State::Bare, &["DATABASE=one batch"]),
    worker("bare + own SQLite", wrangler::BARE, State::BareWithSessions, &["DATABASE=own"]),
    worker("partyserver + D1", PARTYSERVER, State::Bare, &[]),
    Contestant { name: "django daphne memory", kind: Kind::Django { server: DAPHNE, redis: false } },
    Contestant { name: "django daphne redis", kind: Kind::Django { server: DAPHNE, redis: true } },
    Contestant { name: "django uvicorn redis", kind: Kind::Django { server: UVICORN, redis: true } },
    Contestant { name: "node ws", kind: Kind::Node },
];

/// A server that is measured.
#[derive(Clone, Copy, Debug)]
pub struct Contestant {
    pub name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// A Worker on workerd, and variables for it.
    Worker {
        configuration: &'static str,
        state: State,
        variables: &'static [&'static str],
    },
    /// The Django application, and the command line of what serves it.
    Django {
        server: &'static str,
        redis: bool,
    },
    Node,
}

const fn worker(
    name: &'static str,
    configuration: &'static str,
    state: State,
    variables: &'static [&'static str],
) -> Contestant {
    Contestant { name, kind: Kind::Worker { configuration, state, variables } }
}

impl Contestant {
    /// Its name as one word.
    pub fn slug(&self) -> String {
        let words = self.name.split(|character: char| !character.is_alphanumeric());
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-").to_lowercase()
    }

    /// Whether a dashboard that was away is sent what it missed.
    pub fn resumes(&self) -> bool {
        self.state() == State::Rollcall
    }

    /// The state that it begins with.
    pub fn state(&self) -> State {
        match self.kind {
            Kind::Worker { state, .. } => state,
            Kind::Django { .. } => State::Django,
            Kind::Node => State::Nothing,
        }
    }

    /// How it is started, for the report.
    pub fn settings(&self) -> String {
        match self.kind {
            Kind::Worker { configuration, variables, .. } => {
                let variables = variables.iter().map(|variable| format!(", `{variable}`")).collect::<String>();
                format!("workerd without a Worker in front, without assets; `{configuration}`{variables}")
            }
            Kind::Django { server, redis } => {
                let layer = if redis {
                    format!("channels_redis; `{}`", REDIS.replace("  ", " '' "))
                } else {
                    "in-memory layer".into()
                };
                format!("`{server}`; SQLite in WAL mode; {layer}")
            }
            Kind::Node => "one process, `perMessageDeflate: false`; no database, no accounts".into(),
        }
    }

    /// Bundles its Worker, if that imports a package.
    ///
    /// # Errors
    /// If that fails.
    pub fn build(&self) -> Result<()> {
        match self.kind {
            Kind::Worker { configuration: PARTYSERVER, .. } => build::bundle(PARTYSERVER_SOURCE, PARTYSERVER_BUNDLE),
            _ => Ok(()),
        }
    }

    /// Starts it with a new copy of its state, and waits until it listens.
    ///
    /// # Errors
    /// If it does not; with what it wrote.
    pub fn start(&self, place: &Place, cores: Cores) -> Result<Running> {
        self.start_with(&place.copy(self.state())?, &place.log(), cores)
    }

    /// Starts it with that state itself, which it may change.
    ///
    /// # Errors
    /// If it does not listen; with what it wrote.
    pub fn start_with(&self, state: &Path, log: &Path, cores: Cores) -> Result<Running> {
        let file = File::create(log)?;
        let started = match self.kind {
            Kind::Worker { configuration, variables, .. } => {
                servers::worker(configuration, variables, state, cores, file)
            }
            Kind::Node => servers::node_ws(cores, file),
            Kind::Django { server, redis } => servers::django(server, redis, state, cores, &file),
        };
        started.with_context(|| format!("{} did not start; {}", self.name, last_lines(log)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_name_of_their_own_and_one_is_compared_with() {
        let slugs: std::collections::BTreeSet<_> = ALL.iter().map(Contestant::slug).collect();
        assert_eq!(slugs.len(), ALL.len());
        assert!(slugs.contains("bare-d1"), "{slugs:?}");
        assert!(ALL.iter().any(|contestant| contestant.name == BASE));
    }
}
