//! The settings of an environment in `wrangler.toml`, and which of them are not to be deployed.
//!
//! **Invariant:** a deployed Worker has every binding and variable that the local one has, and no others. A secret is
//! written down for the local runtime only.

mod rules;

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

/// The key of tokens: a variable of the local runtime, and a secret of a deployed Worker.
pub const TOKEN_KEY: &str = "TOKEN_KEY";

/// The configurations in `wrangler.toml`: of the local runtime and of each environment.
#[derive(Deserialize)]
pub struct Settings {
    local: Configuration,
    environments: BTreeMap<String, Configuration>,
}

/// A configuration, with everything inherited in it.
#[derive(Deserialize)]
pub struct Configuration {
    /// The Worker's name in the account.
    pub name: Option<String>,
    main: Option<String>,
    vars: BTreeMap<String, Value>,
    d1_databases: Vec<D1>,
    durable_objects: Objects,
    migrations: Vec<Migration>,
    ratelimits: Vec<Named>,
    assets: Option<Assets>,
    /// Its addresses, besides or instead of the one under `workers.dev`.
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

/// Reads `file`; wrangler's warnings about `environment` are shown.
pub fn read(file: &Path, environment: &str) -> Result<Settings> {
    let script = env::current_dir()?.join(READ);
    let mut node = Command::new("node_modules/.bin/node");
    let read = output(node.arg(script).arg(file).arg(environment).env("PATH", setup::path_with(&[])?))?;
    serde_json::from_str(&read).with_context(|| format!("what wrangler makes of {}", file.display()))
}

impl Settings {
    /// The environment's configuration, if it may be deployed.
    ///
    /// # Errors
    /// Every reason against it, and what to do about each.
    pub fn checked(mut self, environment: &str) -> Result<Configuration> {
        let Some(deployed) = self.environments.remove(environment) else {
            bail!(
                "wrangler.toml has no [env.{environment}], and its local settings are not for others: name one that it \
                 has"
            );
        };
        let refusals = [
            rules::same_names(&self.local, &deployed, environment),
            rules::variables(&self.local, &deployed),
            rules::objects_and_database(&deployed),
            rules::doors(&self.local, &deployed),
            rules::logs(&deployed),
            rules::shared(&self.environments, &deployed),
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

    /// Its first domain, if it has one of its own.
    pub fn domain(&self) -> Option<&str> {
        let mut patterns = self.routes.iter().map(|route| match route {
            Route::Pattern(pattern) | Route::Table { pattern } => pattern.trim_end_matches("/*"),
        });
        patterns.find(|domain| !domain.contains(['*', '/']))
    }

    /// Where rooms and database lie; empty: anywhere.
    pub fn jurisdiction(&self) -> &str {
        self.variable("JURISDICTION")
    }

    /// The names of its variables and bindings, each with its kind.
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

#[cfg(test)]
mod tests;
