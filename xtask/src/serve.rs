//! `cargo xtask serve`: a Worker for a test, which ends with the test, however that ends.

use std::{
    io::{self, BufRead, BufReader},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::{build, demo, process::INTERRUPTED, wrangler};

/// Serves on a free port, prints `ready <address>` on standard output, and ends when standard input does. What the
/// runtime prints goes to standard error.
pub fn until_stdin_closes(persist_to: &Path, sql: Option<&Path>, arguments: &[String]) -> Result<()> {
    let server = Server::start(persist_to, sql, arguments)?;
    println!("ready {}", server.address);
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// A running Worker; ends when dropped, and when this process is interrupted. One per process.
pub struct Server {
    runtime: Child,
    /// `http://127.0.0.1:<port>`
    pub address: String,
}

impl Server {
    /// Builds, migrates, fills and starts.
    pub fn start(persist_to: &Path, sql: Option<&Path>, arguments: &[String]) -> Result<Self> {
        build::build()?;
        wrangler::migrate(persist_to)?;
        demo::create(persist_to)?;
        if let Some(sql) = sql {
            wrangler::execute(persist_to, sql)?;
        }
        let mut command =
            wrangler::wrangler(&["dev", "--ip", "127.0.0.1", "--port", "0", "--inspector-port", "0", "--persist-to"])?;
        command.arg(persist_to).args(arguments);
        // A group of its own, so that the runtime below wrangler ends with it.
        let mut runtime =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0).spawn().context("wrangler dev")?;
        let group = group(&runtime);
        // Ctrl-C reaches this process, but not the runtime's group.
        ctrlc::set_handler(move || {
            let _ = killpg(group, Signal::SIGKILL);
            std::process::exit(INTERRUPTED);
        })?;
        let output = runtime.stdout.take().context("wrangler's output")?;
        // From here on dropped, and so ended, on every way out.
        let mut server = Self { runtime, address: String::new() };

        let mut lines = BufReader::new(output).lines();
        server.address = lines
            .by_ref()
            .map_while(io::Result::ok)
            .inspect(|line| eprintln!("{line}"))
            .find_map(|line| line.split_once("Ready on ").map(|(_, address)| address.trim().to_string()))
            .context("wrangler ended before it was ready")?;
        // Read to the end: a full pipe would stop the runtime.
        thread::spawn(move || lines.map_while(io::Result::ok).for_each(|line| eprintln!("{line}")));
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = group(&self.runtime);
        let _ = killpg(group, Signal::SIGTERM);
        // The runtime may ignore a polite request for minutes after a load.
        let patience = Instant::now() + Duration::from_secs(3);
        while Instant::now() < patience && matches!(self.runtime.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(50));
        }
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.runtime.wait();
    }
}

/// The process group that `runtime` leads.
fn group(runtime: &Child) -> Pid {
    Pid::from_raw(runtime.id().cast_signed())
}
