//! Calling `wrangler`, on the Node from npm.

use std::{path::Path, process::Command};

use anyhow::Result;

use crate::{
    process::{output, say},
    setup,
};

/// A call of the locked `wrangler`.
pub fn wrangler(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new("node_modules/.bin/wrangler");
    command.args(arguments).env("PATH", setup::path_with(&[])?).env("WRANGLER_SEND_METRICS", "false");
    Ok(command)
}

/// Brings the local database up to date.
pub fn migrate(persist_to: &Path) -> Result<()> {
    say(format_args!("migrating the database in {}", persist_to.display()));
    let mut command = wrangler(&["d1", "migrations", "apply", "rollcall", "--local", "--persist-to"])?;
    // Without a terminal it does not ask.
    output(command.arg(persist_to).env("CI", "true").stdin(std::process::Stdio::null()))?;
    Ok(())
}

/// Runs a file of SQL against the local database.
pub fn execute(persist_to: &Path, sql: &Path) -> Result<()> {
    let mut command = wrangler(&["d1", "execute", "rollcall", "--local", "--yes", "--persist-to"])?;
    output(command.arg(persist_to).arg("--file").arg(sql).stdin(std::process::Stdio::null()))?;
    Ok(())
}
