//! `cargo xtask test`: every check, in the order in which they fail fastest.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use crate::{
    build, faults,
    process::{run, say},
    serve::{self, Server},
    setup,
};

/// The Worker's size limit, gzipped, in bytes.
const WASM_LIMIT: usize = 400_000;

/// Where screenshots are kept.
const ARTIFACTS: &str = "artifacts";

/// Runs every check and says how long each took.
pub fn test() -> Result<()> {
    let mut timings = Vec::new();
    let mut check = |name: &'static str, check: &dyn Fn() -> Result<()>| -> Result<()> {
        say(format_args!("checking: {name}"));
        let start = Instant::now();
        check()?;
        timings.push((name, start.elapsed()));
        Ok(())
    };
    check("setup", &|| setup::for_testing().map(drop))?;
    check("format", &|| cargo(&["fmt", "--all", "--check"]))?;
    check("lints", &lints)?;
    check("native tests", &|| cargo(&["test", "--quiet", "-p", "rollcall-core", "-p", "rollcall", "-p", "xtask"]))?;
    check("dashboard types and unit tests", &|| npm("check").and_then(|()| npm("test:unit")))?;
    check("build", &build_within_limit)?;
    check("WebAssembly tests", &wasm_tests)?;
    check("end-to-end tests", &end_to_end_tests)?;
    check("faults, bounded", &faults::bounded)?;
    check("browser tests", &browser_tests)?;
    report(&timings);
    Ok(())
}

fn lints() -> Result<()> {
    cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    let worker = ["clippy", "--quiet", "-p", "rollcall", "--target", "wasm32-unknown-unknown"];
    cargo(&[&worker[..], &["--", "-D", "warnings"]].concat())?;
    cargo(&[&worker[..], &["--features", "faults", "--", "-D", "warnings"]].concat())
}

fn build_within_limit() -> Result<()> {
    build::build()?;
    let size = build::gzipped_size()?;
    say(format_args!("the Worker's WebAssembly is {size} bytes gzipped, of {WASM_LIMIT}"));
    ensure!(size < WASM_LIMIT, "the Worker has grown over its limit");
    ensure!(!build::release_contains("/faults/")?, "the Worker to deploy has faults on demand");
    Ok(())
}

/// Side by side, because they wait most of the time.
fn end_to_end_tests() -> Result<()> {
    cargo(&["test", "--quiet", "-p", "rollcall-tests", "--lib", "--test", "e2e", "--", "--test-threads", "8"])
}

fn wasm_tests() -> Result<()> {
    let path = setup::path_with(&setup::for_testing()?)?;
    run(Command::new("wasm-pack").args(["test", "--node", ".", "--lib"]).env("PATH", path))
}

fn browser_tests() -> Result<()> {
    let chromium = setup::chromium()?;
    fs::create_dir_all(ARTIFACTS)?;
    let state = tempfile::tempdir()?;
    let server = Server::start(&serve::Options::new(state.path()))?;
    run(Command::new("npm")
        .args(["run", "--silent", "test:browser"])
        .env("PATH", setup::path_with(&[])?)
        .env("ROLLCALL_URL", &server.address)
        .env("CHROMIUM", chromium)
        .env("ARTIFACTS", fs::canonicalize(ARTIFACTS)?))
}

fn cargo(arguments: &[&str]) -> Result<()> {
    run(Command::new(setup::cargo()).args(arguments))
}

fn npm(script: &str) -> Result<()> {
    run(Command::new("npm").args(["run", "--silent", script]).env("PATH", setup::path_with(&[])?))
}

fn report(timings: &[(&str, Duration)]) {
    for (name, took) in timings {
        say(format_args!("{:>6.1} s  {name}", took.as_secs_f64()));
    }
    say("every check passed");
}
