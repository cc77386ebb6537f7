//! The server under test: `cargo xtask serve`, which ends with this process, however that ends.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use tempfile::TempDir;

use crate::hospital;

/// A running Worker with a database of its own.
pub struct Server {
    /// `http://127.0.0.1:<port>`
    pub address: String,
    /// Held for as long as the server is to run: it ends when its standard input closes.
    _process: Child,
    _state: TempDir,
}

/// The server with `SOCKET_AUTH=open`, the local default.
pub fn open() -> &'static Server {
    static OPEN: OnceLock<Server> = OnceLock::new();
    OPEN.get_or_init(|| Server::start(&[]))
}

/// The server with `SOCKET_AUTH=strict`.
pub fn strict() -> &'static Server {
    static STRICT: OnceLock<Server> = OnceLock::new();
    STRICT.get_or_init(|| Server::start(&["--var", "SOCKET_AUTH:strict"]))
}

impl Server {
    /// Starts a Worker with the demo accounts and the hospitals of the tests; `arguments` go to `wrangler dev`.
    pub fn start(arguments: &[&str]) -> Self {
        let state = TempDir::new().unwrap();
        let sql = state.path().join("hospitals.sql");
        std::fs::write(&sql, hospital::sql()).unwrap();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut process = Command::new(cargo)
            .args(["xtask", "serve", "--sql"])
            .arg(&sql)
            .arg("--persist-to")
            .arg(state.path().join("state"))
            .arg("--")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(std::fs::File::create(state.path().join("log")).unwrap()))
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let Some(Ok(line)) = lines.next() else {
            panic!("no server:\n{}", std::fs::read_to_string(state.path().join("log")).unwrap_or_default());
        };
        let address = line.strip_prefix("ready ").unwrap_or_else(|| panic!("{line}")).to_string();
        Self { address, _process: process, _state: state }
    }

    /// The address of a socket path, with its query.
    pub fn socket_address(&self, path: &str) -> String {
        format!("{}{path}", self.address.replacen("http", "ws", 1))
    }
}
