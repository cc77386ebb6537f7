use proptest::prelude::*;

use super::*;

pub(crate) fn now() -> Timestamp {
    "2026-11-21T09:05:00Z".parse().unwrap()
}

pub(crate) fn connection() -> Attachment {
    let kind = Kind::Connection { email: "user1@example.com".into(), doctor: true, v1: true };
    Attachment::new(kind, SocketOwner::named(UserId::new(9)), now())
}

pub(crate) fn watcher() -> Attachment {
    let owner = SocketOwner { user_id: Some(UserId::new(1)), session_id: Some(SessionId::new(5)), session_ends: None };
    Attachment::new(
        Kind::Watcher { v1: true, acked: Some(Seq::new(4)), heard_at_byte: 0, last_count_sent: Some(3) },
        owner,
        now(),
    )
}

fn receive(socket: &mut Attachment, frame: &str) -> Reply {
    socket.on_message(frame, now(), 0)
}

fn text(text: &str) -> Reply {
    Reply { text: Some(text.into()), close: None }
}

#[test]
fn the_form_of_an_attachment() {
    assert_eq!(
        serde_json::to_string(&connection()).unwrap(),
        r#"{"kind":"connection","email":"user1@example.com","doctor":true,"v1":true,"user_id":9,"session_id":null,"session_ends":null,"connected_at":"2026-11-21T09:05:00Z","last_activity":"2026-11-21T09:05:00Z","malformed":0,"bucket_full_at":"2026-11-21T09:05:00Z"}"#
    );
    assert_eq!(
        serde_json::to_string(&watcher()).unwrap(),
        r#"{"kind":"watcher","v1":true,"acked":4,"heard_at_byte":0,"told":3,"user_id":1,"session_id":5,"session_ends":null,"connected_at":"2026-11-21T09:05:00Z","last_activity":"2026-11-21T09:05:00Z","malformed":0,"bucket_full_at":"2026-11-21T09:05:00Z"}"#
    );
    for socket in [connection(), watcher()] {
        assert_eq!(serde_json::from_str::<Attachment>(&serde_json::to_string(&socket).unwrap()).unwrap(), socket);
    }
}

#[test]
fn attachments_of_older_deploys_are_still_read() {
    let stored = r#"{"kind":"connection","user_id":9,"session_id":null,"email":"user1@example.com","connected_at":"2026-11-21T09:00:00Z","last_activity":"2026-11-21T09:00:00Z"}"#;
    let read: Attachment = serde_json::from_str(stored).unwrap();
    assert_eq!(read.kind, Kind::Connection { email: "user1@example.com".into(), doctor: false, v1: false });
    assert_eq!((read.user_id, read.last_activity), (Some(UserId::new(9)), "2026-11-21T09:00:00Z".parse().unwrap()));

    let stored = r#"{"kind":"watcher","user_id":1,"session_id":5,"v1":true}"#;
    let read: Attachment = serde_json::from_str(stored).unwrap();
    assert_eq!(read.kind, Kind::Watcher { v1: true, acked: None, heard_at_byte: 0, last_count_sent: None });
    assert_eq!((read.user_id, read.session_id), (Some(UserId::new(1)), Some(SessionId::new(5))));
}

