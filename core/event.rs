//! What can happen to a doctor, and the text shown for it.
//!
//! **Invariant:** an [`Event`] carries everything that its message shows, so a message read again years later is the
//! one that was sent, whatever the doctor or the hospital are called by then.

use chrono::{
    FixedOffset,
    format::{Fixed, Item, Numeric, Pad},
};
use serde::{Deserialize, Serialize};

use crate::{
    Seq, Timestamp, UserId,
    wire::{DoctorEvent, DoctorInfo, LoginAction, Reason, RecordedEvent},
};

/// A change of a doctor's state that a caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DutyChange {
    /// Come on duty.
    GoOnDuty,
    /// Go off duty.
    GoOffDuty,
    /// Become free for a consultation (`true`), or busy.
    SetAvailability(bool),
}

/// What an event records: the words of the column `events.action`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Came on duty.
    Login,
    /// Went off duty.
    Logout,
    /// Became free or busy; the doctor's fields say which.
    Availability,
}

impl EventKind {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Logout => "logout",
            Self::Availability => "availability",
        }
    }
}

impl DutyChange {
    /// The kind of event that records this change.
    pub fn kind(self) -> EventKind {
        match self {
            Self::GoOnDuty => EventKind::Login,
            Self::GoOffDuty => EventKind::Logout,
            Self::SetAvailability(_) => EventKind::Availability,
        }
    }
}

/// A recorded fact: one row of `events`. Its JSON is what the database answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the hospital's sequence.
    pub seq: Seq,
    /// When it was recorded.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub at: Timestamp,
    /// The hospital's offset from UTC at that moment.
    #[serde(with = "seconds_east")]
    pub utc_offset: FixedOffset,
    /// What happened.
    #[serde(rename = "action")]
    pub kind: EventKind,
    /// Why; `None` for the doctor's own call.
    pub reason: Option<Reason>,
    /// The user who made the call; `None` for an automatic logout.
    pub actor_id: Option<UserId>,
    /// The doctor after the event.
    pub doctor: DoctorInfo,
}

/// `%I:%M %p on %B %d, %Y`, read in advance.
const SHOWN_TIME: [Item<'_>; 11] = [
    Item::Numeric(Numeric::Hour12, Pad::Zero),
    Item::Literal(":"),
    Item::Numeric(Numeric::Minute, Pad::Zero),
    Item::Literal(" "),
    Item::Fixed(Fixed::UpperAmPm),
    Item::Literal(" on "),
    Item::Fixed(Fixed::LongMonthName),
    Item::Literal(" "),
    Item::Numeric(Numeric::Day, Pad::Zero),
    Item::Literal(", "),
    Item::Numeric(Numeric::Year, Pad::Zero),
];

impl Event {
    /// `Dr. <first> <last>`.
    pub fn doctor_name(&self) -> String {
        format!("Dr. {} {}", self.doctor.first_name, self.doctor.last_name)
    }

    /// The message that dashboards receive.
    pub fn message(&self) -> DoctorEvent {
        match self.kind {
            EventKind::Login => self.login_logout(LoginAction::Login, "logged in"),
            EventKind::Logout => self.login_logout(LoginAction::Logout, "logged out"),
            EventKind::Availability => DoctorEvent::DoctorStatusChange {
                doctor_id: self.doctor.id,
                is_available_for_consultation: self.doctor.is_available_for_consultation,
                doctor_info: self.doctor.clone(),
                timestamp: self.at,
                seq: self.seq,
                reason: self.reason,
            },
        }
    }

    /// The message with its actor, as the history shows it.
    pub fn recorded(&self) -> RecordedEvent {
        RecordedEvent { event: self.message(), actor_id: self.actor_id }
    }

    fn login_logout(&self, action: LoginAction, verb: &str) -> DoctorEvent {
        let doctor_name = self.doctor_name();
        let local = self.at.with_timezone(&self.utc_offset).format_with_items(SHOWN_TIME.iter());
        DoctorEvent::DoctorLoginLogout {
            doctor_id: self.doctor.id,
            action,
            message: format!("{doctor_name} {verb} at {local}"),
            doctor_name,
            timestamp: self.at,
            seq: self.seq,
            reason: self.reason,
        }
    }
}

/// An offset from UTC as the database has it, too: in seconds east of it.
mod seconds_east {
    use chrono::{FixedOffset, Offset, Utc};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(offset: &FixedOffset, serializer: S) -> Result<S::Ok, S::Error> {
        offset.local_minus_utc().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FixedOffset, D::Error> {
        Ok(FixedOffset::east_opt(i32::deserialize(deserializer)?).unwrap_or(Utc.fix()))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Dr. Ann Lee, on duty and free.
    pub(crate) fn ann() -> DoctorInfo {
        DoctorInfo {
            id: UserId::new(7),
            username: "ann.lee".into(),
            first_name: "Ann".into(),
            last_name: "Lee".into(),
            is_available_for_consultation: true,
            is_live: true,
            consultation_hours: "09:00-17:00".into(),
            specialization: "Cardiology".into(),
            hospital: "General Hospital".into(),
        }
    }

    pub(crate) fn event(seq: u64, kind: EventKind) -> Event {
        Event {
            seq: Seq::new(seq),
            at: "2026-11-21T09:00:00Z".parse().unwrap(),
            utc_offset: FixedOffset::east_opt(0).unwrap(),
            kind,
            reason: None,
            actor_id: Some(UserId::new(7)),
            doctor: ann(),
        }
    }

    fn sentence(event: &Event) -> String {
        match event.message() {
            DoctorEvent::DoctorLoginLogout { message, .. } => message,
            DoctorEvent::DoctorStatusChange { .. } => panic!("an availability change has no sentence"),
        }
    }

    #[test]
    fn an_event_is_stored_and_read_as_it_was() {
        let mut event = event(42, EventKind::Login);
        event.utc_offset = FixedOffset::east_opt(19_800).unwrap();
        let json = serde_json::to_string(&event).unwrap();
        let stored = r#"{"seq":42,"at":1795251600000,"utc_offset":19800,"action":"login","reason":null,"actor_id":7,"doctor":{"id":7,"#;
        assert!(json.starts_with(stored), "{json}");
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
    }

    #[test]
    fn the_sentence_is_the_originals() {
        assert_eq!(sentence(&event(1, EventKind::Login)), "Dr. Ann Lee logged in at 09:00 AM on November 21, 2026");
        assert_eq!(sentence(&event(1, EventKind::Logout)), "Dr. Ann Lee logged out at 09:00 AM on November 21, 2026");
    }

    #[test]
    fn the_sentence_is_in_the_hospitals_time_zone() {
        let mut late = event(1, EventKind::Logout);
        late.at = "2026-12-31T20:05:00Z".parse().unwrap();
        late.utc_offset = FixedOffset::east_opt(5 * 3600 + 1800).unwrap();
        assert_eq!(sentence(&late), "Dr. Ann Lee logged out at 01:35 AM on January 01, 2027");
    }
}
