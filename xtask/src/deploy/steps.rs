//! The steps of a deployment, after its settings were found safe.

use std::{fs, io, path::Path, process::Command};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Deployment, VERSION, answer, print_command, settings::TOKEN_KEY};
use crate::{
    checks, demo,
    process::{output, run, say},
    wrangler,
};

/// The optional secret with which `GET /metrics` may be asked.
const METRICS_TOKEN: &str = "METRICS_TOKEN";

/// The file in which a new key of tokens is handed to `wrangler`.
const KEY_FILE: &str = "token-key.json";

/// Builds the Worker, and refuses one that is too large or has faults in it.
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
         CLOUDFLARE_ACCOUNT_ID if there are several",
    )?;
    let listed: Vec<Value> =
        serde_json::from_str(listed.as_deref().unwrap_or("[]")).context("the list of databases")?;
    let jurisdiction = deployment.configuration.jurisdiction();
    if let Some(database) = listed.iter().find(|database| database["name"] == name) {
        return ensure_lies_in(jurisdiction, jurisdiction_of(database));
    }
    let location = deployment.options.location.as_deref().unwrap_or_default();
    let mut create = vec!["d1", "create", name];
    for (option, value) in [("--location", location), ("--jurisdiction", jurisdiction)] {
        create.extend([option, value].iter().filter(|_| !value.is_empty()));
    }
    match deployment.rehearsal {
        Some(_) => say(format_args!("a real run creates {name} only if it is not in that list")),
        None => say(format_args!("creating {name}")),
    }
    deployment.in_account(&create)?;
    Ok(())
}

/// The jurisdiction of a database in the account's list; `None` if the list does not say.
fn jurisdiction_of(database: &Value) -> Option<&str> {
    database.get("jurisdiction").map(|jurisdiction| jurisdiction.as_str().unwrap_or_default())
}

/// Refuses a jurisdiction in which the data does not lie: rooms there would be other rooms, which know nothing.
///
/// # Errors
/// If the data lies elsewhere; with what to do.
fn ensure_lies_in(set: &str, lies_in: Option<&str>) -> Result<()> {
    let Some(lies_in) = lies_in.filter(|lies_in| *lies_in != set) else { return Ok(()) };
    bail!(
        "JURISDICTION is {set:?}, but what was deployed lies in {lies_in:?}, and stays there. Set JURISDICTION to \
         {lies_in:?} in wrangler.toml. To have the data elsewhere, deploy another environment with a database of its \
         own: docs/deploy.md, \"Where the data lies\""
    )
}

/// Refuses a database with demo accounts: everybody knows their password.
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
        "npx wrangler d1 execute DB --env {} --remote --command \"UPDATE users SET is_active = 0, password_hash = '', \
         version = version + 1 WHERE email IN ({accounts}); UPDATE hospitals SET revision = revision + 1\"",
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

/// Applies migrations, before the code that needs them. The code that still runs does not mind: they only ever add.
pub fn migrations(deployment: &mut Deployment) -> Result<()> {
    deployment.with_database(&wrangler::MIGRATE)?;
    Ok(())
}

/// Records where the data lies when that is decided, and refuses any other place from then on.
pub fn jurisdiction(deployment: &mut Deployment) -> Result<()> {
    let set = deployment.configuration.jurisdiction();
    let sql = format!(
        "INSERT INTO deployment (id, jurisdiction) VALUES (1, {}) ON CONFLICT (id) DO NOTHING; SELECT jurisdiction \
         FROM deployment",
        wrangler::quoted(set)
    );
    let found = wrangler::found(&deployment.with_database(&wrangler::query_arguments(&sql))?)?.concat();
    ensure_lies_in(set, Some(found.iter().find_map(jurisdiction_of).context("where the data lies was not recorded")?))
}

/// Makes the key of tokens unless the Worker has one, and says which optional secrets are set.
pub fn secrets(deployment: &mut Deployment) -> Result<()> {
    let env = &deployment.options.env;
    let listed = match deployment.in_account(&["secret", "list", "--env", env, "--format", "json"]) {
        // Before the first deployment there is no Worker to ask.
        Err(error) if is_no_worker(&format!("{error:#}"), deployment.configuration.name.as_deref()) => None,
        listed => listed?,
    };
    let listed: Vec<Named> = serde_json::from_str(listed.as_deref().unwrap_or("[]")).context("the list of secrets")?;
    let is_set = |name| listed.iter().any(|secret| secret.name == name);
    match (&deployment.rehearsal, is_set(METRICS_TOKEN)) {
        (Some(_), _) => {}
        (None, true) => say(format_args!("{METRICS_TOKEN} is set")),
        (None, false) => say(format_args!(
            "{METRICS_TOKEN} is not set, so only administrators may read /metrics: npx wrangler secret put \
             {METRICS_TOKEN} --env {env}"
        )),
    }
    if is_set(TOKEN_KEY) {
        return Ok(());
    }
    match deployment.rehearsal {
        Some(_) => say(format_args!("a real run makes {TOKEN_KEY} only if it is not in that list")),
        None => say(format_args!("making {TOKEN_KEY}: it is uploaded with the code")),
    }
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random)?;
    deployment.token_key = Some(random.iter().map(|byte| format!("{byte:02x}")).collect());
    Ok(())
}

