//! What the room's alarm decides about one open socket.

use chrono::TimeDelta;

use crate::{
    Rejection, Seq, Timestamp,
    socket::{Attachment, Kind},
};

/// A client that used to ping and then is silent for this long is gone.
const SILENCE: TimeDelta = TimeDelta::seconds(90);

/// Every socket is looked at this often: the runtime answers pings without telling, so nobody knows when one begins.
const LOOK_EVERY: TimeDelta = SILENCE;

/// A v1 dashboard may have fewer events than this unacknowledged …
const UNACKED_LIMIT: u64 = 256;

/// … or more for this long.
const UNACKED_FOR: TimeDelta = TimeDelta::seconds(30);

/// What another dashboard may be sent without being heard, in bytes.
const UNHEARD_BYTES: i64 = 4 * 1024 * 1024;

/// What the room has announced.
pub struct Announced<'a> {
    /// The latest event.
    pub seq: Seq,
    /// Whether that is certain: a room that lost its memory knows only what had been announced some seconds before.
    pub certain: bool,
    /// All events so far, in bytes on the wire.
    pub bytes: i64,
    /// When an event was recorded, or a time after that.
    pub at: Box<dyn Fn(Seq) -> Timestamp + 'a>,
}

/// When to look at a socket for the first time.
pub fn first_look(socket: &Attachment, now: Timestamp) -> Timestamp {
    socket.session_ends.unwrap_or(Timestamp::MAX_UTC).min(now + LOOK_EVERY)
}

