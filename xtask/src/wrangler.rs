//! Calling `wrangler`, on the Node from npm.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Result;

use crate::{
    process::{output, say},
    setup,
};

/// The configuration of the bare object.
pub const BARE: &str = "bench/contestants/bare/wrangler.toml";

/// Which database.
#[derive(Clone, Debug)]
pub enum Database {
    /// The one of the local runtime, kept there.
    Local(PathBuf),
    /// The local one of the production settings, kept there. For tests.
    LocalProduction(PathBuf),
    /// The one of the bare object that `cargo xtask bench` compares with, kept there.
    Bare(PathBuf),
    /// The one that is deployed.
    Remote,
}

impl Database {
    fn name(&self) -> &'static str {
        if matches!(self, Self::Bare(_)) { "bare" } else { "rollcall" }
    }

    fn arguments(&self) -> Vec<&str> {
        match self {
            Self::Local(path) => vec!["--local", "--persist-to", path.to_str().unwrap_or_default()],
            Self::LocalProduction(path) => {
                vec!["--env", "production", "--local", "--persist-to", path.to_str().unwrap_or_default()]
            }
            Self::Bare(path) => {
                vec!["--config", BARE, "--local", "--persist-to", path.to_str().unwrap_or_default()]
            }
            Self::Remote => vec!["--env", "production", "--remote"],
        }
    }
}

/// A call of the locked `wrangler`.
pub fn wrangler(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new("node_modules/.bin/wrangler");
    command.args(arguments).env("PATH", setup::path_with(&[])?).env("WRANGLER_SEND_METRICS", "false");
    Ok(command)
}

/// Brings a database up to date.
pub fn migrate(database: &Database) -> Result<()> {
    say("migrating the database");
    let mut command = wrangler(&["d1", "migrations", "apply", database.name()])?;
    // Without a terminal it does not ask.
    output(command.args(database.arguments()).env("CI", "true").stdin(Stdio::null()))?;
    Ok(())
}

/// Runs statements of SQL against a database.
pub fn execute_text(database: &Database, sql: &str) -> Result<()> {
    let directory = tempfile::tempdir()?;
    // They may hold hashes of passwords, and are longer than a command line may be.
    let file = directory.path().join("statements.sql");
    fs::write(&file, sql)?;
    execute(database, &file)
}

/// Runs a file of SQL against a database.
pub fn execute(database: &Database, sql: &Path) -> Result<()> {
    let mut command = wrangler(&["d1", "execute", database.name(), "--yes"])?;
    output(command.args(database.arguments()).arg("--file").arg(sql).stdin(Stdio::null()))?;
    Ok(())
}
