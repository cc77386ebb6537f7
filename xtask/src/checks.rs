//! `cargo xtask test`: every check, in the order in which they fail fastest.

use std::{
    fs,
    io::ErrorKind,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, ensure};

use crate::{
    audit, build, demo, faults, fuzz,
    process::{run, say},
    serve::{self, Server},
    setup,
};

/// The Worker's size limit, gzipped, in bytes.
const WASM_LIMIT: usize = 600_000;

/// The directory of the logs of the end-to-end tests, and of what must not be in them.
const LOGS: &str = "target/logs";

/// The directory of screenshots.
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
    check("licences and sources of dependencies", &audit::without_advisories)?;
    check("native tests", &native_tests)?;
    check("dashboard types and unit tests", &|| npm("check").and_then(|()| npm("test:unit")))?;
    check("build", &build_within_limit)?;
    check("end-to-end tests", &end_to_end_tests)?;
    check("API fuzzed from its schema", &fuzz::fuzz)?;
    check("faults, bounded; meanwhile WebAssembly tests", &faults_and_wasm_tests)?;
    check("logs of those runs", &logs_tell_nothing)?;
    check("browser tests", &|| in_browser("test:browser"))?;
    check("a burst of events in the browser", &|| in_browser("test:burst"))?;
    report(&timings);
    Ok(())
}

/// Runs clippy, and rustdoc for the documentation of the code.
fn lints() -> Result<()> {
    cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    let worker = ["clippy", "--quiet", "-p", "rollcall", "--target", "wasm32-unknown-unknown"];
    cargo(&[&worker[..], &["--", "-D", "warnings"]].concat())?;
    cargo(&[&worker[..], &["--features", "faults", "--", "-D", "warnings"]].concat())?;
    rustdoc(&["-p", "rollcall-core", "--all-features"])?;
    rustdoc(&["-p", "rollcall", "--target", "wasm32-unknown-unknown", "--document-private-items"])
}

fn rustdoc(of: &[&str]) -> Result<()> {
    run(Command::new(setup::cargo()).args(["doc", "--quiet", "--no-deps"]).args(of).env("RUSTDOCFLAGS", "-D warnings"))
}

fn native_tests() -> Result<()> {
    let packages = ["rollcall-core", "rollcall", "rollcall-bench", "xtask"].map(|package| ["-p", package]);
    cargo(&[&["test", "--quiet"], packages.as_flattened()].concat())
}

/// Builds what is not up to date, and refuses what must not be deployed.
pub fn build_within_limit() -> Result<()> {
    build::build()?;
    let size = build::gzipped_size()?;
    say(format_args!("the Worker's WebAssembly is {size} bytes gzipped, of {WASM_LIMIT}"));
    ensure!(size < WASM_LIMIT, "the Worker has grown over its limit");
    ensure!(!build::release_contains("/faults/")?, "the Worker to deploy has faults on demand");
    Ok(())
}

/// The end-to-end tests; which of them, follows.
const E2E: [&str; 10] =
    ["test", "--quiet", "-p", "rollcall-tests", "--lib", "--test", "e2e", "--", "--test-threads", "8"];

/// Side by side, because they wait most of the time. Twice: what holds with open sockets holds with strict ones too,
/// but for the original applications' own clients. Tests that sleep or need a server of their own run once.
fn end_to_end_tests() -> Result<()> {
    fs::remove_dir_all(LOGS).or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    fs::create_dir_all(LOGS)?;
    let with_open_sockets = |which: &[&str]| {
        run(Command::new(setup::cargo())
            .args(E2E)
            .args(which)
            .env("ROLLCALL_LOGS", fs::canonicalize(LOGS)?)
            .env("ROLLCALL_PYTHON", setup::python()?.join("python"))
            .env("ROLLCALL_DJANGO", setup::python_for_imported_django()?.join("python")))
    };
    with_open_sockets(&["--skip", "import_django"])?;
    // By itself: it measures how long hashing takes, which depends on whatever else runs.
    with_open_sockets(&["import_django"])?;
    let once =
        ["slept", "production", "clients", "import_django", "backup", "deploy", "retention", "upgrade", "carried_over"];
    let elsewhere = ["originals", "strict"].iter().chain(&once).flat_map(|tests| ["--skip", tests]);
    run(Command::new(setup::cargo())
        .args(E2E)
        .args(elsewhere)
        .env("ROLLCALL_SOCKET_AUTH", "strict")
        .env("ROLLCALL_LOGS", fs::canonicalize(LOGS)?))
}

/// No email, token, ticket or password of the end-to-end tests is in what any of their servers printed.
fn logs_tell_nothing() -> Result<()> {
    let mut secrets = vec!["example.com".to_string(), demo::PASSWORD.to_string()];
    let mut lines = Vec::new();
    for file in fs::read_dir(LOGS)? {
        let path = file?.path();
        let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
        let into =
            if path.extension().is_some_and(|extension| extension == "secrets") { &mut secrets } else { &mut lines };
        into.extend(text.lines().map(str::to_owned));
    }
    // The development server prints the path of each request, and this one has an email in it, as the contract says.
    // What is deployed prints no requests (`invocation_logs` in `wrangler.toml`).
    lines.retain(|line| !line.starts_with("[wrangler:info] DELETE /api/hms/active-connections/"));
    ensure!(lines.iter().any(|line| line.starts_with("[wrangler:info] POST /api/users/login/")), "no logs in {LOGS}");
    ensure!(secrets.len() > 100, "too few secrets to look for");
    let telling = lines.iter().find(|line| secrets.iter().any(|secret| line.contains(secret)));
    ensure!(telling.is_none(), "a log says what none may: {telling:?}");
    say(format_args!("none of {} secrets is in {} lines of logs", secrets.len(), lines.len()));
    Ok(())
}

fn wasm_tests() -> Result<()> {
    let path = setup::path_with(&setup::for_testing()?)?;
    run(Command::new("wasm-pack").args(["test", "--node", ".", "--lib"]).env("PATH", path))
}

/// Side by side, because faults wait most of the time, and the others mostly compile.
fn faults_and_wasm_tests() -> Result<()> {
    side_by_side(faults::bounded, wasm_tests)
}

fn side_by_side(one: fn() -> Result<()>, other: fn() -> Result<()>) -> Result<()> {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        one.join().map_err(|_| anyhow!("a check panicked"))?.and(other)
    })
}

/// Runs a script of `package.json` that needs a Worker and a browser.
fn in_browser(script: &str) -> Result<()> {
    let chromium = setup::chromium()?;
    fs::create_dir_all(ARTIFACTS)?;
    let state = tempfile::tempdir()?;
    // A shorter grace than the default one, which the faults wait for.
    let grace = ["--var", "AUTO_LOGOUT_GRACE_SECONDS:10"].map(str::to_owned).to_vec();
    let server =
        Server::start(&serve::Options { test_hospitals: true, wrangler: grace, ..serve::Options::new(state.path()) })?;
    run(Command::new("npm")
        .args(["run", "--silent", script])
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
