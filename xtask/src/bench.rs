//! `cargo xtask bench`: this project beside others that do the same, on this machine.
//!
//! **Invariant:** every run is of a server that was just started, with a new copy of the same state, and nobody runs
//! beside it. Contestants take turns, so that what the machine does meanwhile meets all of them. A run that fails is
//! shown as one that failed.

mod contestants;
mod machine;
mod measures;
mod prepare;
mod report;
mod servers;
mod take;

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use crate::{
    build,
    process::{allow_many_files, output, say},
    setup,
};

use self::{
    contestants::Contestant,
    machine::Cores,
    measures::Measure,
    prepare::{Place, State},
    report::Run,
    take::Taker,
};

/// What to measure.
#[derive(clap::Args)]
pub struct Options {
    /// One round of shorter runs: whether everything works, not how fast it is.
    #[arg(long)]
    quick: bool,
    /// How often everything is measured [default: 3, or 1 if quick].
    #[arg(long)]
    rounds: Option<u32>,
    /// Only these contestants, for example `rollcall,bare-d1`; `django` stands for all whose names begin with `django-`.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Only these measures, for example `calls,joins`; `calls` stands for all whose names begin with `calls-`.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    measures: Vec<String>,
    /// Where the figures of all runs are written.
    #[arg(long, default_value = "target/bench.json")]
    json: PathBuf,
}

/// Measures, and prints the tables.
pub fn bench(options: &Options) -> Result<()> {
    let Options { quick, rounds, only, measures, json } = options;
    let measures = chosen(measures::ALL, measures, |measure| measure.name.into())?;
    let contestants = chosen(contestants::ALL, only, Contestant::slug)?;
    let rounds = rounds.unwrap_or(if *quick { 1 } else { 3 });
    build::build()?;
    allow_many_files()?;
    let taker = Taker { place: Place::new()?, cores: Cores::find()?, load: load_generator()?, quick: *quick };
    let broken = rehearse(&taker, &contestants);
    let facts = machine::facts(taker.cores, contestants.iter().any(|one| one.state() == State::Django));
    let before = machine::load_average();
    let mut runs = Vec::new();
    for round in 1..=rounds {
        for measure in &measures {
            for turn in turns(measure, &contestants, round, *quick) {
                let result = match broken.iter().find(|(name, _)| *name == turn.name) {
                    Some((_, error)) => Err(error.clone()),
                    None => taker.take(measure, turn).map_err(|error| format!("{error:#}")),
                };
                let told = result.as_ref().map_or_else(|error| format!("failed: {error}"), Value::to_string);
                say(format_args!("round {round} of {rounds}, {}, {}: {told}", measure.name, turn.name));
                runs.push(Run { measure: measure.name, contestant: turn.name, round, result });
            }
            // Each time, so that what was measured until an interruption is not lost.
            let all = to_json(&facts, &before, &measures, &contestants, &runs)?;
            fs::write(json, serde_json::to_vec_pretty(&all)?).with_context(|| json.display().to_string())?;
        }
    }
    for measure in &measures {
        let measured: Vec<_> = contestants.iter().copied().filter(|one| measure.is_for(one)).collect();
        println!("{}", report::table(measure, &measured, &runs));
    }
    println!("The WebAssembly of rollcall is {} bytes gzipped.\n", report::show(build::gzipped_size()? as f64));
    let settings: Vec<_> = contestants.iter().map(|contestant| (contestant.name, contestant.settings())).collect();
    println!("{}", report::facts("Settings", &settings));
    let load = [("load average before", before), ("load average after", machine::load_average())];
    let taken: Vec<_> = measures.iter().filter_map(|measure| Some((measure.name, measure.load(*quick)?))).collect();
    let taken = taken.iter().map(|(name, arguments)| (*name, format!("`load {arguments}`")));
    let runs = [("rounds", rounds.to_string())].into_iter().chain(taken);
    println!("{}", report::facts("Machine", &facts.into_iter().chain(load).chain(runs).collect::<Vec<_>>()));
    say(format_args!("all runs are in {}", json.display()));
    Ok(())
}

/// Those of `all` that are asked for, in its order; all of them if none is. A name that none of them has stands for those
/// whose names begin with it and a hyphen.
fn chosen<'a, T>(all: &'a [T], names: &[String], name_of: impl Fn(&T) -> String) -> Result<Vec<&'a T>> {
    let there: Vec<String> = all.iter().map(&name_of).collect();
    let mut meant = BTreeSet::new();
    for name in names {
        let family = format!("{name}-");
        let of_family = || there.iter().filter(|one| one.starts_with(&family)).collect();
        let found = there.iter().find(|one| *one == name).map_or_else(of_family, |one| vec![one]);
        ensure!(!found.is_empty(), "there is no {name:?}, only {}", there.join(", "));
        meant.extend(found);
    }
    Ok(all
        .iter()
        .zip(&there)
        .filter(|(_, name)| names.is_empty() || meant.contains(name))
        .map(|(one, _)| one)
        .collect())
}

