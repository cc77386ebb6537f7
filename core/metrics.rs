//! What is counted, and how Prometheus reads it.
//!
//! **Invariant:** a sample is of one hospital, or of none; nobody is named in it.

use std::fmt::Write;

use chrono::TimeDelta;

use crate::{ApiError, HospitalId, event::Event, wire::Reason};

/// Something that is worth counting.
#[derive(Clone, Copy, Debug)]
pub enum Count<'a> {
    /// An event was recorded.
    Recorded(&'a Event),
    /// A call changed nothing.
    Unchanged,
    /// A change was announced so long after it had arrived in the room.
    Announced(TimeDelta),
    /// The database answered, or did not, after so long.
    Queried(TimeDelta, bool),
    /// A request was answered with this status.
    Answered(u16),
    /// A request or a join was refused with this code.
    Rejected(&'static str),
    /// A socket was opened: a dashboard's, or a person's.
    Opened(&'static str),
    /// A socket was closed by the room.
    Closed(&'a ApiError),
    /// The alarm rang, and did what was due, or will try again.
    AlarmRan(bool),
}

/// A metric; each name begins with `rollcall_`.
struct Metric {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    /// What tells its samples of one hospital apart.
    label: &'static str,
}

const fn metric(name: &'static str, kind: &'static str, label: &'static str, help: &'static str) -> Metric {
    Metric { name, kind, help, label }
}

const EVENTS: Metric = metric("events_total", "counter", "kind", "Events recorded.");
const UNCHANGED: Metric = metric("unchanged_total", "counter", "", "State calls that changed nothing.");
const REQUESTS: Metric = metric("requests_total", "counter", "status", "HTTP requests answered, by class of status.");
const REFUSALS: Metric = metric("refusals_total", "counter", "code", "Requests and joins refused.");
const OPENED: Metric = metric("sockets_opened_total", "counter", "kind", "Sockets opened.");
const CLOSED: Metric = metric("sockets_closed_total", "counter", "code", "Sockets that the room closed.");
const ALARMS: Metric = metric("alarms_total", "counter", "result", "Alarms that rang.");
const QUERIES_FAILED: Metric = metric("database_failures_total", "counter", "", "Round trips to D1 that failed.");
const ANNOUNCE: Metric =
    metric("announce_seconds", "histogram", "", "From a call's arrival in the room until its event is announced.");
const QUERIES: Metric = metric("database_seconds", "histogram", "", "Round trips to D1.");

const METRICS: [Metric; 21] = [
    EVENTS,
    UNCHANGED,
    ANNOUNCE,
    QUERIES,
    QUERIES_FAILED,
    REQUESTS,
    REFUSALS,
    OPENED,
    CLOSED,
    ALARMS,
    metric("build_info", "gauge", "version", "The version that answers."),
    metric("room_up", "gauge", "", "Whether the hospital's room answered."),
    metric("sockets", "gauge", "kind", "Open sockets."),
    metric("people_connected", "gauge", "", "People with an open connection of their own."),
    metric("latest_seq", "gauge", "", "The hospital's latest event."),
    metric("archived_seq", "gauge", "", "The latest event that D1 has too."),
    metric("archive_lag_seconds", "gauge", "", "Age of the oldest event that D1 lacks; 0 if D1 has them all."),
    metric("oldest_seq", "gauge", "", "The oldest event that is kept."),
    metric("doctors", "gauge", "", "Active doctors."),
    metric("doctors_on_duty", "gauge", "", "Of them, on duty."),
    metric("doctors_available", "gauge", "", "Of those on duty, free for a consultation."),
];

/// Samples by their name and label, without the prefix and the hospital: `events_total{kind="login"}`. A list, like
/// everything here: there are few of them, and maps cost a fiftieth of the upload.
pub type Samples = Vec<(String, f64)>;

/// The name under which a sample is kept.
pub fn sample(name: &str, label: &str, value: &str) -> String {
    if label.is_empty() { name.into() } else { format!("{name}{{{label}=\"{value}\"}}") }
}

/// A metric's name, its label, and the label's value.
type Counter = (&'static str, &'static str, &'static str);

/// What has been counted of a hospital since it was last added to the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    counters: Vec<(Counter, u32)>,
    announce: Histogram,
    queries: Histogram,
}

impl Tally {
    /// Counts something.
    pub fn count(&mut self, what: Count<'_>) {
        match what {
            Count::Recorded(Event { reason: Some(Reason::ConnectionLost), .. }) => self.one(EVENTS, "connection_lost"),
            Count::Recorded(event) => self.one(EVENTS, event.kind.as_str()),
            Count::Unchanged => self.one(UNCHANGED, ""),
            Count::Announced(after) => self.announce.observe(after),
            Count::Queried(after, answered) => {
                self.queries.observe(after);
                if !answered {
                    self.one(QUERIES_FAILED, "");
                }
            }
            Count::Answered(status) => self.one(REQUESTS, class(status)),
            Count::Rejected(code) => self.one(REFUSALS, code),
            Count::Opened(kind) => self.one(OPENED, kind),
            Count::Closed(error) => self.one(CLOSED, error.code()),
            Count::AlarmRan(done) => self.one(ALARMS, if done { "done" } else { "failed" }),
        }
    }

    fn one(&mut self, Metric { name, label, .. }: Metric, value: &'static str) {
        self.add((name, label, value), 1);
    }

    fn add(&mut self, counter: Counter, times: u32) {
        match self.counters.iter_mut().find(|(other, _)| *other == counter) {
            Some((_, count)) => *count += times,
            None => self.counters.push((counter, times)),
        }
    }

    /// Counts what another one has counted.
    pub fn absorb(&mut self, other: &Self) {
        for (counter, count) in &other.counters {
            self.add(*counter, *count);
        }
        self.announce.absorb(&other.announce);
        self.queries.absorb(&other.queries);
    }

    /// As samples, to be added to those of before.
    pub fn samples(&self) -> Samples {
        let counters = self.counters.iter();
        let mut samples: Samples =
            counters.map(|((name, label, value), count)| (sample(name, label, value), f64::from(*count))).collect();
        for (metric, histogram) in [(ANNOUNCE, &self.announce), (QUERIES, &self.queries)] {
            histogram.put(metric.name, &mut samples);
        }
        samples
    }
}

fn class(status: u16) -> &'static str {
    match status {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}

/// How many took no longer than so many seconds.
const BOUNDS: [(&str, f64); 10] = [
    ("0.005", 0.005),
    ("0.01", 0.01),
    ("0.025", 0.025),
    ("0.05", 0.05),
    ("0.1", 0.1),
    ("0.25", 0.25),
    ("0.5", 0.5),
    ("1", 1.0),
    ("2.5", 2.5),
    ("5", 5.0),
];

#[derive(Clone, Debug, Default, PartialEq)]
struct Histogram {
    within: [u32; BOUNDS.len()],
    count: u32,
    sum: f64,
}

impl Histogram {
    fn observe(&mut self, time: TimeDelta) {
        // A clock may be set back.
        let seconds = (time.num_milliseconds().max(0) as f64) / 1000.0;
        for (within, (_, bound)) in self.within.iter_mut().zip(BOUNDS) {
            *within += u32::from(seconds <= bound);
        }
        self.count += 1;
        self.sum += seconds;
    }

    fn absorb(&mut self, other: &Self) {
        for (within, others) in self.within.iter_mut().zip(other.within) {
            *within += others;
        }
        self.count += other.count;
        self.sum += other.sum;
    }

    fn put(&self, name: &str, samples: &mut Samples) {
        if self.count == 0 {
            return;
        }
        let bucket = |bound| sample(&format!("{name}_bucket"), "le", bound);
        let buckets = BOUNDS.iter().zip(self.within).map(|((bound, _), within)| (bucket(bound), within.into()));
        samples.extend(buckets);
        samples.push((bucket("+Inf"), self.count.into()));
        samples.push((format!("{name}_sum"), self.sum));
        samples.push((format!("{name}_count"), self.count.into()));
    }
}

/// The sample that says which version answers.
pub fn build_info(version: &str) -> (String, f64) {
    (sample("build_info", "version", version), 1.0)
}

/// Every hospital's samples as Prometheus reads them, in its text format 0.0.4. Hospital 0 is none.
pub fn render(hospitals: &[(HospitalId, Samples)]) -> String {
    let mut text = String::new();
    for Metric { name, kind, help, label } in METRICS {
        let mut head = format!("# HELP rollcall_{name} {help}\n# TYPE rollcall_{name} {kind}\n");
        for (hospital_id, samples) in hospitals {
            let mut put = |which: &dyn Fn(&str) -> bool| {
                for (key, value) in samples.iter().filter(|(key, _)| which(key)) {
                    text.push_str(&std::mem::take(&mut head));
                    // Writing to a String cannot fail.
                    let _ = writeln!(text, "rollcall_{} {value}", of_hospital(key, *hospital_id));
                }
            };
            match (kind, label) {
                ("histogram", _) => {
                    for bound in BOUNDS.iter().map(|(bound, _)| *bound).chain(["+Inf"]) {
                        let bucket = sample(&format!("{name}_bucket"), "le", bound);
                        put(&|key| key == bucket);
                    }
                    put(&|key| matches!(key.strip_prefix(name), Some("_sum" | "_count")));
                }
                (_, "") => put(&|key| key == name),
                (_, _) => put(&|key| key.strip_prefix(name).is_some_and(|labels| labels.starts_with('{'))),
            }
        }
    }
    text
}

fn of_hospital(key: &str, hospital_id: HospitalId) -> String {
    match (hospital_id.get(), key.split_once('{')) {
        (0, _) => key.into(),
        (id, None) => sample(key, "hospital", &id.to_string()),
        (id, Some((name, labels))) => format!("{name}{{hospital=\"{id}\",{labels}"),
    }
}

#[cfg(test)]
mod tests;
