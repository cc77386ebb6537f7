//! The settings of an environment in `wrangler.toml`, and which of them are not to be deployed.
//!
//! **Invariant:** what the Worker has locally it has where it is deployed: a binding or variable that the local
//! configuration names and the environment does not, or the other way round, is refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::{process::output, setup};

/// Reads it with wrangler, for its rules of inheritance.
const READ: &str = "xtask/src/deploy/configuration.mjs";

/// What `wrangler.toml` says of the local runtime and of each environment.
#[derive(Deserialize)]
pub struct Settings {
    local: Configuration,
    environments: BTreeMap<String, Configuration>,
}

/// A configuration, with everything inherited in it.
#[derive(Deserialize)]
pub struct Configuration {
    /// What the Worker is called in the account.
    pub name: Option<String>,
    main: Option<String>,
    vars: BTreeMap<String, Value>,
    d1_databases: Vec<D1>,
    durable_objects: Objects,
    migrations: Vec<Migration>,
    ratelimits: Vec<Named>,
    assets: Option<Assets>,
    /// Where it is reached, beside or in place of its address under `workers.dev`.
    #[serde(default)]
    pub routes: Vec<Route>,
    preview_urls: Option<bool>,
    observability: Option<Observability>,
    logpush: Option<bool>,
    #[serde(default)]
    tail_consumers: Vec<Value>,
    #[serde(default)]
    streaming_tail_consumers: Vec<Value>,
}

#[derive(Deserialize)]
struct D1 {
    binding: String,
    database_name: Option<String>,
    migrations_dir: Option<String>,
}

#[derive(Deserialize)]
struct Objects {
    bindings: Vec<Object>,
    code_update_strategy: Option<CodeUpdates>,
}

#[derive(Deserialize)]
struct CodeUpdates {
    mode: String,
}

#[derive(Deserialize)]
struct Object {
    name: String,
    class_name: String,
}

#[derive(Deserialize)]
struct Migration {
    #[serde(default)]
    new_sqlite_classes: Vec<String>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Assets {
    binding: Option<String>,
}

/// An address of the Worker.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Route {
    /// Only that.
    Pattern(String),
    /// With its zone, or as a domain of its own.
    Table {
        /// A domain, or a pattern.
        pattern: String,
    },
}

#[derive(Deserialize)]
struct Observability {
    enabled: Option<bool>,
    #[serde(default)]
    logs: Logs,
    #[serde(default)]
    traces: Traces,
}

#[derive(Default, Deserialize)]
struct Logs {
    enabled: Option<bool>,
    invocation_logs: Option<bool>,
}

#[derive(Default, Deserialize)]
struct Traces {
    enabled: Option<bool>,
}

/// Reads what `file` says; what wrangler warns of in `environment` is shown.
pub fn read(file: &Path, environment: &str) -> Result<Settings> {
    let script = env::current_dir()?.join(READ);
    let mut node = Command::new("node_modules/.bin/node");
    let read = output(node.arg(script).arg(file).arg(environment).env("PATH", setup::path_with(&[])?))?;
    serde_json::from_str(&read).with_context(|| format!("what wrangler makes of {}", file.display()))
}

impl Settings {
    /// The environment's, if it may be deployed.
    ///
    /// # Errors
    /// Everything that speaks against it, and what to do about each.
    pub fn checked(mut self, environment: &str) -> Result<Configuration> {
        let Some(deployed) = self.environments.remove(environment) else {
            bail!(
                "wrangler.toml has no [env.{environment}], and its local settings are not for others: name one that it \
                 has"
            );
        };
        let refusals = [
            same_names(&self.local, &deployed, environment),
            variables(&self.local, &deployed),
            objects_and_database(&deployed),
            doors(&self.local, &deployed),
            logs(&deployed),
            shared(&self.environments, &deployed),
        ]
        .concat();
        if refusals.is_empty() {
            return Ok(deployed);
        }
        let list: String = refusals.iter().map(|refusal| format!("\n  - {refusal}")).collect();
        bail!("the settings of [env.{environment}] in wrangler.toml are not to be deployed:{list}")
    }
}

