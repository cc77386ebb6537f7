//! `cargo xtask import-django`: the accounts of a Django application, from what its `manage.py dumpdata` wrote.
//!
//! **Invariant:** importing again changes nothing that was done here since, and completes what was not imported before:
//! everything is written in one transaction. No email, token or hash is printed.

mod changes;
mod dump;
mod existing;
mod person;
mod plan;
mod report;
mod sql;
mod token;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use rollcall_core::account;

use self::{
    dump::Dump,
    existing::Existing,
    plan::{Hospitals, Plan},
};
use crate::{
    process::say,
    setup,
    wrangler::{self, Which},
};

/// The dump to import, and the database.
#[derive(clap::Args)]
pub struct Options {
    /// The file that `manage.py dumpdata` wrote.
    #[arg(value_parser = |path: &str| std::path::absolute(path))]
    dump: PathBuf,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Leave the tokens of Django REST Framework out: for an import before the day of the move.
    #[arg(long)]
    without_tokens: bool,
    /// The model of the users, as `app.model`; without it, it is found by its fields.
    #[arg(long)]
    user_model: Option<String>,
    /// The hospital of users who have none.
    #[arg(long, default_value = "General Hospital")]
    hospital_name: String,
    /// Put everybody into that hospital, whatever theirs is called.
    #[arg(long)]
    one_hospital: bool,
    /// The time zone of hospitals that are new: an IANA name.
    #[arg(long, default_value = "UTC")]
    time_zone: String,
    #[command(flatten)]
    which: Which,
}

/// Imports what can be imported, and says what became of each row.
///
/// # Errors
/// If a row was refused, after the others were imported.
pub fn import(options: &Options) -> Result<()> {
    let text = fs::read_to_string(&options.dump).with_context(|| options.dump.display().to_string())?;
    let mut dump = Dump::parse(&text, options.user_model.as_deref())?;
    if options.without_tokens {
        dump.tokens.clear();
    }
    let default_hospital = account::line(&options.hospital_name, account::TEXT_LIMIT);
    let default_hospital = default_hospital.map_err(|detail| anyhow!("--hospital-name: {detail}"))?;
    ensure!(!default_hospital.is_empty(), "--hospital-name: This field may not be blank.");

    setup::for_building()?;
    let database = options.which.database();
    if !options.dry_run {
        wrangler::migrate(&database)?;
    }
    say("reading the database");
    let hospitals = Hospitals { default: &default_hospital, one: options.one_hospital, time_zone: &options.time_zone };
    let plan = Plan::new(&dump, Existing::read(&database)?, hospitals);
    if !options.dry_run && !plan.sql.is_empty() {
        say("writing the database");
        wrangler::execute_text(&database, &plan.sql)?;
    }
    // Only when it has happened.
    print!("{}", plan.report);
    for warning in &plan.warnings {
        say(warning);
    }
    let refused = plan.report.refused();
    ensure!(
        refused == 0,
        "{refused} rows were refused; the others are {}",
        if options.dry_run { "good" } else { "imported" }
    );
    Ok(())
}
