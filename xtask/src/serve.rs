//! `cargo xtask serve`: a Worker for a test, which ends with the test, however that ends.

use std::{
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
    thread,
};

use anyhow::{Context, Result};

use crate::{
    build, demo,
    group::Group,
    test_hospitals,
    wrangler::{self, Database, PRODUCTION},
};

/// The settings of production, with a key for tokens: there it is a secret, so the settings do not have it.
const PRODUCTION_SETTINGS: [&str; 4] =
    ["--env", PRODUCTION, "--var", "TOKEN_KEY:a key for tests, the same after a restart"];

/// The Worker to serve.
#[derive(clap::Args)]
pub struct Options {
    /// The directory of the database and the rooms.
    #[arg(long)]
    pub persist_to: PathBuf,
    /// Run this SQL against the database before serving, after the demo accounts.
    #[arg(long)]
    pub sql: Option<PathBuf>,
    /// Create the hospitals of the browser tests too.
    #[arg(long)]
    pub test_hospitals: bool,
    /// The directory has everything already, from an earlier run.
    #[arg(long)]
    pub again: bool,
    /// Serve in the production settings, without demo accounts.
    #[arg(long)]
    pub production: bool,
    /// Serve the build with faults on demand.
    #[arg(long)]
    pub faults: bool,
    /// The port to listen on, or 0 for any free one.
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
        server.runtime.kill()?;
    }
    Ok(())
}

/// A running Worker; ends when dropped, and when this process is interrupted.
pub struct Server {
    runtime: Group,
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
            let path = persist_to.clone();
            let database =
                if *production { Database::LocalOf { env: PRODUCTION.into(), path } } else { Database::Local(path) };
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
        command.args(production.then_some(PRODUCTION_SETTINGS).into_iter().flatten()).args(wrangler);
        // A group, so that the runtime below wrangler ends with it. From here on dropped, and so ended, on every way out.
        let mut runtime = Group::start(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
        let output = runtime.latest().and_then(|wrangler| wrangler.stdout.take()).context("wrangler's output")?;
        let mut lines = BufReader::new(output).lines();
        let address = lines
            .by_ref()
            .map_while(io::Result::ok)
            .inspect(|line| eprintln!("{line}"))
            .find_map(|line| line.split_once("Ready on ").map(|(_, address)| address.trim().to_string()))
            .context("wrangler ended before it was ready")?;
        // Read to the end: a full pipe would stop the runtime.
        thread::spawn(move || lines.map_while(io::Result::ok).for_each(|line| eprintln!("{line}")));
        Ok(Self { runtime, address })
    }
}
