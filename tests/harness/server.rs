//! The server under test: `cargo xtask serve`, which ends with this process, however that ends.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, OnceLock},
};

use tempfile::TempDir;

use crate::{hospital, secrets, storage};

/// A running Worker with a database of its own.
pub struct Server {
    /// `http://127.0.0.1:<port>`, the same after each restart.
    pub address: String,
    arguments: Vec<String>,
    /// In the production settings, without any account.
    production: bool,
    state: TempDir,
    /// Held for as long as the runtime is to run: it ends when its standard input closes.
    process: Mutex<Option<Child>>,
}

/// The build to serve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// The Worker as it is deployed.
    Release,
    /// The one with faults on demand.
    Faults,
}

/// The server with `SOCKET_AUTH=open`, the local default.
pub fn open() -> &'static Server {
    static OPEN: OnceLock<Server> = OnceLock::new();
    OPEN.get_or_init(|| Server::start(&["--var", &metrics_token()]))
}

/// The server for what holds in both modes: sockets are open, or strict if `ROLLCALL_SOCKET_AUTH` says so.
pub fn either() -> &'static Server {
    if std::env::var("ROLLCALL_SOCKET_AUTH").is_ok_and(|auth| auth == "strict") { strict() } else { open() }
}

/// The server with `SOCKET_AUTH=strict`.
pub fn strict() -> &'static Server {
    static STRICT: OnceLock<Server> = OnceLock::new();
    STRICT.get_or_init(|| Server::start(&["--var", "SOCKET_AUTH:strict", "--var", &metrics_token()]))
}

/// The `METRICS_TOKEN` of [`open`] and [`strict`].
pub const METRICS_TOKEN: &str = "what-only-prometheus-is-to-know!";

fn metrics_token() -> String {
    secrets::keep_out_of_logs(METRICS_TOKEN);
    format!("METRICS_TOKEN:{METRICS_TOKEN}")
}