#[test]
fn a_connection_is_echoed_as_in_the_original_and_its_activity_remembered() {
    let mut socket = connection();
    let later = now() + TimeDelta::seconds(9);
    let reply = socket.on_message(r#"{"message":"Hello Server!"}"#, later, 0);
    let expected = r#"{"type":"message","message":"Server received: Hello Server!","from":"user1@example.com"}"#;
    assert_eq!(reply, text(expected));
    assert_eq!(socket.last_activity, later);
}

#[test]
fn what_is_not_understood_is_answered() {
    let deep = "[".repeat(10_000);
    for frame in ["", "hello", "{", "{'message':1}", deep.as_str()] {
        for mut socket in [connection(), watcher()] {
            let invalid = text(r#"{"type":"error","message":"Invalid JSON format"}"#);
            assert_eq!(receive(&mut socket, frame), invalid, "{frame:.20}");
        }
    }
    for frame in ["{}", "[]", "7", r#"["Hello"]"#, r#"{"message":7}"#, r#"{"type":"subscribe"}"#] {
        for mut socket in [connection(), watcher()] {
            let reply = receive(&mut socket, frame).text.unwrap();
            assert!(reply.starts_with(r#"{"type":"error","message":"Expected {"#), "{reply}");
        }
    }
}

#[test]
fn the_third_malformed_message_in_a_row_is_answered_too_and_then_closes() {
    for (mut socket, good) in [(connection(), r#"{"message":""}"#), (watcher(), r#"{"type":"ack","seq":1}"#)] {
        receive(&mut socket, "?");
        receive(&mut socket, "?");
        assert_eq!(receive(&mut socket, good).close, None, "in a row");
        assert_eq!(receive(&mut socket, "?").close, None);
        assert_eq!(receive(&mut socket, "{}").close, None);
        let third = receive(&mut socket, "?");
        assert!(third.text.is_some());
        assert_eq!(third.close.map(|error| error.close_code()), Some(1008));
    }
}

#[test]
fn an_acknowledgement_is_not_answered_and_never_taken_back() {
    let mut socket = watcher();
    for seq in [9, 7] {
        assert_eq!(socket.on_message(&format!(r#"{{"type":"ack","seq":{seq}}}"#), now(), 1234), Reply::default());
        assert_eq!(
            socket.kind,
            Kind::Watcher { v1: true, acked: Some(Seq::new(9)), heard_at_byte: 1234, last_count_sent: Some(3) }
        );
    }
}

#[test]
fn a_dashboard_that_asked_learns_how_many_are_connected_once() {
    let mut socket = watcher();
    assert_eq!([3, 4, 4, 3].map(|connections| socket.note_count(connections)), [false, true, false, true]);
    let Kind::Watcher { last_count_sent, .. } = &mut socket.kind else { panic!() };
    *last_count_sent = None;
    assert!(!socket.note_count(5) && !connection().note_count(5), "a dashboard that does not ask is not told");
}

#[test]
fn a_doctors_own_connection_receives_their_own_events_if_it_understands_them() {
    assert!(connection().receives_events_of(UserId::new(9)));
    assert!(!connection().receives_events_of(UserId::new(1)), "somebody else's");
    assert!(!watcher().receives_events_of(UserId::new(1)), "a dashboard receives all events as it is");
    for (doctor, v1) in [(true, false), (false, true)] {
        let kind = Kind::Connection { email: "user1@example.com".into(), doctor, v1 };
        assert!(
            !Attachment::new(kind, SocketOwner::named(UserId::new(9)), now()).receives_events_of(UserId::new(9)),
            "{doctor} {v1}"
        );
    }
}

#[test]
fn a_frame_over_the_limit_closes_with_1009() {
    let close = receive(&mut connection(), &"x".repeat(FRAME_LIMIT + 1)).close.unwrap();
    assert_eq!(close.close_code(), 1009);
}

#[test]
fn over_120_messages_a_minute_close_with_1008() {
    let mut socket = connection();
    let mut receive = |at: Timestamp| socket.on_message(r#"{"message":""}"#, at, 0).close;
    for _ in 0..120 {
        assert_eq!(receive(now()), None, "the bucket is full to begin with");
    }
    // Two a second is what comes back.
    for second in 1..=10 {
        let at = now() + TimeDelta::seconds(second);
        assert_eq!((receive(at), receive(at)), (None, None), "{second}");
    }
    assert_eq!(receive(now() + TimeDelta::seconds(10)).map(|error| error.close_code()), Some(1008));
}

#[test]
fn a_close_is_answered_with_a_code_that_may_be_sent() {
    for reserved in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
        assert_eq!(close_code_for(reserved), 1000, "{reserved}");
    }
    for sent in [1000, 1001, 1008, 3000, 4001, 4999] {
        assert_eq!(close_code_for(sent), sent);
    }
}

proptest! {
    #[test]
    fn any_frame_is_answered(frame: String) {
        let _ = (receive(&mut connection(), &frame), receive(&mut watcher(), &frame));
    }
}
