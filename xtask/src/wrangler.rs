//! Calling `wrangler`, on the Node from npm.

use std::{
    fmt::Display,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    process::{output, say},
    setup,
};

/// The environment that is meant to be deployed.
pub const PRODUCTION: &str = "production";

/// The configuration of the bare object.
pub const BARE: &str = "bench/contestants/bare/wrangler.toml";

/// A database.
#[derive(Clone, Debug)]
pub enum Database {
    /// The one of the local runtime, kept there.
    Local(PathBuf),
    /// The local one of the settings of an environment, kept there. For tests, and to rehearse a deployment.
    LocalOf {
        /// The environment.
        env: String,
        /// Where it is kept.
        path: PathBuf,
    },
    /// The one of the bare object that `cargo xtask bench` compares with, kept there.
    Bare(PathBuf),
    /// The one that is deployed in an environment.
    Remote {
        /// The environment.
        env: String,
    },
}

/// The options that name a database.
#[derive(clap::Args)]
pub struct Which {
    /// The database that is deployed, not the local one.
    #[arg(long)]
    remote: bool,
    /// The environment of `wrangler.toml`; with `--remote`, `production` unless said otherwise.
    #[arg(long)]
    env: Option<String>,
    /// The directory of the local database.
    #[arg(long, default_value = ".wrangler/state")]
    persist_to: PathBuf,
}

impl Which {
    /// The database.
    pub fn database(&self) -> Database {
        let path = self.persist_to.clone();
        match (self.remote, self.env.clone()) {
            (true, env) => Database::Remote { env: env.unwrap_or_else(|| PRODUCTION.into()) },
            (false, Some(env)) => Database::LocalOf { env, path },
            (false, None) => Database::Local(path),
        }
    }
}

impl Database {
    /// Its binding, which is the same in every environment.
    pub const NAME: &str = "DB";

    /// How `wrangler` is told which one.
    pub fn arguments(&self) -> Vec<&str> {
        match self {
            Self::Local(path) => vec!["--local", "--persist-to", path.to_str().unwrap_or_default()],
            Self::LocalOf { env, path } => {
                vec!["--env", env, "--local", "--persist-to", path.to_str().unwrap_or_default()]
            }
            Self::Bare(path) => {
                vec!["--config", BARE, "--local", "--persist-to", path.to_str().unwrap_or_default()]
            }
            Self::Remote { env } => vec!["--env", env, "--remote"],
        }
    }
}

/// A call of the locked `wrangler`.
pub fn wrangler(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new("node_modules/.bin/wrangler");
    command.args(arguments).env("PATH", setup::path_with(&[])?).env("WRANGLER_SEND_METRICS", "false");
    Ok(command)
}

/// How `wrangler` is told to bring a database up to date; which one, follows.
pub const MIGRATE: [&str; 4] = ["d1", "migrations", "apply", Database::NAME];

/// How `wrangler` is told to run a statement of SQL and print what it found as JSON; in which database, follows.
pub fn query_arguments(sql: &str) -> [&str; 7] {
    ["d1", "execute", Database::NAME, "--yes", "--json", "--command", sql]
}

/// Brings a database up to date.
pub fn migrate(database: &Database) -> Result<()> {
    say("migrating the database");
    quietly(&[&MIGRATE, &database.arguments()[..]].concat())?;
    Ok(())
}

/// Runs the locked `wrangler` to its end and returns what it printed. Without a terminal it does not ask.
pub fn quietly(arguments: &[&str]) -> Result<String> {
    output(wrangler(arguments)?.env("CI", "true").stdin(Stdio::null()))
}

/// Runs statements of SQL against a database.
pub fn execute_text(database: &Database, sql: &str) -> Result<()> {
    let directory = tempfile::tempdir()?;
    // They may hold hashes of passwords, and are longer than a command line may be.
    let file = directory.path().join("statements.sql");
    fs::write(&file, sql)?;
    execute(database, &file)
}

/// Runs queries against a database, and returns the rows of each.
pub fn query(database: &Database, sql: &str) -> Result<Vec<Vec<Value>>> {
    found(&quietly(&[&query_arguments(sql), &database.arguments()[..]].concat())?)
}

/// The rows of each query in what `wrangler` printed.
pub fn found(printed: &str) -> Result<Vec<Vec<Value>>> {
    #[derive(Deserialize)]
    struct Answer {
        results: Vec<Value>,
    }
    let answers: Vec<Answer> = serde_json::from_str(printed).context("what wrangler printed is not JSON")?;
    Ok(answers.into_iter().map(|answer| answer.results).collect())
}

/// The statement by which the room of a hospital finds out that its users were written by somebody else.
pub fn raise_revision(hospital_id: impl Display) -> String {
    format!("UPDATE hospitals SET revision = revision + 1 WHERE id = {hospital_id};\n")
}

/// A text in SQL: `wrangler d1 execute` takes no parameters.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Runs a file of SQL against a database.
pub fn execute(database: &Database, sql: &Path) -> Result<()> {
    let mut command = wrangler(&["d1", "execute", Database::NAME, "--yes"])?;
    output(command.args(database.arguments()).arg("--file").arg(sql).stdin(Stdio::null()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_name_stays_in_the_name() {
        assert_eq!(quoted("O'Neil'); DROP TABLE users; --"), "'O''Neil''); DROP TABLE users; --'");
    }
}