impl Server {
    /// Starts a Worker with the demo accounts and the hospitals of the tests; `arguments` go to `wrangler dev`.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_build(Build::Release, arguments)
    }

    /// Starts another build of it.
    pub fn start_build(build: Build, arguments: &[&str]) -> Self {
        let state = TempDir::new().unwrap();
        let sql = state.path().join("hospitals.sql");
        std::fs::write(&sql, hospital::sql()).unwrap();
        let arguments = arguments.iter().map(ToString::to_string).collect();
        let mut server =
            Self { address: String::new(), arguments, production: false, state, process: Mutex::new(None) };
        server.address = server.run(build, &["--sql", sql.to_str().unwrap()]);
        server
    }

    /// Starts one whose database was made by version 1.0 and then migrated: `fill` fills the database while it has only
    /// the migrations of 1.0 and the hospitals of the tests.
    pub fn upgraded(fill: impl FnOnce(&rusqlite::Connection)) -> Self {
        let server = Self::start(&[]);
        server.stop();
        let database = server.database();
        storage::go_back_to_1_0(&database);
        database.execute_batch(&hospital::sql()).unwrap();
        fill(&database);
        drop(database);
        let port = server.address.rsplit(':').next().unwrap();
        assert_eq!(server.run(Build::Release, &["--port", port]), server.address);
        server
    }

    /// Starts one in the production settings, without any account.
    pub fn in_production() -> Self {
        Self::in_production_after(|_| ())
    }

    /// The same, after `prepare` has done something with its database, which is not there yet.
    pub fn in_production_after(prepare: impl FnOnce(&Self)) -> Self {
        let (state, arguments) = (TempDir::new().unwrap(), vec![]);
        let mut server = Self { address: String::new(), arguments, production: true, state, process: Mutex::new(None) };
        prepare(&server);
        server.address = server.run(Build::Release, &[]);
        server
    }

    /// Writes the database of a server that was stopped into a file.
    pub fn back_up(&self, file: &Path) {
        xtask(&["backup", file.to_str().unwrap(), "--persist-to", self.kept_in().to_str().unwrap()]).unwrap();
    }

    /// Starts one with the database that is in a file.
    pub fn restored(file: &Path) -> Self {
        let (state, arguments) = (TempDir::new().unwrap(), vec![]);
        let mut server =
            Self { address: String::new(), arguments, production: false, state, process: Mutex::new(None) };
        xtask(&["restore", file.to_str().unwrap(), "--persist-to", server.kept_in().to_str().unwrap()]).unwrap();
        server.address = server.run(Build::Release, &["--again"]);
        server
    }

    /// Runs `cargo xtask admin create` for the database of the production settings, and returns what it printed.
    ///
    /// # Errors
    /// What it complained about.
    pub fn create_admin(&self, arguments: &[&str]) -> Result<String, String> {
        let state = self.kept_in();
        let ours = ["admin", "create", "--env", "production", "--persist-to", state.to_str().unwrap()];
        xtask(&[&ours, arguments].concat())
    }

    /// Runs `cargo xtask import-django` for the same database. Says whether it succeeded, and what it printed.
    pub fn import_django(&self, arguments: &[&str]) -> (bool, String) {
        let state = self.kept_in();
        let ours = ["import-django", "--env", "production", "--persist-to", state.to_str().unwrap()];
        let output = run_xtask(&[&ours, arguments].concat());
        let complaints = String::from_utf8(output.stderr).unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(!printed.is_empty(), "{complaints}");
        (output.status.success(), printed)
    }

    /// Kills the runtime as a crash would: nothing is said, nothing is saved.
    pub fn kill(&self) {
        let mut process = self.process.lock().unwrap().take().expect("it runs");
        writeln!(process.stdin.as_mut().unwrap(), "kill").unwrap();
        process.wait().unwrap();
    }

    /// Ends the runtime politely.
    pub fn stop(&self) {
        let mut process = self.process.lock().unwrap().take().expect("it runs");
        drop(process.stdin.take());
        process.wait().unwrap();
    }

    /// Starts it again, at the same address and with what was stored.
    pub fn restart(&self) {
        self.restart_build(Build::Release);
    }

    /// Starts another build of it, as a deploy does.
    pub fn restart_build(&self, build: Build) {
        let port = self.address.rsplit(':').next().unwrap();
        assert_eq!(self.run(build, &["--again", "--port", port]), self.address);
    }

    fn run(&self, build: Build, options: &[&str]) -> String {
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        let mut process = Command::new(cargo())
            .args(["xtask", "serve", "--persist-to"])
            .arg(self.kept_in())
            .args((build == Build::Faults).then_some("--faults"))
            .args(self.production.then_some("--production"))
            .args(options)
            .arg("--")
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let Some(Ok(line)) = lines.next() else { panic!("no server:\n{}", self.said()) };
        let address = line.strip_prefix("ready ").unwrap_or_else(|| panic!("{line}"));
        *self.process.lock().unwrap() = Some(process);
        address.to_string()
    }

    fn log(&self) -> PathBuf {
        match (secrets::directory(), self.state.path().file_name()) {
            (Some(directory), Some(name)) => directory.join(name).with_extension("log"),
            _ => self.state.path().join("log"),
        }
    }

    /// Whether a socket needs a session.
    pub fn is_strict(&self) -> bool {
        self.arguments.iter().any(|argument| argument == "SOCKET_AUTH:strict")
    }

    /// What the runtime has printed so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// The address of a socket path, with its query.
    pub fn socket_address(&self, path: &str) -> String {
        format!("{}{path}", self.address.replacen("http", "ws", 1))
    }

    /// The directory of the database and of the rooms.
    pub(crate) fn kept_in(&self) -> PathBuf {
        self.state.path().join("state")
    }

    /// Whether the runtime works.
    pub(crate) fn runs(&self) -> bool {
        self.process.lock().unwrap().is_some()
    }
}

/// Runs `cargo xtask` and returns what it printed.
///
/// # Errors
/// What it complained about.
pub fn xtask(arguments: &[&str]) -> Result<String, String> {
    let output = run_xtask(arguments);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn run_xtask(arguments: &[&str]) -> Output {
    Command::new(cargo()).arg("xtask").args(arguments).output().unwrap()
}

fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
