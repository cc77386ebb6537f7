//! Who is measured, and how each is started: with what its makers recommend for production, and nothing that only
//! helps or only hurts here.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    bench::{
        machine::Cores,
        prepare::{DJANGO, Place, State, django_database},
    },
    group::Group,
    setup, wrangler,
};

/// A contestant that does not listen by then never does.
const LISTENS_WITHIN: Duration = Duration::from_secs(30);

/// Between two looks whether it does.
const LOOK: Duration = Duration::from_millis(2);

const WORKERD: &str = "bench/contestants/workerd.mjs";
const NODE_WS: &str = "bench/contestants/node-ws/server.mjs";
const ROLLCALL: &str = "wrangler.toml";

/// Without `-v 0` Daphne writes a line for each request.
const DAPHNE: &str = "daphne -b 127.0.0.1 -p PORT --no-server-name -v 0 healthcare.asgi:application";

const UVICORN: &str = "uvicorn healthcare.asgi:application --host 127.0.0.1 --port PORT --loop uvloop --http httptools \
    --ws-per-message-deflate false --lifespan off --no-server-header --log-level error --no-access-log \
    --timeout-keep-alive 75 --timeout-graceful-shutdown 1";

/// In memory only: the empty word behind `--save` is "never".
const REDIS: &str = "redis-server --bind 127.0.0.1 --port PORT --save  --appendonly no";

/// The one that the others are compared with: what the platform itself needs for what every contestant does.
pub const BASE: &str = "bare + D1";

/// Everybody.
pub const ALL: &[Contestant] = &[
    worker("rollcall", ROLLCALL, State::Rollcall, &[]),
    worker("rollcall, 4 relays", ROLLCALL, State::Rollcall, &["WATCH_RELAYS=4"]),
    worker("bare", wrangler::BARE, State::Bare, &[]),
    worker(BASE, wrangler::BARE, State::Bare, &["DATABASE=one batch"]),
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

/// A contestant that listens; ends when dropped.
pub struct Running {
    pub group: Group,
    /// `http://127.0.0.1:<port>`
    pub address: String,
    /// When it was started, what it needs beside itself being there already.
    pub started: Instant,
}

impl Contestant {
    /// What it is called where a name is one word.
    pub fn slug(&self) -> String {
        let words = self.name.split(|character: char| !character.is_alphanumeric());
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-").to_lowercase()
    }

    /// Whether dashboards can have what they missed.
    pub fn resumes(&self) -> bool {
        self.state() == State::Rollcall
    }

    /// What it begins with.
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

    /// Starts it with a new copy of its state, and waits until it listens.
    ///
    /// # Errors
    /// Where it does not; with what it wrote.
    pub fn start(&self, place: &Place, cores: Cores) -> Result<Running> {
        let state = place.copy(self.state())?;
        let log = File::create(place.log())?;
        let started = match self.kind {
            Kind::Worker { configuration, variables, .. } => {
                let mut command = node(cores, WORKERD)?;
                command.arg(configuration).arg(&state).args(variables);
                announced(command.stderr(log))
            }
            Kind::Node => announced(node(cores, NODE_WS)?.arg("0").stderr(log)),
            Kind::Django { server, redis } => django(server, redis, &state, cores, &log),
        };
        started.with_context(|| format!("{} did not start; {}", self.name, last_lines(&place.log())))
    }
}

/// The end of what a contestant wrote on standard error.
pub fn last_lines(log: &Path) -> String {
    let log = fs::read(log).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default();
    let lines: Vec<_> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(5)..).unwrap_or_default();
    if last.is_empty() { "it wrote nothing".into() } else { format!("it wrote: {}", last.join(" / ")) }
}

/// A command that runs a script on npm's Node.
fn node(cores: Cores, script: &str) -> Result<Command> {
    let mut command = cores.server("node_modules/.bin/node");
    command.arg(script).env("PATH", setup::path_with(&[])?).env("WRANGLER_SEND_METRICS", "false");
    Ok(command)
}

/// Starts what says `ready <address>`, and ends when its standard input does.
fn announced(command: &mut Command) -> Result<Running> {
    let started = Instant::now();
    let mut group = Group::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
    let output = group.latest().and_then(|server| server.stdout.take()).context("no output")?;
    let (sender, receiver) = mpsc::channel();
    // Read to the end: a full pipe would stop the server.
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(address) = line.strip_prefix("ready ") {
                let _ = sender.send(address.to_string());
            }
        }
    });
    let address = receiver.recv_timeout(LISTENS_WITHIN).context("it never said that it is ready")?;
    Ok(Running { group, address, started })
}

/// Starts the Django application, after the Redis that it needs, on the same core and in the same group: what Redis uses
/// counts.
fn django(server: &str, redis: bool, state: &Path, cores: Cores, log: &File) -> Result<Running> {
    let programs = setup::python_for_django()?;
    let port = free_port()?;
    let mut command = with_port(server, port, |program| cores.server(programs.join(program)));
    command.current_dir(DJANGO).env("DATABASE_PATH", django_database(state));
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
    if !redis {
        let started = Instant::now();
        let mut group = Group::start(command.env("CHANNEL_LAYER", "memory"))?;
        return Ok(Running { address: listens(&mut group, port)?, group, started });
    }
    let (redis, redis_port) = (setup::redis()?, free_port()?);
    let mut redis_command = with_port(REDIS, redis_port, |_| cores.server(&redis.program));
    redis_command.arg("--dir").arg(state).envs(redis.libraries.map(|libraries| ("LD_LIBRARY_PATH", libraries)));
    redis_command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
    let mut group = Group::start(&mut redis_command)?;
    listens(&mut group, redis_port)?;
    let started = Instant::now();
    command.env("CHANNEL_LAYER", "redis").env("REDIS_URL", format!("redis://127.0.0.1:{redis_port}/0"));
    group.join(&mut command)?;
    Ok(Running { address: listens(&mut group, port)?, group, started })
}

/// A command line, as the report shows it, with a port and another way to start its program.
fn with_port(line: &str, port: u16, start: impl FnOnce(&str) -> Command) -> Command {
    let mut words = line.split(' ');
    let mut command = start(words.next().unwrap_or_default());
    command.args(words.map(|word| if word == "PORT" { port.to_string() } else { word.to_string() }));
    command
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Waits until somebody listens, and returns the address.
fn listens(group: &mut Group, port: u16) -> Result<String> {
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if group.has_ended() {
            bail!("it ended");
        }
        if start.elapsed() > LISTENS_WITHIN {
            bail!("it does not listen");
        }
        thread::sleep(LOOK);
    }
    Ok(format!("http://127.0.0.1:{port}"))
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

    #[test]
    fn a_command_line_is_started_as_the_report_shows_it() {
        let command = with_port(REDIS, 7, |program| Command::new(program));
        let shown: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        assert_eq!(shown, ["--bind", "127.0.0.1", "--port", "7", "--save", "", "--appendonly", "no"]);
    }
}
