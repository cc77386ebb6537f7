//! What the room's alarm decides about one open socket.

use chrono::TimeDelta;

use crate::{
    ApiError, Seq, Timestamp,
    socket::{Attachment, Kind},
};

/// A client that used to ping and then is silent for this long is gone.
const SILENCE: TimeDelta = TimeDelta::seconds(90);

/// Every socket is checked this often: the runtime answers pings without telling the room, so it does not know when a
/// client begins to ping.
const CHECK_EVERY: TimeDelta = SILENCE;

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
    /// The size of all events so far on the wire.
    pub bytes: i64,
    /// When an event was recorded, or a time after that.
    pub recorded_at: Box<dyn Fn(Seq) -> Timestamp + 'a>,
}

/// When a socket that is opened at `now` is to be checked first.
pub fn first_deadline(socket: &Attachment, now: Timestamp) -> Timestamp {
    socket.session_ends.unwrap_or(Timestamp::MAX_UTC).min(now + CHECK_EVERY)
}

/// Checks an open socket at `now`, and returns when to check it again. `pinged` is when it last pinged, if it ever did;
/// a ping counts as a sign of life.
///
/// # Errors
/// Why it must be closed: [`ApiError::SessionEnded`], [`ApiError::NoHeartbeat`] or [`ApiError::TooSlow`].
pub fn check_liveness(
    socket: &mut Attachment,
    pinged: Option<Timestamp>,
    announced: &Announced<'_>,
    now: Timestamp,
) -> Result<Timestamp, ApiError> {
    let mut deadline = first_deadline(socket, now);
    if deadline <= now {
        return Err(ApiError::SessionEnded);
    }
    if let Some(pinged) = pinged {
        let silent_at = pinged.max(socket.last_activity) + SILENCE;
        if silent_at <= now {
            return Err(ApiError::NoHeartbeat);
        }
        deadline = deadline.min(silent_at);
    }
    let connected_at = socket.connected_at;
    match &mut socket.kind {
        Kind::Connection { .. } => {}
        Kind::Watcher { v1: true, acked, .. } => {
            // Nobody has seen what was not announced yet.
            let seen = acked.unwrap_or(announced.seq).min(announced.seq);
            *acked = Some(seen);
            if announced.seq.get() - seen.get() >= UNACKED_LIMIT {
                // What was recorded before it joined was sent when it joined.
                let too_slow_at = (announced.recorded_at)(seen.next()).max(connected_at) + UNACKED_FOR;
                if too_slow_at < now {
                    return Err(ApiError::TooSlow);
                }
                deadline = deadline.min(too_slow_at + TimeDelta::milliseconds(1));
            }
        }
        Kind::Watcher { v1: false, heard_at_byte, .. } => {
            if let Some(pinged) = pinged.filter(|pinged| *pinged > socket.last_activity) {
                socket.last_activity = pinged;
                *heard_at_byte = announced.bytes;
            }
            if announced.bytes - *heard_at_byte > UNHEARD_BYTES {
                return Err(ApiError::TooSlow);
            }
        }
    }
    Ok(deadline)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::{
        SocketOwner,
        tests::{connection, now, watcher},
    };

    fn at(seconds: i64) -> Timestamp {
        now() + TimeDelta::seconds(seconds)
    }

    fn closed(result: Result<Timestamp, ApiError>) -> Option<u16> {
        result.err().map(|error| error.close_code())
    }

    fn nothing_announced(_: Seq) -> Timestamp {
        panic!("nobody is behind")
    }

    fn quiet() -> Announced<'static> {
        Announced { seq: Seq::new(4), bytes: 0, recorded_at: Box::new(nothing_announced) }
    }

    #[test]
    fn a_client_that_pinged_and_went_silent_for_90_seconds_is_closed() {
        for mut socket in [connection(), watcher()] {
            assert_eq!(
                check_liveness(&mut socket, Some(at(10)), &quiet(), at(99)),
                Ok(at(100)),
                "checked when it is due"
            );
            assert_eq!(closed(check_liveness(&mut socket, Some(at(10)), &quiet(), at(100))), Some(4008));
            socket.last_activity = at(20);
            assert_eq!(
                check_liveness(&mut socket, Some(at(10)), &quiet(), at(100)),
                Ok(at(110)),
                "a message is a sign of life"
            );
        }
    }

    #[test]
    fn a_client_that_never_pinged_is_left_alone_but_checked_again_in_time() {
        assert_eq!(check_liveness(&mut connection(), None, &quiet(), at(10_000)), Ok(at(10_090)));
    }

    #[test]
    fn a_session_that_ends_takes_its_sockets_with_it() {
        let mut socket = watcher();
        socket.session_ends = Some(at(60));
        assert_eq!(first_deadline(&socket, at(0)), at(60));
        assert_eq!(check_liveness(&mut socket, None, &quiet(), at(0)), Ok(at(60)));
        assert_eq!(closed(check_liveness(&mut socket, None, &quiet(), at(60))), Some(4002));
    }

    #[test]
    fn a_v1_dashboard_with_256_events_unacknowledged_for_over_30_seconds_is_closed() {
        let mut socket = watcher();
        let mut at_seconds = |seq: u64, seconds| {
            let announced = Announced {
                seq: Seq::new(seq),
                bytes: 0,
                recorded_at: Box::new(|seq| at(if seq == Seq::new(5) { 10 } else { 10_000 })),
            };
            check_liveness(&mut socket, None, &announced, at(seconds))
        };
        assert_eq!(at_seconds(259, 100), Ok(at(190)), "255 is not too many");
        assert_eq!(at_seconds(260, 40), Ok(at(40) + TimeDelta::milliseconds(1)), "30 seconds is not too long");
        assert_eq!(closed(at_seconds(260, 41)), Some(1013));
    }

    #[test]
    fn an_event_from_before_a_dashboard_joined_was_sent_when_it_joined() {
        let mut socket = watcher();
        let announced = Announced { seq: Seq::new(600), bytes: 0, recorded_at: Box::new(|_| at(-3600)) };
        assert!(check_liveness(&mut socket, None, &announced, at(30)).is_ok());
        assert_eq!(closed(check_liveness(&mut socket, None, &announced, at(31))), Some(1013));
    }

    #[test]
    fn nobody_can_acknowledge_the_future() {
        let mut socket = watcher();
        socket.on_message(r#"{"type":"ack","seq":1000000}"#, at(0), 0);
        check_liveness(&mut socket, None, &quiet(), at(0)).unwrap();
        let announced = Announced { seq: Seq::new(4 + 256), bytes: 0, recorded_at: Box::new(|_| at(1)) };
        assert_eq!(closed(check_liveness(&mut socket, None, &announced, at(32))), Some(1013));
    }

    #[test]
    fn a_dashboard_of_an_older_deploy_begins_where_it_is_found() {
        let mut socket = watcher();
        let Kind::Watcher { acked, .. } = &mut socket.kind else { panic!() };
        *acked = None;
        let announced = Announced { seq: Seq::new(100_000), bytes: 0, recorded_at: Box::new(nothing_announced) };
        assert!(check_liveness(&mut socket, None, &announced, at(0)).is_ok());
    }

    #[test]
    fn a_client_without_v1_is_closed_after_4_mib_unheard() {
        let kind = Kind::Watcher { v1: false, acked: None, heard_at_byte: 1000, last_count_sent: None };
        let mut socket = Attachment::new(kind, SocketOwner::default(), now());
        let bytes = |bytes| Announced { seq: Seq::new(100_000), bytes, recorded_at: Box::new(nothing_announced) };
        let limit = 1000 + UNHEARD_BYTES;
        assert!(check_liveness(&mut socket, None, &bytes(limit), at(1)).is_ok());
        assert_eq!(closed(check_liveness(&mut socket.clone(), None, &bytes(limit + 1), at(1))), Some(1013));
        assert!(check_liveness(&mut socket, Some(at(1)), &bytes(limit + 1), at(1)).is_ok(), "a ping is being heard");
        let limit = limit + 1 + UNHEARD_BYTES;
        assert!(check_liveness(&mut socket, Some(at(1)), &bytes(limit), at(2)).is_ok(), "counted from that ping");
        assert_eq!(closed(check_liveness(&mut socket, Some(at(1)), &bytes(limit + 1), at(2))), Some(1013));
    }
}