/// Looks at an open socket at `now`, and returns when to look again. `pinged` is when it last pinged, if it ever did; it
/// counts as having been heard.
///
/// # Errors
/// Why it must be closed: [`Rejection::SessionEnded`], [`Rejection::NoHeartbeat`] or [`Rejection::TooSlow`].
pub fn check(
    socket: &mut Attachment,
    pinged: Option<Timestamp>,
    announced: &Announced<'_>,
    now: Timestamp,
) -> Result<Timestamp, Rejection> {
    let mut look_again = first_look(socket, now);
    if look_again <= now {
        return Err(Rejection::SessionEnded);
    }
    if let Some(pinged) = pinged {
        let silent_at = pinged.max(socket.last_activity) + SILENCE;
        if silent_at <= now {
            return Err(Rejection::NoHeartbeat);
        }
        look_again = look_again.min(silent_at);
    }
    let connected_at = socket.connected_at;
    match &mut socket.kind {
        Kind::Connection { .. } => {}
        Kind::Watcher { v1: true, acked, .. } => {
            // Nobody has seen what was not announced yet.
            let seen = acked.unwrap_or(announced.seq).min(announced.seq);
            if announced.certain {
                *acked = Some(seen);
            }
            if announced.seq - seen >= UNACKED_LIMIT {
                // What was recorded before it joined was sent when it joined.
                let too_slow_at = (announced.at)(seen + 1).max(connected_at) + UNACKED_FOR;
                if too_slow_at < now {
                    return Err(Rejection::TooSlow);
                }
                look_again = look_again.min(too_slow_at + TimeDelta::milliseconds(1));
            }
        }
        Kind::Watcher { v1: false, heard_at_byte, .. } => {
            if let Some(pinged) = pinged.filter(|pinged| *pinged > socket.last_activity) {
                socket.last_activity = pinged;
                *heard_at_byte = announced.bytes;
            }
            if announced.bytes - *heard_at_byte > UNHEARD_BYTES {
                return Err(Rejection::TooSlow);
            }
        }
    }
    Ok(look_again)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::{
        Opener,
        tests::{connection, now, watcher},
    };

    fn at(seconds: i64) -> Timestamp {
        now() + TimeDelta::seconds(seconds)
    }

    fn closed(result: Result<Timestamp, Rejection>) -> Option<u16> {
        result.err().map(|rejection| rejection.close_code())
    }

    fn nothing_announced(_: Seq) -> Timestamp {
        panic!("nobody is behind")
    }

    fn quiet() -> Announced<'static> {
        Announced { seq: 4, certain: true, bytes: 0, at: Box::new(nothing_announced) }
    }

    #[test]
    fn who_pinged_and_went_silent_for_90_seconds_is_closed() {
        for mut socket in [connection(), watcher()] {
            assert_eq!(check(&mut socket, Some(at(10)), &quiet(), at(99)), Ok(at(100)), "looked at when it is due");
            assert_eq!(closed(check(&mut socket, Some(at(10)), &quiet(), at(100))), Some(4008));
            socket.last_activity = at(20);
            assert_eq!(check(&mut socket, Some(at(10)), &quiet(), at(100)), Ok(at(110)), "a message is a sign of life");
        }
    }

    #[test]
    fn who_never_pinged_is_left_alone_but_looked_at_again_in_time() {
        assert_eq!(check(&mut connection(), None, &quiet(), at(10_000)), Ok(at(10_090)));
    }

    #[test]
    fn a_session_that_ends_takes_its_sockets_with_it() {
        let mut socket = watcher();
        socket.session_ends = Some(at(60));
        assert_eq!(first_look(&socket, at(0)), at(60));
        assert_eq!(check(&mut socket, None, &quiet(), at(0)), Ok(at(60)));
        assert_eq!(closed(check(&mut socket, None, &quiet(), at(60))), Some(4002));
    }

    #[test]
    fn a_v1_dashboard_with_256_events_unacknowledged_for_over_30_seconds_is_closed() {
        let mut socket = watcher();
        let mut at_seconds = |seq, seconds| {
            let announced =
                Announced { seq, certain: true, bytes: 0, at: Box::new(|seq| at(if seq == 5 { 10 } else { 10_000 })) };
            check(&mut socket, None, &announced, at(seconds))
        };
        assert_eq!(at_seconds(259, 100), Ok(at(190)), "255 is not too many");
        assert_eq!(at_seconds(260, 40), Ok(at(40) + TimeDelta::milliseconds(1)), "30 seconds is not too long");
        assert_eq!(closed(at_seconds(260, 41)), Some(1013));
    }

    #[test]
    fn what_was_recorded_before_it_joined_was_sent_when_it_joined() {
        let mut socket = watcher();
        let announced = Announced { seq: 600, certain: true, bytes: 0, at: Box::new(|_| at(-3600)) };
        assert!(check(&mut socket, None, &announced, at(30)).is_ok());
        assert_eq!(closed(check(&mut socket, None, &announced, at(31))), Some(1013));
    }

    #[test]
    fn nobody_can_acknowledge_the_future() {
        let mut socket = watcher();
        socket.hear(r#"{"type":"ack","seq":1000000}"#, at(0), 0);
        check(&mut socket, None, &quiet(), at(0)).unwrap();
        let announced = Announced { seq: 4 + 256, certain: true, bytes: 0, at: Box::new(|_| at(1)) };
        assert_eq!(closed(check(&mut socket, None, &announced, at(32))), Some(1013));
    }

    #[test]
    fn what_was_acknowledged_is_not_forgotten_by_a_room_that_lost_its_memory() {
        let mut socket = watcher();
        socket.hear(r#"{"type":"ack","seq":700}"#, at(0), 0);
        let forgetful = Announced { seq: 300, certain: false, bytes: 0, at: Box::new(|_| at(0)) };
        check(&mut socket, None, &forgetful, at(1)).unwrap();
        let awake = Announced { seq: 700, certain: true, bytes: 0, at: Box::new(nothing_announced) };
        assert!(check(&mut socket, None, &awake, at(60)).is_ok());
    }

    #[test]
    fn a_dashboard_of_an_older_deploy_begins_where_it_is_found() {
        let mut socket = watcher();
        let Kind::Watcher { acked, .. } = &mut socket.kind else { panic!() };
        *acked = None;
        let announced = Announced { seq: 100_000, certain: true, bytes: 0, at: Box::new(nothing_announced) };
        assert!(check(&mut socket, None, &announced, at(0)).is_ok());
    }

    #[test]
    fn a_client_without_v1_is_closed_after_4_mib_unheard() {
        let kind = Kind::Watcher { v1: false, acked: None, heard_at_byte: 1000, told: None };
        let mut socket = Attachment::new(kind, Opener::default(), now());
        let bytes = |bytes| Announced { seq: 100_000, certain: true, bytes, at: Box::new(nothing_announced) };
        let limit = 1000 + UNHEARD_BYTES;
        assert!(check(&mut socket, None, &bytes(limit), at(1)).is_ok());
        assert_eq!(closed(check(&mut socket.clone(), None, &bytes(limit + 1), at(1))), Some(1013));
        assert!(check(&mut socket, Some(at(1)), &bytes(limit + 1), at(1)).is_ok(), "a ping is being heard");
        let limit = limit + 1 + UNHEARD_BYTES;
        assert!(check(&mut socket, Some(at(1)), &bytes(limit), at(2)).is_ok(), "counted from that ping");
        assert_eq!(closed(check(&mut socket, Some(at(1)), &bytes(limit + 1), at(2))), Some(1013));
    }
}