impl Configuration {
    /// The name of the database in the account.
    pub fn database_name(&self) -> Option<&str> {
        self.d1_databases.iter().find(|database| database.binding == "DB")?.database_name.as_deref()
    }

    /// Its first domain, where it has one of its own.
    pub fn domain(&self) -> Option<&str> {
        let mut patterns = self.routes.iter().map(|route| match route {
            Route::Pattern(pattern) | Route::Table { pattern } => pattern.trim_end_matches("/*"),
        });
        patterns.find(|domain| !domain.contains(['*', '/']))
    }

    /// Every name by which the Worker asks for something, and what it is.
    fn names(&self) -> BTreeSet<(&'static str, &str)> {
        let variables = self.vars.keys().map(|name| ("variable", name.as_str()));
        let databases = self.d1_databases.iter().map(|database| ("d1_databases binding", database.binding.as_str()));
        let objects =
            self.durable_objects.bindings.iter().map(|object| ("durable_objects binding", object.name.as_str()));
        let limits = self.ratelimits.iter().map(|limit| ("ratelimits binding", limit.name.as_str()));
        let assets =
            self.assets.iter().flat_map(|assets| assets.binding.as_deref()).map(|name| ("assets binding", name));
        variables.chain(databases).chain(objects).chain(limits).chain(assets).collect()
    }

    fn variable(&self, name: &str) -> &str {
        self.vars.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

fn same_names(local: &Configuration, deployed: &Configuration, environment: &str) -> Vec<String> {
    let (local, deployed) = (local.names(), deployed.names());
    let missing = local.difference(&deployed).map(|(what, name)| {
        format!("the {what} {name} is missing: wrangler inherits none of them, so repeat it under [env.{environment}]")
    });
    let unknown = deployed.difference(&local).map(|(what, name)| {
        format!(
            "the {what} {name} is unknown to Rollcall: correct its name, or remove it; secrets are not written here"
        )
    });
    missing.chain(unknown).collect()
}

fn variables(local: &Configuration, deployed: &Configuration) -> Vec<String> {
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
    let origins = deployed.variable("ALLOWED_ORIGINS").split_whitespace();
    refusals.extend(origins.filter(|origin| !is_safe(origin)).map(|origin| {
        format!("ALLOWED_ORIGINS has {origin:?}: write https:// and a host, without a path or a slash at the end")
    }));
    refusals
}

/// A page on plain HTTP can be changed by whoever carries it, except on the same machine.
fn is_safe(origin: &str) -> bool {
    let Some((scheme, host)) = origin.split_once("://") else { return false };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_host = !name.is_empty() && !host.contains(['*', '/', '?', '#', '@', ',']);
    is_host && (scheme == "https" || scheme == "http" && matches!(name, "localhost" | "127.0.0.1"))
}

fn objects_and_database(deployed: &Configuration) -> Vec<String> {
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

/// Ways to other code than what was tested.
fn doors(local: &Configuration, deployed: &Configuration) -> Vec<String> {
    let mut refusals = Vec::new();
    if deployed.main != local.main {
        refusals.push("main is another one than at the top level: remove it".into());
    }
    if deployed.preview_urls != Some(false) {
        refusals.push("preview_urls is not false: older versions could be reached past their corrections".into());
    }
    refusals
}

/// Of a request the platform writes down its URL, in which `/ws/connect/?email=` has an email.
fn logs(deployed: &Configuration) -> Vec<String> {
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

/// Two Workers with one database would each have a room for the same hospital.
fn shared(others: &BTreeMap<String, Configuration>, deployed: &Configuration) -> Vec<String> {
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

#[cfg(test)]
mod tests;
