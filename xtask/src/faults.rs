//! `cargo xtask faults`: every fault of the table, against the real runtime.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::{
    build,
    process::{allow_many_files, run, say},
    setup,
};

/// Where the table is published, between two marks.
const DOCUMENT: &str = "docs/reliability.md";
const BEGIN: &str = "<!-- cargo xtask faults --update -->\n";
const END: &str = "<!-- end -->";

/// The faults that there are.
const FAULTS: u8 = 23;

/// One fault that was tried, as its test reports it.
#[derive(Deserialize)]
struct Row {
    fault: u8,
    test: String,
    done: String,
    lost: String,
}

/// Runs the faults as often as is needed to believe the result, and prints the table.
pub fn at_full_length(update: bool) -> Result<()> {
    let report = tempfile::tempdir()?;
    tests(report.path(), true)?;
    let table = table(report.path())?;
    println!("{table}");
    if update {
        let document = fs::read_to_string(DOCUMENT).context(DOCUMENT)?;
        let (before, rest) = document.split_once(BEGIN).context("no place for the table")?;
        let (_, after) = rest.split_once(END).context("no end of the table")?;
        fs::write(DOCUMENT, format!("{before}{BEGIN}{table}{END}{after}"))?;
        say(format_args!("{DOCUMENT} is up to date"));
    }
    Ok(())
}

/// Runs each fault a few times.
pub fn bounded() -> Result<()> {
    let report = tempfile::tempdir()?;
    tests(report.path(), false)?;
    table(report.path()).map(drop)
}

fn tests(report: &Path, full: bool) -> Result<()> {
    build::build_with_faults()?;
    // Two thousand dashboards are more files than a process may usually open.
    allow_many_files()?;
    let mut command = Command::new(setup::cargo());
    // Most of them wait most of the time, or for their turn. At full length they are also measured.
    let threads = if full { "8" } else { "20" };
    command.args(["test", "--quiet", "-p", "rollcall-tests", "--test", "faults", "--", "--test-threads", threads]);
    command.env("ROLLCALL_FAULTS_REPORT", report);
    if full {
        command.env("ROLLCALL_FAULTS_FULL", "1");
    }
    run(&mut command)
}

/// The table of what was reported.
///
/// # Errors
/// Where a fault is missing: a test that was not run has not passed.
fn table(report: &Path) -> Result<String> {
    let mut files: Vec<_> = fs::read_dir(report)?.collect::<Result<_, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    let mut table = String::from("| # | what was done | what was lost | test |\n|---|---|---|---|\n");
    let mut missing: BTreeSet<u8> = (1..=FAULTS).collect();
    for file in files {
        let Row { fault, test, done, lost } = serde_json::from_slice(&fs::read(file.path())?)?;
        missing.remove(&fault);
        table.push_str(&format!("| {fault} | {done} | {lost} | `{test}` |\n"));
    }
    ensure!(missing.is_empty(), "no report of the faults {missing:?}\n{table}");
    Ok(table)
}