/// Who is measured in which order. Every other round begins with the last one, so that none always follows the same.
fn turns<'a>(measure: &Measure, contestants: &[&'a Contestant], round: u32, quick: bool) -> Vec<&'a Contestant> {
    let mut once: Vec<_> = contestants.iter().copied().filter(|contestant| measure.is_for(contestant)).collect();
    if round.is_multiple_of(2) {
        once.reverse();
    }
    once.repeat(measure.times(quick))
}

/// Makes everybody's state and starts each once; returns those who do not work, and why.
fn rehearse(taker: &Taker, contestants: &[&Contestant]) -> Vec<(&'static str, String)> {
    let rehearsed = contestants.iter().map(|one| (one.name, taker.rehearse(one)));
    let failed = rehearsed.filter_map(|(name, result)| Some((name, format!("{:#}", result.err()?))));
    failed.inspect(|(name, error)| say(format_args!("{name} does not work: {error}"))).collect()
}

/// Builds the load generator, and returns its program.
fn load_generator() -> Result<PathBuf> {
    say("building the load generator");
    let arguments = ["build", "--quiet", "--profile", "load", "-p", "rollcall-bench", "--message-format", "json"];
    let messages = output(Command::new(setup::cargo()).args(arguments))?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from));
    programs.next_back().context("cargo built no load generator")
}

/// Everything that was measured.
fn to_json(
    facts: &[(&str, String)],
    before: &str,
    measures: &[&Measure],
    contestants: &[&Contestant],
    runs: &[Run],
) -> Result<Value> {
    let medians = |measure: &&Measure| {
        let each = contestants.iter().map(|one| (one.name.into(), report::medians(runs, measure.name, one.name)));
        (measure.name.to_string(), Value::Object(each.collect()))
    };
    let settings = contestants.iter().map(|one| (one.name.into(), one.settings().into()));
    let facts = facts.iter().map(|(name, fact)| (name.to_string(), fact.clone().into()));
    Ok(json!({
        "machine": facts.collect::<Map<_, _>>(),
        "settings": settings.collect::<Map<_, _>>(),
        "load_average": {"before": before, "after": machine::load_average()},
        "wasm_gzipped_bytes": build::gzipped_size()?,
        "medians": measures.iter().map(medians).collect::<Map<_, _>>(),
        "runs": runs.iter().map(Run::to_json).collect::<Vec<_>>(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contestants_alternate_and_change_places() {
        let contestants: Vec<_> = contestants::ALL.iter().take(3).collect();
        let [first, second, third] = ["rollcall", "bare", "bare + D1"];
        let measure = |name| measures::ALL.iter().find(|measure| measure.name == name).unwrap();
        let names = |name, round| -> Vec<_> {
            turns(measure(name), &contestants, round, true).iter().map(|contestant| contestant.name).collect()
        };
        assert_eq!(names("echo", 1), [first, second, third]);
        assert_eq!(names("echo", 2), [third, second, first]);
        assert_eq!(names("cold-start", 1), [first, second, third, first, second, third]);
        assert_eq!(names("joins-since", 1), [first], "a contestant that keeps nothing is not asked what was missed");
    }

    fn names<T>(all: &[T], names: &[&str], name_of: impl Fn(&T) -> String) -> Result<Vec<String>> {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        chosen(all, &names, &name_of).map(|chosen| chosen.into_iter().map(name_of).collect())
    }

    #[test]
    fn an_unknown_name_is_told_from_none() {
        let chosen = |asked: &[&str]| names(measures::ALL, asked, |measure| measure.name.into());
        assert_eq!(chosen(&[]).unwrap().len(), measures::ALL.len());
        assert_eq!(chosen(&["idle", "echo"]).unwrap(), ["idle", "echo"]);
        assert!(chosen(&["eco"]).unwrap_err().to_string().contains("echo"));
        assert!(chosen(&["echo", ""]).is_err());
    }

    #[test]
    fn a_name_stands_for_its_family_unless_it_is_a_name_itself() {
        let measures = |asked: &[&str]| names(measures::ALL, asked, |measure| measure.name.into()).unwrap();
        assert_eq!(measures(&["joins", "calls-1"]), ["calls-1", "joins"]);
        assert_eq!(measures(&["calls", "calls-1"]), ["calls-1", "calls-16", "calls-64", "calls-paced"]);
        let contestants = |asked: &[&str]| names(contestants::ALL, asked, Contestant::slug).unwrap();
        assert_eq!(contestants(&["bare", "partyserver"]), ["bare", "partyserver-d1"]);
    }
}