/// Whether `wrangler secret list` complained that there is no Worker of that name.
fn is_no_worker(complaint: &str, name: Option<&str>) -> bool {
    let name = name.unwrap_or_default();
    complaint.lines().any(|line| line.contains(&format!("Worker \"{name}\"")) && line.contains("not found"))
}

/// Uploads and switches over, by `wrangler deploy`, which asks if there is a terminal and something to ask.
pub fn code(deployment: &mut Deployment) -> Result<()> {
    let commit = output(Command::new("git").args(["describe", "--always", "--dirty"])).unwrap_or_default();
    let message = format!("Rollcall {VERSION} {}", commit.trim());
    let tag = format!("v{VERSION}");
    let mut arguments = vec!["deploy", "--env", &deployment.options.env, "--tag", &tag, "--message", message.trim()];
    let domain = deployment.options.domain.as_deref();
    // Named twice, it would be set up twice.
    let domain = domain.filter(|domain| deployment.configuration.domain() != Some(domain));
    arguments.extend(domain.iter().flat_map(|domain| ["--domain", domain]));
    let directory = tempfile::tempdir()?;
    let mut deploy = wrangler::wrangler(&arguments)?;
    // With the code, so that it never runs without. In a directory that only its owner may read.
    if let Some(key) = &deployment.token_key {
        let file = directory.path().join(KEY_FILE);
        fs::write(&file, json!({ TOKEN_KEY: key }).to_string())?;
        deploy.arg("--secrets-file").arg(file);
        arguments.extend(["--secrets-file", KEY_FILE]);
    }
    say(format_args!("wrangler warns that {TOKEN_KEY} is no variable here, which is as it should be: it is a secret"));
    if let Some(rehearsal) = &deployment.rehearsal {
        print_command(&arguments);
        return run(deploy.args(["--dry-run", "--outdir"]).arg(rehearsal.path().join("upload")).stdout(io::stderr()));
    }
    let report = directory.path().join("deployed.ndjson");
    run(deploy.env("WRANGLER_OUTPUT_FILE_PATH", &report))?;
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

/// The addresses to which `wrangler` says it deployed.
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

/// Asks the address until the new version answers.
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

/// Says what comes next.
pub fn farewell(deployment: &Deployment) {
    let env = &deployment.options.env;
    match (&deployment.rehearsal, &deployment.address) {
        (Some(_), _) => say("these are the commands of a real run; nothing was deployed"),
        (None, address) => println!("Rollcall {VERSION} is at {}", address.as_deref().unwrap_or_default()),
    }
    say(format_args!(
        "next, the first administrator: cargo xtask admin create --email you@hospital.example --env {env} --remote"
    ));
    say(format_args!(
        "back to the code before: npx wrangler rollback --env {env}; migrations stay. There is no way back to version 1.0"
    ));
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
    fn data_that_lies_elsewhere_is_not_left_behind() {
        let database = |json: Value| jurisdiction_of(&json).map(str::to_owned);
        assert_eq!(database(json!({"name": "rollcall", "jurisdiction": "eu"})).as_deref(), Some("eu"));
        assert_eq!(database(json!({"name": "rollcall", "jurisdiction": null})).as_deref(), Some(""));
        assert_eq!(database(json!({"name": "rollcall"})), None);
        for (set, lies_in) in [("", None), ("eu", None), ("eu", Some("eu")), ("", Some(""))] {
            ensure_lies_in(set, lies_in).unwrap();
        }
        for (set, lies_in) in [("", "eu"), ("eu", ""), ("us", "eu")] {
            let refusal = ensure_lies_in(set, Some(lies_in)).unwrap_err().to_string();
            assert!(refusal.contains(&format!("Set JURISDICTION to {lies_in:?}")), "{refusal}");
        }
    }

    #[test]
    fn only_a_worker_that_does_not_exist_has_no_secrets() {
        let missing =
            "✘ [ERROR] Worker \"rollcall-production\" (env: production) not found.\n\nIf this is a new Worker, …";
        assert!(is_no_worker(missing, Some("rollcall-production")));
        assert!(!is_no_worker(missing, Some("rollcall-staging")));
        for other in ["✘ [ERROR] Authentication error [code: 10000]", "Worker \"rollcall-production\"\nnot found"] {
            assert!(!is_no_worker(other, Some("rollcall-production")), "{other}");
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
