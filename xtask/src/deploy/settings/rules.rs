//! The reasons against deploying settings, and what to do about each.

use std::collections::BTreeMap;

use super::{Configuration, D1, Object, Observability, TOKEN_KEY};

/// Where rooms and database may be made to lie, as Durable Objects and `wrangler d1 create --jurisdiction` have it. '':
/// anywhere.
const JURISDICTIONS: [&str; 4] = ["", "eu", "us", "fedramp"];

pub fn same_names(local: &Configuration, deployed: &Configuration, environment: &str) -> Vec<String> {
    let (local, deployed) = (local.names(), deployed.names());
    let missing = local.difference(&deployed).filter(|(_, name)| *name != TOKEN_KEY).map(|(what, name)| {
        format!("the {what} {name} is missing: wrangler inherits none of them, so repeat it under [env.{environment}]")
    });
    let unknown = deployed.difference(&local).map(|(what, name)| {
        format!(
            "the {what} {name} is unknown to Rollcall: correct its name, or remove it; secrets are not written here"
        )
    });
    missing.chain(unknown).collect()
}

pub fn variables(local: &Configuration, deployed: &Configuration) -> Vec<String> {
    let mut refusals = Vec::new();
    // The Worker takes any value but `open` for strict, and any but `production` for one that allows `open`.
    for (name, must_be) in [("SOCKET_AUTH", "strict"), ("ENVIRONMENT", "production")] {
        let value = deployed.variable(name);
        if value != must_be {
            refusals.push(format!("{name} is {value:?}: set it to {must_be:?}"));
        }
    }
    let is_number = |value: &str| value.parse::<u32>().is_ok();
    for name in local.vars.keys().filter(|name| is_number(local.variable(name))) {
        let value = deployed.variable(name);
        if deployed.vars.contains_key(name) && !is_number(value) {
            refusals.push(format!("{name} is {value:?}: write a whole number, as a text"));
        }
    }
    if deployed.vars.contains_key(TOKEN_KEY) {
        refusals
            .push(format!("{TOKEN_KEY} is a variable: remove it; `cargo xtask deploy` makes a secret of that name"));
    }
    let jurisdiction = deployed.jurisdiction();
    if !JURISDICTIONS.contains(&jurisdiction) {
        let known = JURISDICTIONS.map(|known| format!("{known:?}")).join(", ");
        refusals.push(format!("JURISDICTION is {jurisdiction:?}: set it to one of {known}"));
    }
    let origins = deployed.variable("ALLOWED_ORIGINS").split_whitespace();
    refusals.extend(origins.filter(|origin| !is_safe(origin)).map(|origin| {
        format!("ALLOWED_ORIGINS has {origin:?}: write https:// and a host, without a path or a slash at the end")
    }));
    refusals
}

/// Whether an origin uses TLS, or is on the same machine: any network on the way can change a page on plain HTTP.
fn is_safe(origin: &str) -> bool {
    let Some((scheme, host)) = origin.split_once("://") else { return false };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_host = !name.is_empty() && !host.contains(['*', '/', '?', '#', '@', ',']);
    is_host && (scheme == "https" || scheme == "http" && matches!(name, "localhost" | "127.0.0.1"))
}

pub fn objects_and_database(deployed: &Configuration) -> Vec<String> {
    let stored: Vec<_> = deployed.migrations.iter().flat_map(|migration| &migration.new_sqlite_classes).collect();
    let objects = deployed.durable_objects.bindings.iter().filter(|object| !stored.contains(&&object.class_name));
    let mut refusals: Vec<_> = objects
        .map(|Object { class_name, .. }| {
            format!("no [[migrations]] has {class_name} in its new_sqlite_classes: keep those of the top level")
        })
        .collect();
    let updates = &deployed.durable_objects.code_update_strategy;
    if updates.as_ref().is_none_or(|updates| updates.mode != "immediate") {
        refusals.push(
            "durable_objects.code_update_strategy is not \"immediate\": for minutes, rooms would run on older code than \
             the Worker that asks them"
                .into(),
        );
    }
    for D1 { binding, database_name, migrations_dir } in &deployed.d1_databases {
        if database_name.is_none() {
            refusals.push(format!("{binding} has no database_name: give it one, by which it is found in the account"));
        }
        if migrations_dir.as_deref() != Some("migrations") {
            refusals.push(format!("{binding} has another migrations_dir: set it to \"migrations\""));
        }
    }
    refusals
}

/// Finds ways to other code than what was tested.
pub fn doors(local: &Configuration, deployed: &Configuration) -> Vec<String> {
    let mut refusals = Vec::new();
    if deployed.main != local.main {
        refusals.push("main is another one than at the top level: remove it".into());
    }
    if deployed.preview_urls != Some(false) {
        refusals.push("preview_urls is not false: older versions could be reached past their corrections".into());
    }
    refusals
}

/// Finds logs of the platform that would hold URLs: `/ws/connect/?email=` has an email in it.
pub fn logs(deployed: &Configuration) -> Vec<String> {
    let mut refusals = Vec::new();
    let mut refuse = |what: &str| refusals.push(format!("{what}: they hold the URLs of requests, with emails in them"));
    if let Some(Observability { enabled, logs, traces }) = &deployed.observability {
        if (*enabled == Some(true) || logs.enabled == Some(true)) && logs.invocation_logs != Some(false) {
            refuse("set invocation_logs to false under observability.logs");
        }
        if traces.enabled == Some(true) {
            refuse("switch observability.traces off");
        }
    }
    if deployed.logpush == Some(true) {
        refuse("switch logpush off");
    }
    if !deployed.tail_consumers.is_empty() || !deployed.streaming_tail_consumers.is_empty() {
        refuse("remove the tail consumers");
    }
    refusals
}

/// Finds what two environments share: two Workers with one database would each have a room for the same hospital.
pub fn shared(others: &BTreeMap<String, Configuration>, deployed: &Configuration) -> Vec<String> {
    let same = |other: Option<&str>, ours: Option<&str>| ours.is_some() && other == ours;
    let refusals = others.iter().flat_map(|(name, other)| {
        let database = same(other.database_name(), deployed.database_name()).then_some("database_name");
        let domain = same(other.domain(), deployed.domain()).then_some("domain");
        let worker = same(other.name.as_deref(), deployed.name.as_deref()).then_some("name");
        let what = [database, domain, worker].into_iter().flatten();
        what.map(move |what| format!("[env.{name}] has the same {what}: give each its own"))
    });
    refusals.collect()
}
