//! What a dashboard is sent when it joins.

use crate::{
    Seq,
    board::{Board, Missed},
    call::Since,
    socket::say,
    wire::WatcherMessage,
};

/// The first messages to a dashboard.
#[derive(Debug, PartialEq, Eq)]
pub struct Welcome {
    /// Their JSON, in the order of sending.
    pub messages: Vec<String>,
    /// The latest event that it has seen before them: the rest it has yet to acknowledge.
    pub acked: Seq,
}

/// What it missed and whether that was everything, or a snapshot; nothing, for a client that asks for neither. What a
/// snapshot has is `told` beside what was missed: how many `connections` there are, where it asks for that.
pub fn welcome(
    board: &mut Board,
    v1: bool,
    missed: Option<(Since, Missed)>,
    told: Option<usize>,
    connections: impl Fn() -> usize,
) -> Welcome {
    let seq = board.seq();
    let mut snapshot = || board.snapshot(told.unwrap_or_else(&connections));
    let resumed = |from, recovered| say(&WatcherMessage::Resumed { from, seq, recovered });
    let (messages, acked): (Vec<Option<String>>, Seq) = match missed {
        None if v1 => (vec![snapshot()], seq),
        None => (vec![], seq),
        Some((Since::Seq(from), Missed::Events(events))) => {
            let told = told.map(|connections| say(&WatcherMessage::Connections { connections }));
            (events.iter().map(say).chain([resumed(from, true)]).chain(told).collect(), from)
        }
        Some((Since::Seq(from), Missed::Deeper | Missed::Lost)) => (vec![resumed(from, false), snapshot()], seq),
        Some((Since::Unreadable, _)) => (vec![resumed(0, false), snapshot()], seq),
    };
    Welcome { messages: messages.into_iter().flatten().collect(), acked }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        board::OnRoster,
        event::{
            Action,
            tests::{ann, event},
        },
    };

    fn at_two(v1: bool, since: Option<Since>) -> (Vec<String>, Seq) {
        let roster = vec![OnRoster { doctor: ann(), live_since: None }];
        let mut board = Board::new(2, roster, vec![event(1, Action::Login), event(2, Action::Logout)]);
        let missed = since.map(|since| (since, board.missed(since)));
        let Welcome { messages, acked } = welcome(&mut board, v1, missed, None, || 0);
        (messages.iter().map(|message| message.chars().take(40).collect()).collect(), acked)
    }

    #[test]
    fn a_snapshot_is_seen_as_a_whole() {
        let (messages, acked) = at_two(true, None);
        assert_eq!((messages.len(), acked), (1, 2));
        assert!(messages[0].starts_with(r#"{"type":"snapshot","seq":2"#));
        assert_eq!(at_two(false, None), (vec![], 2), "the original says nothing");
    }

    #[test]
    fn what_was_missed_is_yet_to_be_acknowledged() {
        let (messages, acked) = at_two(true, Some(Since::Seq(0)));
        assert_eq!((messages.len(), acked), (3, 0));
        assert!(messages[2].starts_with(r#"{"type":"resumed","from":0,"seq":2,"reco"#), "{}", messages[2]);
    }

    #[test]
    fn who_asks_how_many_are_connected_is_told_once() {
        let mut board = Board::new(0, vec![], vec![]);
        let mut messages = |since: Option<Since>, told| {
            let missed = since.map(|since| (since, board.missed(since)));
            welcome(&mut board, true, missed, told, || 2).messages
        };
        let resumed = r#"{"type":"resumed","from":0,"seq":0,"recovered":true}"#;
        let connections = r#"{"type":"connections","connections":2}"#;
        assert_eq!(messages(Some(Since::Seq(0)), Some(2)), [resumed, connections]);
        assert_eq!(messages(Some(Since::Seq(0)), None), [resumed]);
        for (since, count) in [(None, 1), (Some(Since::Unreadable), 2)] {
            let messages = messages(since, Some(2));
            assert_eq!(messages.len(), count, "by the snapshot");
            assert!(messages.last().unwrap().contains(r#""connections":2"#), "{messages:?}");
        }
    }

    #[test]
    fn where_something_is_lost_a_snapshot_follows() {
        for since in [Since::Seq(3), Since::Unreadable] {
            let (messages, acked) = at_two(false, Some(since));
            assert_eq!((messages.len(), acked), (2, 2));
            assert!(
                messages[0].starts_with(r#"{"type":"resumed""#) && messages[1].starts_with(r#"{"type":"snapshot""#)
            );
        }
    }
}
