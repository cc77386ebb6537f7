//! The steps of a deployment, after its settings were found safe.

use std::{fs, io, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::{Deployment, VERSION, answer, print_command};
use crate::{
    checks, demo,
    process::{output, run, say},
    wrangler,
};

/// What `GET /metrics` may be asked with.
const METRICS_TOKEN: &str = "METRICS_TOKEN";

/// Builds it, and refuses it where it is too large or has faults in it.
pub fn build(_: &mut Deployment) -> Result<()> {
    checks::build_within_limit()
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// Creates the database unless the account has it. `wrangler deploy` would do so too, but too late for migrations.
pub fn database(deployment: &mut Deployment) -> Result<()> {
    let name = deployment.configuration.database_name().context("the settings name no database")?;
    let listed = deployment.in_account(&["d1", "list", "--json"]).context(
        "the account does not answer: sign in with `npx wrangler login`, or set CLOUDFLARE_API_TOKEN, and \
         CLOUDFLARE_ACCOUNT_ID where there are several",
    )?;
    let listed: Vec<Named> =
        serde_json::from_str(listed.as_deref().unwrap_or("[]")).context("the list of databases")?;
    if listed.iter().any(|database| database.name == name) {
        return Ok(());
    }
    let mut create = vec!["d1", "create", name];
    let options = deployment.options;
    for (option, value) in [("--location", &options.location), ("--jurisdiction", &options.jurisdiction)] {
        create.extend(value.iter().flat_map(|value| [option, value]));
    }
    match deployment.rehearsal {
        Some(_) => say(format_args!("a real run creates {name} only where it is not in that list")),
        None => say(format_args!("creating {name}")),
    }
    deployment.in_account(&create)?;
    Ok(())
}

/// Everybody knows their password.
pub fn demo_accounts(deployment: &mut Deployment) -> Result<()> {
    let accounts = demo::emails().map(|email| format!("'{email}'")).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT email FROM users WHERE is_active = 1 AND email IN ({accounts})");
    let found = match deployment.with_database(&wrangler::query_arguments(&sql)) {
        Err(error) if format!("{error:#}").contains("no such table: users") => return Ok(()),
        found => found?,
    };
    let found = wrangler::found(&found)?.concat();
    let found: Vec<_> = found.iter().filter_map(|account| account["email"].as_str()).collect();
    // Not deleted, because events name them.
    let close = format!(
        "npx wrangler d1 execute DB --env {} --remote --command \"UPDATE users SET is_active = 0, password_hash = '' \
         WHERE email IN ({accounts})\"",
        deployment.options.env
    );
    ensure!(
        found.is_empty(),
        "the database has demo accounts, whose password everybody knows ({}). Deploy to another database, or close \
         them:\n{close}",
        found.join(", ")
    );
    Ok(())
}

/// Before the code that needs them. The code that still runs does not mind: they only ever add.
pub fn migrations(deployment: &mut Deployment) -> Result<()> {
    deployment.with_database(&wrangler::MIGRATE)?;
    Ok(())
}

/// Uploads and switches over, by `wrangler deploy`, which asks where there is a terminal and something to ask.
pub fn code(deployment: &mut Deployment) -> Result<()> {
    let commit = output(Command::new("git").args(["describe", "--always", "--dirty"])).unwrap_or_default();
    let message = format!("Rollcall {VERSION} {}", commit.trim());
    let tag = format!("v{VERSION}");
    let mut arguments = vec!["deploy", "--env", &deployment.options.env, "--tag", &tag, "--message", message.trim()];
    let domain = deployment.options.domain.as_deref();
    // Named twice, it would be set up twice.
    let domain = domain.filter(|domain| deployment.configuration.domain() != Some(domain));
    arguments.extend(domain.iter().flat_map(|domain| ["--domain", domain]));
    if let Some(rehearsal) = &deployment.rehearsal {
        print_command(&arguments);
        let mut dry = wrangler::wrangler(&arguments)?;
        return run(dry.args(["--dry-run", "--outdir"]).arg(rehearsal.path().join("upload")).stdout(io::stderr()));
    }
    let directory = tempfile::tempdir()?;
    let report = directory.path().join("deployed.ndjson");
    run(wrangler::wrangler(&arguments)?.env("WRANGLER_OUTPUT_FILE_PATH", &report))?;
    if deployment.address.is_none() {
        deployment.address = targets(&report)?.iter().find_map(|target| address_of(target));
    }
    Ok(())
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    targets: Vec<String>,
}

/// What `wrangler` says it deployed to.
fn targets(report: &Path) -> Result<Vec<String>> {
    let lines = fs::read_to_string(report).context("wrangler's report")?;
    let lines = lines.lines().map(serde_json::from_str::<Line>).collect::<Result<Vec<_>, _>>()?;
    Ok(lines.into_iter().filter(|line| line.kind == "deploy").flat_map(|line| line.targets).collect())
}

/// The address in a target; others are schedules.
fn address_of(target: &str) -> Option<String> {
    let host = target.trim_start_matches("https://").split([' ', '/']).next()?;
    (host.contains('.') && !host.contains(['*', ':'])).then(|| format!("https://{host}"))
}

/// Says which optional ones are set. After the code, because before the first deployment there is no Worker to ask.
pub fn secrets(deployment: &mut Deployment) -> Result<()> {
    let env = &deployment.options.env;
    let Some(listed) = deployment.in_account(&["secret", "list", "--env", env, "--format", "json"])? else {
        return Ok(());
    };
    let listed: Vec<Named> = serde_json::from_str(&listed).context("the list of secrets")?;
    if listed.iter().any(|secret| secret.name == METRICS_TOKEN) {
        say(format_args!("{METRICS_TOKEN} is set"));
    } else {
        say(format_args!(
            "{METRICS_TOKEN} is not set, so only administrators may read /metrics: npx wrangler secret put \
             {METRICS_TOKEN} --env {env}"
        ));
    }
    Ok(())
}

/// Asks for as long as a new address may take.
pub fn answer(deployment: &mut Deployment) -> Result<()> {
    let address = deployment.address.as_deref();
    if deployment.rehearsal.is_some() {
        let name = deployment.configuration.name.as_deref().unwrap_or_default();
        let unknown = format!("https://{name}.YOUR-SUBDOMAIN.workers.dev");
        println!("curl {}/healthz", address.unwrap_or(&unknown));
        return Ok(());
    }
    let address =
        address.context("the code is deployed, but wrangler named no address: give it a domain with --domain")?;
    answer::wait_for(VERSION, address, answer::LIMIT)
}

/// What comes next.
pub fn farewell(deployment: &Deployment) {
    let env = &deployment.options.env;
    match (&deployment.rehearsal, &deployment.address) {
        (Some(_), _) => say("these are the commands of a real run; nothing was deployed"),
        (None, address) => println!("Rollcall {VERSION} is at {}", address.as_deref().unwrap_or_default()),
    }
    say(format_args!(
        "next, the first administrator: cargo xtask admin create --email you@hospital.example --env {env} --remote"
    ));
    say(format_args!("back to the code before: npx wrangler rollback --env {env}; migrations stay"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_from_before_a_migration_runs_after_it_because_migrations_only_add() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
        for file in fs::read_dir(directory).unwrap() {
            let path = file.unwrap().path();
            let sql = fs::read_to_string(&path).unwrap().to_uppercase();
            for taken_away in ["DROP ", "RENAME "] {
                assert!(!sql.contains(taken_away), "{taken_away}in {}", path.display());
            }
            // What older code inserts names only what it knows.
            let mut added = sql.split("ADD COLUMN").skip(1).filter_map(|column| column.split(';').next());
            let must_be_named = added.find(|column| column.contains("NOT NULL") && !column.contains("DEFAULT"));
            assert_eq!(must_be_named, None, "in {}", path.display());
        }
    }

    #[test]
    fn where_it_was_deployed_to_is_read_from_what_wrangler_reports() {
        let directory = tempfile::tempdir().unwrap();
        let report = directory.path().join("report");
        let lines = [
            r#"{"type":"wrangler-session","version":1,"wrangler_version":"4.155.0"}"#,
            r#"{"type":"deploy","targets":["schedule: 0 * * * *","duty.hospital.example (custom domain)"]}"#,
        ];
        fs::write(&report, lines.join("\n")).unwrap();
        let address = targets(&report).unwrap().iter().find_map(|target| address_of(target));
        assert_eq!(address.as_deref(), Some("https://duty.hospital.example"));
        let others =
            ["https://rollcall-production.team.workers.dev", "duty.hospital.example/* (zone name: hospital.example)"];
        let addresses = others.map(|target| address_of(target).unwrap());
        assert_eq!(addresses, ["https://rollcall-production.team.workers.dev", "https://duty.hospital.example"]);
    }
}
