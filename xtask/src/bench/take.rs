//! Taking one measure of one contestant.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::{
    bench::{
        contestants::Contestant,
        machine::Cores,
        measures::Measure,
        prepare::Place,
        servers::{Running, last_lines},
    },
    demo,
    group::Group,
    process::say,
};

/// Who does not answer by then does not answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What measures are taken with.
pub struct Taker {
    pub place: Place,
    pub cores: Cores,
    /// The load generator.
    pub load: PathBuf,
    pub quick: bool,
}

impl Taker {
    /// Starts it once without measuring: whether it works, and so that what the system keeps of its files is there for
    /// everybody.
    ///
    /// # Errors
    /// If it does not work.
    pub fn rehearse(&self, contestant: &Contestant) -> Result<()> {
        say(format_args!("rehearsing {}", contestant.name));
        contestant.build()?;
        self.place.prepare(contestant.state(), |state| {
            let server = contestant.start_with(state, &self.place.log(), self.cores)?;
            let doctors = self.load(contestant, &server, &format!("sign-in --password {}", demo::PASSWORD))?;
            Ok(fs::write(self.place.doctors(contestant.state()), serde_json::to_vec(&doctors)?)?)
        })?;
        self.cold_start(contestant).map(drop)
    }

    /// Starts the contestant, measures it, and ends it.
    ///
    /// # Errors
    /// If there is no figure; with the reason.
    pub fn take(&self, measure: &Measure, contestant: &Contestant) -> Result<Value> {
        let Some(arguments) = measure.load(self.quick) else { return self.cold_start(contestant) };
        let server = contestant.start(&self.place, self.cores)?;
        self.load(contestant, &server, &arguments)
    }

    /// Runs the load generator against a server, and returns what it prints.
    fn load(&self, contestant: &Contestant, server: &Running, arguments: &str) -> Result<Value> {
        let mut command = self.cores.load(&self.load);
        command.args(["--address", &server.address, "--group", &server.group.id().to_string()]);
        command.arg("--doctors").arg(self.place.doctors(contestant.state())).args(arguments.split(' '));
        // An error is one line.
        command.env("RUST_BACKTRACE", "0");
        let mut group = Group::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let load = group.latest().context("no load")?;
        let (mut printed, mut error) = (String::new(), String::new());
        // It writes one line at its end, so that neither can fill while the other is read.
        load.stdout.take().context("no output")?.read_to_string(&mut printed)?;
        load.stderr.take().context("no output")?.read_to_string(&mut error)?;
        if !load.wait()?.success() {
            bail!("{}; {}", error.split_whitespace().collect::<Vec<_>>().join(" "), last_lines(&self.place.log()));
        }
        Ok(serde_json::from_str(&printed)?)
    }

    /// How long a contestant takes from nothing to its first answers.
    fn cold_start(&self, contestant: &Contestant) -> Result<Value> {
        let server = contestant.start(&self.place, self.cores)?;
        let listens = server.started.elapsed();
        // Who has no such page says so, which is an answer too: none of them asks a database for it.
        status(&server.address, "GET /healthz", "")?;
        let first_answer = server.started.elapsed();
        let caller = self.place.caller(contestant.state())?;
        let call = format!("POST /api/users/login-status/?doctor={}", caller.id);
        let status = status(&server.address, &call, &format!("Authorization: Token {}\r\n", caller.token))?;
        let first_call = server.started.elapsed();
        ensure!(status == 200, "the first state call was answered {status}; {}", last_lines(&self.place.log()));
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        Ok(json!({"listens_ms": ms(listens), "first_answer_ms": ms(first_answer), "first_call_ms": ms(first_call)}))
    }
}

/// Sends a request without a body, and returns the status of the answer.
fn status(address: &str, request: &str, header: &str) -> Result<u16> {
    let host = address.strip_prefix("http://").context("an address begins with http://")?;
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "{request} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n{header}\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).context("no answer")?;
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).with_context(|| format!("no status in {answer:?}"))
}
