//! Many durations, told in three.

use std::time::Duration;

use serde_json::{Value, json};

/// The 50th, 95th and 99th percentile, in milliseconds, by nearest rank; null of nothing.
pub fn percentiles(mut durations: Vec<Duration>) -> Value {
    durations.sort_unstable();
    let percentile = |percent: usize| {
        let rank = (durations.len() * percent).div_ceil(100).max(1);
        durations.get(rank - 1).map(|duration| duration.as_micros() as f64 / 1000.0)
    };
    json!({"p50": percentile(50), "p95": percentile(95), "p99": percentile(99)})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_durations() {
        let durations = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentiles(durations), json!({"p50": 100.0, "p95": 190.0, "p99": 198.0}));
        assert_eq!(percentiles(vec![Duration::from_millis(7)]), json!({"p50": 7.0, "p95": 7.0, "p99": 7.0}));
        assert_eq!(percentiles(vec![]), json!({"p50": null, "p95": null, "p99": null}));
    }
}
