//! `cargo xtask deploy`: from a checkout to a hospital's board.
//!
//! **Invariant:** nothing in the account is touched before the settings are found safe and the Worker is built; no code
//! comes before its migrations and its secrets. Every step may be repeated, so running it again after a failure completes
//! it. A dry run takes the same steps, with a local database instead of the account's.

mod answer;
mod settings;
mod steps;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use tempfile::TempDir;

use self::settings::Configuration;
use crate::{
    process::say,
    setup,
    wrangler::{self, Database, PRODUCTION},
};

/// The version of Rollcall in this checkout.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The environment to deploy, and how.
#[derive(clap::Args)]
pub struct Options {
    /// The environment of `wrangler.toml`.
    #[arg(long, default_value = PRODUCTION)]
    env: String,
    /// A domain of your own, whose zone is in the account, for example `duty.hospital.example`.
    #[arg(long)]
    domain: Option<String>,
    /// Where in the world a new database is created, as `wrangler d1 create --help` has it; without it, near here. A
    /// JURISDICTION in `wrangler.toml` comes before it.
    #[arg(long)]
    location: Option<String>,
    /// Do what needs no account, and print the commands of a real run.
    #[arg(long)]
    dry_run: bool,
    /// Keep the database of the dry run in this directory. For tests.
    #[arg(long, hide = true, requires = "dry_run")]
    persist_to: Option<PathBuf>,
    /// Another `wrangler.toml`. For tests.
    #[arg(long, hide = true, requires = "dry_run", default_value = "wrangler.toml")]
    config: PathBuf,
}

/// A deployment on its way.
struct Deployment<'a> {
    options: &'a Options,
    configuration: Configuration,
    /// A dry run's directory: for its database, and for what it would upload.
    rehearsal: Option<TempDir>,
    /// Its address, as far as it is known.
    address: Option<String>,
    /// The key of tokens, if the Worker does not have one yet.
    token_key: Option<String>,
}

/// One thing to do, with what is said of it.
type Step = (&'static str, fn(&mut Deployment) -> Result<()>);

const STEPS: [Step; 8] = [
    ("building", steps::build),
    ("looking for the database", steps::database),
    ("looking for demo accounts in it", steps::demo_accounts),
    ("migrating it", steps::migrations),
    ("looking where its data lies", steps::jurisdiction),
    ("looking for secrets", steps::secrets),
    ("deploying the code", steps::code),
    ("waiting for the new version to answer", steps::answer),
];

/// Deploys, or says what deploying would do.
pub fn deploy(options: &Options) -> Result<()> {
    let Options { env, domain, .. } = options;
    let is_domain = |name: &String| name.contains('.') && !name.contains(['/', ':', '*', ' ']);
    ensure!(domain.iter().all(is_domain), "--domain: write a name like duty.hospital.example, without https://");
    setup::for_building()?;
    say(format_args!("checking the settings of [env.{env}]"));
    let configuration = settings::read(&options.config, env)?.checked(env)?;
    let address = domain.as_deref().or_else(|| configuration.domain()).map(|domain| format!("https://{domain}"));
    let rehearsal = if options.dry_run { Some(tempfile::tempdir()?) } else { None };
    let mut deployment = Deployment { options, configuration, rehearsal, address, token_key: None };
    for (what, step) in STEPS {
        say(what);
        step(&mut deployment)?;
    }
    steps::farewell(&deployment);
    Ok(())
}

impl Deployment<'_> {
    /// Has `wrangler` do something that only the account can; `None` in a dry run, which prints it.
    fn in_account(&self, arguments: &[&str]) -> Result<Option<String>> {
        if self.rehearsal.is_none() {
            return wrangler::quietly(arguments).map(Some);
        }
        print_command(arguments);
        Ok(None)
    }

    /// Has `wrangler` do something with the database; in a dry run with a local one, and prints it.
    fn with_database(&self, arguments: &[&str]) -> Result<String> {
        let env = self.options.env.clone();
        let deployed = Database::Remote { env: env.clone() };
        let command = [arguments, &deployed.arguments()].concat();
        let Some(rehearsal) = &self.rehearsal else { return wrangler::quietly(&command) };
        print_command(&command);
        let path = self.options.persist_to.clone().unwrap_or_else(|| rehearsal.path().join("state"));
        wrangler::quietly(&[arguments, &Database::LocalOf { env, path }.arguments()].concat())
    }
}

/// Prints a command of a real run, ready for a shell.
fn print_command(arguments: &[&str]) {
    let is_plain =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=".contains(c));
    // What we hand over has none of the characters that would mean something there.
    let word = |word: &&str| if is_plain(word) { word.to_string() } else { format!("\"{word}\"") };
    println!("npx wrangler {}", arguments.iter().map(word).collect::<Vec<_>>().join(" "));
}
