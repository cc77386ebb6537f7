//! `cargo xtask`: everything a developer or an administrator runs from the checkout.
//!
//! **Invariant:** each command installs what it needs, says so while it does it, and may be run again at any time.

mod admin;
mod audit;
mod backup;
mod bench;
mod build;
mod checks;
mod demo;
mod deploy;
mod dev;
#[cfg(test)]
mod documents;
mod faults;
mod fuzz;
mod group;
mod import_django;
mod process;
mod serve;
mod setup;
#[cfg(test)]
mod structure;
mod test_hospitals;
mod wrangler;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Run, build and test Rollcall.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Set everything up and serve on this machine, with demo accounts.
    Dev {
        /// The port to listen on.
        #[arg(long, default_value_t = 8787)]
        port: u16,
        /// The directory of the database and the rooms.
        #[arg(long, default_value = ".wrangler/state")]
        persist_to: PathBuf,
        /// Handed to `wrangler dev`, for example `--var SOCKET_AUTH:strict`.
        #[arg(last = true)]
        wrangler: Vec<String>,
    },
    /// Build the dashboard and the Worker. `wrangler` calls this by itself.
    Build,
    /// Run every check: format, lints, unit, end-to-end and browser tests.
    Test,
    /// Check the dependencies for known vulnerabilities, and their licences. Needs the network.
    Audit,
    /// Run the fault-injection tests at full length and print the results.
    Faults {
        /// Put the table into `docs/reliability.md`.
        #[arg(long)]
        update: bool,
    },
    /// Measure Rollcall and other implementations of the same, and print tables.
    Bench(bench::Options),
    /// Deploy to an account of Cloudflare: database, migrations, secrets, code.
    Deploy(deploy::Options),
    /// Write the database to a file.
    Backup(backup::Backup),
    /// Restore the database from a file, or in place to a moment of the last thirty days.
    Restore(backup::Restore),
    /// Manage the administrators of a hospital that has none.
    #[command(subcommand)]
    Admin(Admin),
    /// Import the accounts of a Django application: docs/migrate.md.
    ImportDjango(import_django::Options),
    /// Serve until standard input closes. For tests.
    #[command(hide = true)]
    Serve(serve::Options),
}

#[derive(Subcommand)]
enum Admin {
    /// Create an administrator, and the hospital if it is new, and print a temporary password.
    Create(admin::Create),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::say(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))?;
    match command {
        Command::Dev { port, persist_to, wrangler } => dev::dev(port, &persist_to, &wrangler),
        Command::Build => build::build(),
        Command::Test => checks::test(),
        Command::Audit => audit::audit(),
        Command::Faults { update } => faults::at_full_length(update),
        Command::Bench(options) => bench::bench(&options),
        Command::Deploy(options) => deploy::deploy(&options),
        Command::Backup(what) => backup::backup(what),
        Command::Restore(what) => backup::restore(what),
        Command::Admin(Admin::Create(who)) => admin::create(who),
        Command::ImportDjango(options) => import_django::import(&options),
        Command::Serve(options) => serve::until_stdin_closes(&options),
    }
}
