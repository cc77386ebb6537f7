//! `cargo xtask dev`.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::{
    build, demo,
    process::{INTERRUPTED, say},
    wrangler::{self, Database},
};

/// Sets everything up and serves until it is interrupted.
pub fn dev(port: u16, persist_to: &Path, arguments: &[String]) -> Result<()> {
    // Asked first, because wrangler would say it minutes later, and another program on that port might answer instead of it.
    TcpListener::bind(("127.0.0.1", port))
        .with_context(|| format!("port {port} is taken: choose another with --port"))?;
    build::build()?;
    let database = Database::Local(persist_to.into());
    wrangler::migrate(&database)?;
    demo::create(&database)?;
    say("starting the Worker");
    thread::spawn(move || {
        while !answers(port) {
            thread::sleep(Duration::from_millis(200));
        }
        println!("{}", demo::introduction(&format!("http://localhost:{port}")));
    });
    let port = port.to_string();
    let mut command = wrangler::wrangler(&["dev", "--port", &port, "--inspector-port", "0", "--persist-to"])?;
    let status = command.arg(persist_to).args(arguments).status().context("wrangler dev")?;
    ensure!(status.success() || status.code() == Some(INTERRUPTED), "wrangler dev failed ({status})");
    Ok(())
}

/// Whether the Worker answers yet. Anything else on that port makes `wrangler` stop with its own words.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("localhost", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}
