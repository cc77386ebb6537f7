//! The figures of all runs: their medians, and the tables that are published.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::bench::{
    contestants::{BASE, Contestant},
    measures::{Column, Measure},
};

/// One run of one contestant.
pub struct Run {
    pub measure: &'static str,
    pub contestant: &'static str,
    pub round: u32,
    /// The figures, or why there are none.
    pub result: Result<Value, String>,
}

impl Run {
    /// As it is kept in the JSON.
    pub fn to_json(&self) -> Value {
        let Self { measure, contestant, round, result } = self;
        match result {
            Ok(figures) => json!({"measure": measure, "contestant": contestant, "round": round, "figures": figures}),
            Err(error) => json!({"measure": measure, "contestant": contestant, "round": round, "error": error}),
        }
    }
}

/// The median of every figure of a contestant's runs; null where none has one.
pub fn medians(runs: &[Run], measure: &str, contestant: &str) -> Value {
    let figures: Vec<&Value> = of(runs, measure, contestant).filter_map(|run| run.result.as_ref().ok()).collect();
    median_of(&figures)
}

fn of<'a>(runs: &'a [Run], measure: &'a str, contestant: &'a str) -> impl Iterator<Item = &'a Run> {
    runs.iter().filter(move |run| run.measure == measure && run.contestant == contestant)
}

fn median_of(figures: &[&Value]) -> Value {
    if let Some(first) = figures.iter().find_map(|value| value.as_object()) {
        let median = |key: &String| {
            let each: Vec<&Value> = figures.iter().filter_map(|value| value.get(key)).collect();
            (key.clone(), median_of(&each))
        };
        return Value::Object(first.keys().map(median).collect::<Map<_, _>>());
    }
    let mut numbers: Vec<f64> = figures.iter().filter_map(|value| value.as_f64()).collect();
    numbers.sort_unstable_by(f64::total_cmp);
    let (below, above) = (numbers.get((numbers.len().max(1) - 1) / 2), numbers.get(numbers.len() / 2));
    below.zip(above).map_or(Value::Null, |(below, above)| json!((below + above) / 2.0))
}

/// The table of a measure, with a row for each contestant.
pub fn table(measure: &Measure, contestants: &[&Contestant], runs: &[Run]) -> String {
    let Measure { name, title, columns, .. } = measure;
    let mut table = format!("### {title} (`{name}`)\n\n| |");
    for column in *columns {
        let _ = write!(table, " {} |", column.title);
        if column.ratio {
            let _ = write!(table, " ÷ {BASE} |");
        }
    }
    let cells = columns.len() + columns.iter().filter(|column| column.ratio).count();
    let _ = writeln!(table, "\n|---|{}", "---:|".repeat(cells));
    let base = medians(runs, name, BASE);
    for contestant in contestants {
        let (mut title, row) =
            (contestant.name.to_string(), row(columns, &medians(runs, name, contestant.name), &base));
        let all = of(runs, name, contestant.name).count();
        let failed: Vec<&String> =
            of(runs, name, contestant.name).filter_map(|run| run.result.as_ref().err()).collect();
        if !failed.is_empty() {
            let _ = write!(title, " ({} of {all} runs failed)", failed.len());
        }
        let row = match failed.first() {
            Some(error) if failed.len() == all => format!(" {} |{}", cell_of(error), " |".repeat(cells - 1)),
            _ => row,
        };
        let _ = writeln!(table, "| {title} |{row}");
    }
    table
}

fn row(columns: &[Column], figures: &Value, base: &Value) -> String {
    let mut row = String::new();
    for Column { path, ratio, .. } in columns {
        let figure = |of: &Value| of.pointer(path).and_then(Value::as_f64);
        let _ = write!(row, " {} |", figure(figures).map_or("n/a".into(), show));
        if *ratio {
            let times = figure(figures).zip(figure(base)).filter(|(_, base)| *base != 0.0);
            let _ = write!(row, " {} |", times.map_or("n/a".into(), |(figure, base)| format!("{:.2}", figure / base)));
        }
    }
    row
}

/// The beginning of an error, as a cell may hold it.
fn cell_of(error: &str) -> String {
    let error = error.replace('|', "/").replace(['\n', '\r'], " ");
    let shown: String = error.chars().take(200).collect();
    format!("failed: {shown}")
}

/// With two or three digits that count, and commas between thousands.
pub fn show(figure: f64) -> String {
    let decimals = match figure.abs() {
        // A count, or as good as one.
        size if size.fract() == 0.0 => 0,
        size if size < 1.0 => 3,
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    let shown = format!("{figure:.decimals$}");
    let Some(digits) = shown.strip_prefix('-').or(Some(&shown)).filter(|_| decimals == 0) else { return shown };
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if shown.starts_with('-') { format!("-{grouped}") } else { grouped }
}

/// A table of things that are what they are.
pub fn facts(title: &str, facts: &[(impl AsRef<str>, String)]) -> String {
    let mut table = format!("### {title}\n\n| | |\n|---|---|\n");
    for (name, fact) in facts {
        let _ = writeln!(table, "| {} | {} |", name.as_ref(), fact.replace('|', "/"));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{contestants, measures};

    fn run(contestant: &'static str, round: u32, result: Result<Value, &str>) -> Run {
        Run { measure: "echo", contestant, round, result: result.map_err(str::to_owned) }
    }

    fn trip(p50: f64) -> Result<Value, &'static str> {
        Ok(json!({"round_trip_ms": {"p50": p50, "p95": null}}))
    }

    #[test]
    fn a_median_is_of_those_runs_that_have_the_figure() {
        let runs = [run("a", 1, trip(9.0)), run("a", 2, Err("no")), run("a", 3, trip(1.0)), run("a", 4, trip(2.0))];
        assert_eq!(medians(&runs, "echo", "a"), json!({"round_trip_ms": {"p50": 2.0, "p95": null}}));
        assert_eq!(medians(&runs[..3], "echo", "a").pointer("/round_trip_ms/p50"), Some(&json!(5.0)));
        assert_eq!(medians(&runs, "echo", "b"), Value::Null);
    }

    #[test]
    fn a_figure_that_is_not_there_is_not_made_up() {
        let echo = measures::ALL.iter().find(|measure| measure.name == "echo").unwrap();
        let of = |name| contestants::ALL.iter().find(|contestant| contestant.name == name).unwrap();
        let runs = [
            run("rollcall", 1, trip(3.0)),
            run("rollcall", 2, Err("closed")),
            run(BASE, 1, trip(2.0)),
            run("bare", 1, Err("one | two\nthree")),
        ];
        let expected = "\
### There and back on one's own connection (`echo`)

| | round trip p50, ms | ÷ bare + D1 | p95 | p99 |
|---|---:|---:|---:|---:|
| rollcall (1 of 2 runs failed) | 3 | 1.50 | n/a | n/a |
| bare (1 of 1 runs failed) | failed: one / two three | | | |
| node ws | n/a | n/a | n/a | n/a |
";
        assert_eq!(table(echo, &[of("rollcall"), of("bare"), of("node ws")], &runs), expected);
    }

    #[test]
    fn figures_are_shown_as_people_read_them() {
        let shown = [0.0, 0.126, -0.5, 12.34, 123.4, 999.6, 1234.5, 1_234_567.0, -1000.0].map(show);
        assert_eq!(shown, ["0", "0.126", "-0.500", "12.3", "123", "1,000", "1,234", "1,234,567", "-1,000"]);
    }
}
