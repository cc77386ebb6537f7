//! `cargo xtask serve`: a Worker for a test, which ends with the test, however that ends.

use std::{
    io::{self, BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicI32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::{
    build, demo,
    process::INTERRUPTED,
    test_hospitals,
    wrangler::{self, Database},
};

/// What to serve.
#[derive(clap::Args)]
pub struct Options {
    /// Where the database and the rooms are kept.
    #[arg(long)]
    pub persist_to: PathBuf,
    /// Run against the database before serving, beside the demo accounts.
    #[arg(long)]
    pub sql: Option<PathBuf>,
    /// Create the hospitals of the browser tests, beside the demo accounts.
    #[arg(long)]
    pub test_hospitals: bool,
    /// Everything is kept there already, from an earlier run.
    #[arg(long)]
    pub again: bool,
    /// Serve in the production settings, without demo accounts.
    #[arg(long)]
    pub production: bool,
    /// Serve the build with faults on demand.
    #[arg(long)]
    pub faults: bool,
    /// Where to listen, or 0 for any free port.
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Handed to `wrangler dev`.
    #[arg(last = true)]
    pub wrangler: Vec<String>,
}

impl Options {
    /// A new Worker as it is deployed, on any free port.
    pub fn new(persist_to: &Path) -> Self {
        let (sql, test_hospitals, again, production, faults, port, wrangler) =
            (None, false, false, false, false, 0, Vec::new());
        Self { persist_to: persist_to.into(), sql, test_hospitals, again, production, faults, port, wrangler }
    }
}

/// Serves, prints `ready <address>` on standard output, and ends when standard input does; or, when that says `kill`,
/// kills the runtime as a crash would. What the runtime prints goes to standard error.
pub fn until_stdin_closes(options: &Options) -> Result<()> {
    let server = Server::start(options)?;
    println!("ready {}", server.address);
    if io::stdin().lines().map_while(io::Result::ok).any(|line| line == "kill") {
        killpg(group(&server.runtime), Signal::SIGKILL)?;
    }
    Ok(())
}

/// A running Worker; ends when dropped, and when this process is interrupted. One at a time.
pub struct Server {
    runtime: Child,
    /// `http://127.0.0.1:<port>`
    pub address: String,
}

impl Server {
    /// Builds, migrates, fills and starts.
    pub fn start(options: &Options) -> Result<Self> {
        let Options { persist_to, sql, test_hospitals, again, production, faults, port, wrangler } = options;
        build::build()?;
        if *faults {
            build::build_with_faults()?;
        }
        if !again {
            let database = if *production { Database::LocalProduction } else { Database::Local }(persist_to.clone());
            wrangler::migrate(&database)?;
            if !production {
                demo::create(&database)?;
            }
            if *test_hospitals {
                test_hospitals::create(&database)?;
            }
            if let Some(sql) = sql {
                wrangler::execute(&database, sql)?;
            }
        }
        let mut command = wrangler::wrangler(&["dev", "--ip", "127.0.0.1", "--inspector-port", "0"])?;
        command.arg("--port").arg(port.to_string()).arg("--persist-to").arg(persist_to);
        command.args(faults.then_some(build::WITH_FAULTS));
        command.args(production.then_some(["--env", "production"]).into_iter().flatten()).args(wrangler);
        // A group of its own, so that the runtime below wrangler ends with it.
        let mut runtime =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0).spawn().context("wrangler dev")?;
        let group = group(&runtime);
        end_when_interrupted(group)?;
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

/// Ctrl-C reaches this process, but not the group of the runtime that it runs now.
fn end_when_interrupted(group: Pid) -> Result<()> {
    static RUNNING: AtomicI32 = AtomicI32::new(0);
    static PREPARED: OnceLock<()> = OnceLock::new();
    RUNNING.store(group.as_raw(), Ordering::Relaxed);
    if PREPARED.set(()).is_ok() {
        ctrlc::set_handler(|| {
            let _ = killpg(Pid::from_raw(RUNNING.load(Ordering::Relaxed)), Signal::SIGKILL);
            std::process::exit(INTERRUPTED);
        })?;
    }
    Ok(())
}

/// The process group that `runtime` leads.
fn group(runtime: &Child) -> Pid {
    Pid::from_raw(runtime.id().cast_signed())
}
