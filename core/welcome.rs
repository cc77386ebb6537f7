//! The first messages to a dashboard that joins.

use crate::{
    Seq,
    board::Board,
    room::Since,
    socket::to_json,
    wire::{DoctorEvent, WatcherMessage},
};

/// What happened while a dashboard was away.
#[derive(Debug, PartialEq)]
pub enum Missed {
    /// These events, oldest first.
    Events(Vec<DoctorEvent>),
    /// More than it can be sent; [`Since::resume_after`] decides that.
    TooOld,
}

/// The first messages to a dashboard.
#[derive(Debug, PartialEq, Eq)]
pub struct Welcome {
    /// Their JSON, in the order of sending.
    pub messages: Vec<String>,
    /// The latest event that the dashboard has seen before these messages: it has yet to acknowledge the rest.
    pub acked: Seq,
}

/// The events that a dashboard `missed` and whether these were all, or a snapshot; nothing for a client that asks for
/// neither. `last_count` is the number of connections for a dashboard that asks for it: a message of its own, unless a
/// snapshot contains it. For another dashboard's snapshot, `connections` counts them.
pub fn welcome(
    board: &mut Board,
    v1: bool,
    missed: Option<(Since, Missed)>,
    last_count: Option<usize>,
    connections: impl Fn() -> usize,
) -> Welcome {
    let seq = board.seq();
    let mut snapshot = || board.snapshot(last_count.unwrap_or_else(&connections));
    let resumed = |from, recovered| to_json(&WatcherMessage::Resumed { from, seq, recovered });
    let (messages, acked): (Vec<Option<String>>, Seq) = match missed {
        None if v1 => (vec![snapshot()], seq),
        None => (vec![], seq),
        Some((Since::Seq(from), Missed::Events(events))) => {
            let count = last_count.map(|connections| to_json(&WatcherMessage::Connections { connections }));
            (events.iter().map(to_json).chain([resumed(from, true)]).chain(count).collect(), from)
        }
        Some((Since::Seq(from), Missed::TooOld)) => (vec![resumed(from, false), snapshot()], seq),
        Some((Since::Unreadable, _)) => (vec![resumed(Seq::default(), false), snapshot()], seq),
    };
    Welcome { messages: messages.into_iter().flatten().collect(), acked }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        board::RosterEntry,
        event::{
            Event, EventKind,
            tests::{ann, event},
        },
    };

    /// What a dashboard missed of `history`, as the room reads it from its log.
    fn missed(since: Since, history: &[Event]) -> (Since, Missed) {
        let latest = history.last().map(|event| event.seq).unwrap_or_default();
        let missed = since.resume_after(latest).map_or(Missed::TooOld, |seen| {
            Missed::Events(history.iter().filter(|event| event.seq > seen).map(Event::message).collect())
        });
        (since, missed)
    }

    fn at_two(v1: bool, since: Option<Since>) -> (Vec<String>, u64) {
        let roster = vec![RosterEntry { doctor: ann(), live_since: None }];
        let history = vec![event(1, EventKind::Login), event(2, EventKind::Logout)];
        let missed = since.map(|since| missed(since, &history));
        let mut board = Board::new(Seq::new(2), roster, history);
        let Welcome { messages, acked } = welcome(&mut board, v1, missed, None, || 0);
        (messages.iter().map(|message| message.chars().take(40).collect()).collect(), acked.get())
    }

    #[test]
    fn a_snapshot_is_seen_as_a_whole() {
        let (messages, acked) = at_two(true, None);
        assert_eq!((messages.len(), acked), (1, 2));
        assert!(messages[0].starts_with(r#"{"type":"snapshot","seq":2"#));
        assert_eq!(at_two(false, None), (vec![], 2), "the original says nothing");
    }

    #[test]
    fn missed_events_are_sent_in_order_and_are_yet_to_be_acknowledged() {
        let (messages, acked) = at_two(true, Some(Since::Seq(Seq::new(0))));
        assert_eq!((messages.len(), acked), (3, 0));
        assert!(messages[..2].iter().all(|message| message.starts_with(r#"{"type":"doctor_login_logout","#)));
        assert!(messages[2].starts_with(r#"{"type":"resumed","from":0,"seq":2,"reco"#), "{}", messages[2]);
        assert_eq!(at_two(true, Some(Since::Seq(Seq::new(1)))).0.len(), 2);
        assert_eq!(at_two(true, Some(Since::Seq(Seq::new(2)))).0.len(), 1);
    }

    #[test]
    fn a_dashboard_that_asks_for_the_number_of_connections_is_told_once() {
        let mut board = Board::new(Seq::default(), vec![], vec![]);
        let mut messages = |since: Option<Since>, last_count| {
            let missed = since.map(|since| missed(since, &[]));
            welcome(&mut board, true, missed, last_count, || 2).messages
        };
        let resumed = r#"{"type":"resumed","from":0,"seq":0,"recovered":true}"#;
        let connections = r#"{"type":"connections","connections":2}"#;
        assert_eq!(messages(Some(Since::Seq(Seq::new(0))), Some(2)), [resumed, connections]);
        assert_eq!(messages(Some(Since::Seq(Seq::new(0))), None), [resumed]);
        for (since, count) in [(None, 1), (Some(Since::Unreadable), 2)] {
            let messages = messages(since, Some(2));
            assert_eq!(messages.len(), count, "by the snapshot");
            assert!(messages.last().unwrap().contains(r#""connections":2"#), "{messages:?}");
        }
    }

    #[test]
    fn a_snapshot_follows_if_events_cannot_be_sent() {
        for since in [Since::Seq(Seq::new(3)), Since::Unreadable] {
            let (messages, acked) = at_two(false, Some(since));
            assert_eq!((messages.len(), acked), (2, 2));
            assert!(
                messages[0].starts_with(r#"{"type":"resumed""#) && messages[1].starts_with(r#"{"type":"snapshot""#)
            );
        }
    }
}
