//! What is measured on: which core is whose, and what a report must say of the machine.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    process::{output, say},
    setup,
};

/// The cores of a server and of its load; `None` where they cannot be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cores(Option<(u32, u32)>);

impl Cores {
    /// The first one that this process may use, and another one that is not its twin.
    ///
    /// # Errors
    /// Where the kernel does not say which there are.
    pub fn find() -> Result<Self> {
        let status = fs::read_to_string("/proc/self/status")?;
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let allowed = list(allowed.context("no list of cores in /proc/self/status")?);
        let twins = |core: u32| {
            let path = format!("/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
            list(&fs::read_to_string(path).unwrap_or_default())
        };
        let cores = Self::among(&allowed, twins);
        if cores.0.is_none() {
            say("there is only one core: server and load share it, and all figures are worse for it");
        } else if setup::on_path(&["taskset"]).is_none() {
            say("there is no `taskset` (util-linux): server and load move between cores, and figures vary more");
            return Ok(Self(None));
        }
        Ok(cores)
    }

    /// Where there are only twins, which share the units that compute, they must do.
    fn among(allowed: &BTreeSet<u32>, twins: impl Fn(u32) -> BTreeSet<u32>) -> Self {
        let mut others = allowed.iter().copied();
        let Some(first) = others.next() else { return Self(None) };
        let twins = twins(first);
        let other = others.clone().find(|core| !twins.contains(core)).or_else(|| others.next());
        Self(other.map(|other| (first, other)))
    }

    /// A command that runs on the server's core.
    pub fn server(self, program: impl AsRef<Path>) -> Command {
        on(self.0.map(|(server, _)| server), program.as_ref())
    }

    /// A command that runs on the load's core.
    pub fn load(self, program: impl AsRef<Path>) -> Command {
        on(self.0.map(|(_, load)| load), program.as_ref())
    }

    fn show(self) -> String {
        match self.0 {
            Some((server, load)) => format!("server on core {server}, load on core {load}"),
            None => "not pinned".into(),
        }
    }
}

fn on(core: Option<u32>, program: &Path) -> Command {
    let Some(core) = core else { return Command::new(program) };
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string()]).arg(program);
    command
}

/// What the kernel means by `0-2,5`.
fn list(text: &str) -> BTreeSet<u32> {
    let ranges = text.trim().split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse().ok()?..=last.parse().ok()?)
    });
    ranges.flatten().collect()
}

/// How busy the machine was in the last 1, 5 and 15 minutes.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// What the figures depend on, each with its name; for Django only where that is measured. What cannot be found out is
/// left out.
pub fn facts(cores: Cores, django: bool) -> Vec<(&'static str, String)> {
    let read = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_string());
    let information = read("/proc/cpuinfo").unwrap_or_default();
    let models = || information.lines().filter(|line| line.starts_with("model name"));
    let model = models().next().and_then(|line| line.split_once(':'));
    let commit = said(Command::new("git").args(["describe", "--always", "--dirty"]));
    [
        ("date", Some(chrono::Utc::now().format("%Y-%m-%d %H:%M UTC").to_string())),
        ("Rollcall", commit),
        ("processor", model.map(|(_, name)| format!("{}, {} cores", name.trim(), models().count()))),
        ("kernel", read("/proc/sys/kernel/osrelease")),
        ("pinning", Some(cores.show())),
        ("workerd", npm_version("workerd")),
        ("miniflare", npm_version("miniflare")),
        ("partyserver", npm_version("partyserver")),
        ("Node", said(Command::new("node_modules/.bin/node").arg("--version"))),
        ("ws", npm_version("ws")),
        ("Python", django.then(python_version).flatten()),
        ("Python packages", django.then(python_packages).flatten()),
        ("Redis", django.then(redis_version).flatten()),
    ]
    .into_iter()
    .filter_map(|(name, fact)| Some((name, fact?)))
    .collect()
}

/// What a command says of itself.
fn said(command: &mut Command) -> Option<String> {
    output(command).ok().map(|text| text.trim().to_string())
}

fn python_version() -> Option<String> {
    let said = said(Command::new(setup::python_for_django().ok()?.join("python")).arg("--version"))?;
    Some(said.trim_start_matches("Python ").to_string())
}

/// The version of an installed npm package.
fn npm_version(package: &str) -> Option<String> {
    let about = fs::read(format!("node_modules/{package}/package.json")).ok()?;
    Some(serde_json::from_slice::<Value>(&about).ok()?.get("version")?.as_str()?.to_string())
}

/// The versions that matter here.
fn python_packages() -> Option<String> {
    let wanted =
        ["Django", "djangorestframework", "channels", "channels_redis", "daphne", "uvicorn", "redis", "uvloop"];
    let packages = fs::read_to_string(setup::DJANGO_PACKAGES).ok()?;
    let pinned = packages.lines().filter_map(|line| line.split_once("=="));
    let pinned = pinned.filter(|(name, _)| wanted.contains(name)).map(|(name, version)| format!("{name} {version}"));
    Some(pinned.collect::<Vec<_>>().join(", "))
}

fn redis_version() -> Option<String> {
    let redis = setup::redis().ok()?;
    let mut command = Command::new(&redis.program);
    command.arg("--version").envs(redis.libraries.map(|libraries| ("LD_LIBRARY_PATH", libraries)));
    said(&mut command)?.split_whitespace().find_map(|word| word.strip_prefix("v=")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cores_are_read_as_the_kernel_writes_them() {
        assert_eq!(list("\t0-2,5\n"), BTreeSet::from([0, 1, 2, 5]));
        assert_eq!(list(""), BTreeSet::new());
    }

    #[test]
    fn a_load_runs_beside_its_server_and_not_on_its_twin() {
        let pairs = |core: u32| BTreeSet::from([core & !1, core | 1]);
        assert_eq!(Cores::among(&list("0-3"), pairs), Cores(Some((0, 2))));
        assert_eq!(Cores::among(&list("0-1"), pairs), Cores(Some((0, 1))));
        assert_eq!(Cores::among(&list("4,6"), |_| BTreeSet::new()), Cores(Some((4, 6))));
        assert_eq!(Cores::among(&list("7"), pairs), Cores(None));
    }
}
