//! What is measured, and which figures of it are shown.

use crate::bench::contestants::Contestant;

/// One measure.
pub struct Measure {
    pub name: &'static str,
    pub title: &'static str,
    /// What the load generator is told; `None` where it has no part in it.
    load: Option<Load>,
    /// Whether it is only of those who keep what a dashboard missed.
    resumes: bool,
    /// How often a round takes it of each contestant, in turn.
    times: usize,
    pub columns: &'static [Column],
}

struct Load {
    measure: &'static str,
    full: &'static str,
    quick: &'static str,
}

const fn by_load(
    (name, title): (&'static str, &'static str),
    measure: &'static str,
    (full, quick): (&'static str, &'static str),
    columns: &'static [Column],
) -> Measure {
    Measure { name, title, load: Some(Load { measure, full, quick }), resumes: false, times: 1, columns }
}

/// A figure that is shown.
pub struct Column {
    pub title: &'static str,
    /// Where it is in the results.
    pub path: &'static str,
    /// Whether it is shown how many times that of the base it is.
    pub ratio: bool,
}

const fn column(title: &'static str, path: &'static str) -> Column {
    Column { title, path, ratio: false }
}

const fn compared(title: &'static str, path: &'static str) -> Column {
    Column { title, path, ratio: true }
}

const FAN_OUT: &[Column] = &[
    compared("to last p50, ms", "/to_last_ms/p50"),
    column("p95", "/to_last_ms/p95"),
    column("p99", "/to_last_ms/p99"),
    column("answer p50, ms", "/answer_ms/p50"),
    compared("CPU per notification, µs", "/cpu_us_per_notification"),
    column("bytes per notification", "/bytes_per_notification"),
    column("calls", "/calls"),
    column("lost, %", "/lost_percent"),
];

const CALLS: &[Column] = &[
    compared("calls per second", "/per_second"),
    column("answer p50, ms", "/answer_ms/p50"),
    column("p95", "/answer_ms/p95"),
    column("p99", "/answer_ms/p99"),
    column("notifications per second", "/notifications_per_second"),
    compared("CPU per call, µs", "/cpu_us_per_call"),
    column("failed calls", "/failed"),
    column("lost, %", "/lost_percent"),
    column("load's CPU, %", "/load_cpu_percent"),
];

const JOINS: &[Column] = &[
    compared("joins per second", "/per_second"),
    column("join p50, ms", "/join_ms/p50"),
    column("p95", "/join_ms/p95"),
    column("p99", "/join_ms/p99"),
    column("CPU per join, µs", "/cpu_us_per_join"),
    column("failed", "/failed"),
];

const IDLE: &[Column] = &[
    compared("bytes per socket after 15 s", "/bytes_per_socket"),
    column("after 40 s", "/bytes_per_socket_late"),
    column("bytes of the whole server", "/server_bytes"),
    column("CPU when idle, %", "/cpu_percent_idle"),
];

const ECHO: &[Column] = &[
    compared("round trip p50, ms", "/round_trip_ms/p50"),
    column("p95", "/round_trip_ms/p95"),
    column("p99", "/round_trip_ms/p99"),
];

const COLD_START: &[Column] = &[
    column("first answer, ms", "/first_answer_ms"),
    compared("first state call, ms", "/first_call_ms"),
    column("of which listening, ms", "/listens_ms"),
];

/// How long callers call.
const SECONDS: (&str, &str) = ("--seconds 5", "--seconds 2");

/// Nothing to make quicker.
const SAME: (&str, &str) = ("", "");

/// Everything.
pub const ALL: &[Measure] = &[
    by_load(
        ("fan-out-100", "From a login call to the last of 100 dashboards"),
        "fan-out --dashboards 100",
        ("--calls 60", "--calls 20"),
        FAN_OUT,
    ),
    by_load(
        ("fan-out-1000", "From a login call to the last of 1,000 dashboards"),
        "fan-out --dashboards 1000",
        ("--calls 40", "--calls 10"),
        FAN_OUT,
    ),
    by_load(
        ("fan-out-5000", "From a login call to the last of 5,000 dashboards"),
        "fan-out --dashboards 5000",
        ("--calls 15", "--calls 4"),
        FAN_OUT,
    ),
    by_load(
        ("calls-1", "State calls, one caller, 100 dashboards"),
        "calls --dashboards 100 --callers 1",
        SECONDS,
        CALLS,
    ),
    by_load(
        ("calls-16", "State calls, 16 callers at once, 100 dashboards"),
        "calls --dashboards 100 --callers 16",
        SECONDS,
        CALLS,
    ),
    by_load(
        ("calls-64", "State calls, 64 callers at once, 100 dashboards"),
        "calls --dashboards 100 --callers 64",
        SECONDS,
        CALLS,
    ),
    by_load(
        ("calls-paced", "State calls, 40 a second and no more, 100 dashboards"),
        "calls --dashboards 100 --callers 64 --pace 40",
        SECONDS,
        CALLS,
    ),
    by_load(("joins", "1,000 dashboards that join, 50 at once"), "joins --dashboards 1000 --at-once 50", SAME, JOINS),
    Measure {
        resumes: true,
        ..by_load(
            ("joins-since", "1,000 dashboards that join and are sent ten events that they missed, 50 at once"),
            "joins --dashboards 1000 --at-once 50 --behind 10",
            SAME,
            JOINS,
        )
    },
    by_load(("idle", "1,000 dashboards that hear nothing"), "idle --dashboards 1000", SAME, IDLE),
    // Rollcall takes no more than 120 messages from anybody in so short a time.
    by_load(("echo", "There and back on one's own connection"), "echo --messages 100", SAME, ECHO),
    Measure {
        name: "cold-start",
        title: "From the start of the server to its first answers",
        load: None,
        resumes: false,
        times: 5,
        columns: COLD_START,
    },
];

impl Measure {
    /// Whether that contestant can be measured so at all.
    pub fn is_for(&self, contestant: &Contestant) -> bool {
        !self.resumes || contestant.resumes()
    }

    /// How often a round takes it of each contestant.
    pub fn times(&self, quick: bool) -> usize {
        if quick { self.times.min(2) } else { self.times }
    }

    /// What the load generator is told, where it has a part in it.
    pub fn load(&self, quick: bool) -> Option<String> {
        let Load { measure, full, quick: short } = self.load.as_ref()?;
        Some(format!("{measure} {}", if quick { short } else { full }).trim_end().to_string())
    }
}
