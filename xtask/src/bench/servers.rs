//! Starting the server of a contestant, and waiting until it listens.

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
        prepare::{DJANGO, django_database},
    },
    group::Group,
    setup,
};

/// A server that does not listen by then never does.
const LISTENS_WITHIN: Duration = Duration::from_secs(30);

/// Between two looks whether it does.
const LOOK: Duration = Duration::from_millis(2);

const WORKERD: &str = "bench/contestants/workerd.mjs";
const NODE_WS: &str = "bench/contestants/node-ws/server.mjs";

/// In memory only: the empty word behind `--save` is "never".
pub const REDIS: &str = "redis-server --bind 127.0.0.1 --port PORT --save  --appendonly no";

/// A server that listens; ends when dropped.
pub struct Running {
    pub group: Group,
    /// `http://127.0.0.1:<port>`
    pub address: String,
    /// When it was started; other servers that it needs ran before.
    pub started: Instant,
}

/// Starts a Worker with that state, and with variables in addition to those of its configuration.
///
/// # Errors
/// If it does not listen.
pub fn worker(configuration: &str, variables: &[&str], state: &Path, cores: Cores, log: File) -> Result<Running> {
    let mut command = node(WORKERD, cores)?;
    announced(command.arg(configuration).arg(state).args(variables).stderr(log))
}

/// Starts the server on plain Node.
///
/// # Errors
/// If it does not listen.
pub fn node_ws(cores: Cores, log: File) -> Result<Running> {
    announced(node(NODE_WS, cores)?.arg("0").stderr(log))
}

/// Starts the Django application, after the Redis that it needs, on the same core and in the same group: Redis's use
/// counts.
///
/// # Errors
/// If it does not listen.
pub fn django(server: &str, redis: bool, state: &Path, cores: Cores, log: &File) -> Result<Running> {
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

/// The end of what a server wrote on standard error.
pub fn last_lines(log: &Path) -> String {
    let log = fs::read(log).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default();
    let lines: Vec<_> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(5)..).unwrap_or_default();
    if last.is_empty() { "it wrote nothing".into() } else { format!("it wrote: {}", last.join(" / ")) }
}

/// A command that runs a script on npm's Node.
fn node(script: &str, cores: Cores) -> Result<Command> {
    let mut command = cores.server("node_modules/.bin/node");
    command.arg(script).env("PATH", setup::path_with(&[])?).env("WRANGLER_SEND_METRICS", "false");
    Ok(command)
}

/// Starts a server that says `ready <address>`, and ends when its standard input does. If it says `starting` before, its
/// start begins there: to load wrangler, for example, is no part of it.
fn announced(command: &mut Command) -> Result<Running> {
    let mut started = Instant::now();
    let mut group = Group::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
    let output = group.latest().and_then(|server| server.stdout.take()).context("no output")?;
    let (sender, receiver) = mpsc::channel();
    // Read to the end: a full pipe would stop the server.
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if line == "starting" {
                started = Instant::now();
            } else if let Some(address) = line.strip_prefix("ready ") {
                let _ = sender.send((started, address.to_string()));
            }
        }
    });
    let (started, address) = receiver.recv_timeout(LISTENS_WITHIN).context("it never said that it is ready")?;
    Ok(Running { group, address, started })
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
    fn a_command_line_is_started_as_the_report_shows_it() {
        let command = with_port(REDIS, 7, |program| Command::new(program));
        let shown: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        assert_eq!(shown, ["--bind", "127.0.0.1", "--port", "7", "--save", "", "--appendonly", "no"]);
    }
}
