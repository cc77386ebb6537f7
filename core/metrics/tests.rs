use super::*;
use crate::event::{EventKind, tests::event};

#[test]
fn a_tally_reads_as_prometheus_expects_it() {
    let mut tally = Tally::default();
    let lost = Event { reason: Some(Reason::ConnectionLost), ..event(2, EventKind::Logout) };
    for what in [
        Count::Recorded(&event(1, EventKind::Login)),
        Count::Recorded(&lost),
        Count::Announced(TimeDelta::milliseconds(7)),
        Count::Announced(TimeDelta::milliseconds(700)),
        Count::Announced(TimeDelta::milliseconds(-7)),
        Count::Rejected("throttled"),
        Count::Rejected("throttled"),
    ] {
        tally.count(what);
    }
    let text = render(&[(HospitalId::new(7), tally.samples()), (HospitalId::default(), vec![("doctors".into(), 3.0)])]);
    let expected = r#"# HELP rollcall_events_total Events recorded.
# TYPE rollcall_events_total counter
rollcall_events_total{hospital="7",kind="login"} 1
rollcall_events_total{hospital="7",kind="connection_lost"} 1
# HELP rollcall_announce_seconds From a call's arrival in the room until its event is announced.
# TYPE rollcall_announce_seconds histogram
rollcall_announce_seconds_bucket{hospital="7",le="0.005"} 1
rollcall_announce_seconds_bucket{hospital="7",le="0.01"} 2
rollcall_announce_seconds_bucket{hospital="7",le="0.025"} 2
rollcall_announce_seconds_bucket{hospital="7",le="0.05"} 2
rollcall_announce_seconds_bucket{hospital="7",le="0.1"} 2
rollcall_announce_seconds_bucket{hospital="7",le="0.25"} 2
rollcall_announce_seconds_bucket{hospital="7",le="0.5"} 2
rollcall_announce_seconds_bucket{hospital="7",le="1"} 3
rollcall_announce_seconds_bucket{hospital="7",le="2.5"} 3
rollcall_announce_seconds_bucket{hospital="7",le="5"} 3
rollcall_announce_seconds_bucket{hospital="7",le="+Inf"} 3
rollcall_announce_seconds_sum{hospital="7"} 0.707
rollcall_announce_seconds_count{hospital="7"} 3
# HELP rollcall_refusals_total Requests and joins refused.
# TYPE rollcall_refusals_total counter
rollcall_refusals_total{hospital="7",code="throttled"} 2
# HELP rollcall_doctors Active doctors.
# TYPE rollcall_doctors gauge
rollcall_doctors 3
"#;
    assert_eq!(text, expected);
}

#[test]
fn what_could_not_be_added_is_added_later() {
    let mut once = Tally::default();
    once.count(Count::Queried(TimeDelta::milliseconds(30), false));
    once.count(Count::Answered(503));
    let mut twice = once.clone();
    twice.absorb(&once);
    let doubled: Samples = once.samples().into_iter().map(|(key, value)| (key, 2.0 * value)).collect();
    assert_eq!(twice.samples(), doubled);
}

#[test]
fn nothing_counted_is_nothing_to_read() {
    assert!(Tally::default().samples().is_empty());
    assert_eq!(render(&[(HospitalId::new(1), Samples::new())]), "");
}
