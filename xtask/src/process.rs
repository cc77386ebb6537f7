//! Running other programs.

use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// How a program ends after Ctrl-C.
pub const INTERRUPTED: i32 = 130;

/// How many files may be open, for thousands of dashboards.
const FILES: u64 = 16_384;

/// Says on standard error what is being done, so that standard output stays for results.
pub fn say(what: impl std::fmt::Display) {
    eprintln!("xtask: {what}");
}

/// Runs `command` to its end.
///
/// # Errors
/// If it cannot be started, or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let status = command.status().with_context(|| format!("could not start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs `command` to its end and returns what it wrote on standard output.
///
/// # Errors
/// If it cannot be started, or fails; with what it wrote.
pub fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command.output().with_context(|| format!("could not start `{shown}`"))?;
    if !output.status.success() {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        bail!("`{shown}` failed ({})\n{out}{err}", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Lets this process, and what it starts from now on, have more files open than is usual.
///
/// # Errors
/// If the system does not allow it.
pub fn allow_many_files() -> Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, soft.max(FILES.min(hard)), hard)?)
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
