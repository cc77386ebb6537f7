//! The registry: who has an open `/ws/connect/` socket. Derived, never stored, so it cannot hold ghosts.

use std::collections::BTreeMap;

use crate::{Timestamp, wire::ActiveConnection};

/// One entry per email, with the number of its sockets: since the oldest was opened, last heard when any of them was.
/// Oldest connection first.
pub fn entries(sockets: impl IntoIterator<Item = (String, Timestamp, Timestamp)>) -> Vec<ActiveConnection> {
    let mut by_email: BTreeMap<String, (Timestamp, Timestamp, usize)> = BTreeMap::new();
    for (email, connected_at, last_activity) in sockets {
        by_email
            .entry(email)
            .and_modify(|(since, heard, sockets)| {
                *since = connected_at.min(*since);
                *heard = last_activity.max(*heard);
                *sockets += 1;
            })
            .or_insert((connected_at, last_activity, 1));
    }
    let mut entries: Vec<_> = by_email
        .into_iter()
        .map(|(email, (connected_at, last_activity, sockets))| ActiveConnection {
            email,
            connected_at,
            last_activity,
            sockets,
        })
        .collect();
    entries.sort_by_key(|entry| entry.connected_at);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u32) -> Timestamp {
        format!("2026-11-21T09:{minute:02}:00Z").parse().unwrap()
    }

    #[test]
    fn several_sockets_of_one_email_are_one_entry() {
        let sockets = [("b@x", at(5), at(6)), ("a@x", at(9), at(9)), ("b@x", at(3), at(4)), ("b@x", at(7), at(8))];
        let entries = entries(sockets.map(|(email, since, heard)| (email.to_string(), since, heard)));
        assert_eq!(
            entries,
            [
                ActiveConnection { email: "b@x".into(), connected_at: at(3), last_activity: at(8), sockets: 3 },
                ActiveConnection { email: "a@x".into(), connected_at: at(9), last_activity: at(9), sockets: 1 },
            ]
        );
    }
}
