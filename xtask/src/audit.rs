//! What others wrote and we deploy or run: its licences, where it comes from, and what is known against it.

use std::process::Command;

use anyhow::Result;

use crate::{
    process::{run, say},
    setup,
};

/// Everything: `cargo deny check` as `deny.toml` has it, and `npm audit`. Both ask databases of known weaknesses in the
/// network; if one does not answer, that is a failure.
pub fn audit() -> Result<()> {
    say("checking the crates");
    let crates = deny(&[]);
    say("checking the npm packages");
    // Those that only build and test are asked about too: they run on the machine that deploys.
    let packages = run(Command::new("npm").args(["audit", "--audit-level=high"]));
    crates.and(packages)
}

/// Of the crates, what needs no such database: licences, sources, and versions that stand twice in `Cargo.lock`.
pub fn without_advisories() -> Result<()> {
    deny(&["bans", "licenses", "sources"])
}

fn deny(checks: &[&str]) -> Result<()> {
    let path = setup::path_with(&[setup::for_auditing()?])?;
    let mut deny = Command::new("cargo-deny");
    run(deny.args(["--workspace", "check", "--hide-inclusion-graph"]).args(checks).env("PATH", path))
}
