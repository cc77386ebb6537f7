//! What can happen to a doctor, and the text shown for it.
//!
//! **Invariant:** an [`Event`] carries everything that its message shows, so a message read again years later is the
//! one that was sent, whatever the doctor or the hospital are called by then.

use chrono::{
    FixedOffset, SecondsFormat,
    format::{Fixed, Item, Numeric, Pad},
};
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::{
    Id, Seq, Timestamp,
    wire::{DoctorEvent, DoctorInfo, LoginAction, RecordedEvent},
};

/// A change to a doctor's state that somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Come on duty.
    Login,
    /// Go off duty.
    Logout,
    /// Become free for a consultation (`true`), or busy.
    Availability(bool),
}

/// What an event records. As stored in `events.action`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Came on duty.
    Login,
    /// Went off duty.
    Logout,
    /// Became free or busy; the doctor's fields say which.
    Availability,
}

impl Action {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Logout => "logout",
            Self::Availability => "availability",
        }
    }
}

impl Change {
    /// What the event of this change records.
    pub fn action(self) -> Action {
        match self {
            Self::Login => Action::Login,
            Self::Logout => Action::Logout,
            Self::Availability(_) => Action::Availability,
        }
    }
}

/// Why something happened without the doctor's own call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The doctor's last connection went away and did not return within the grace.
    ConnectionLost,
    /// An administrator did it.
    Admin,
}

impl Reason {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionLost => "connection_lost",
            Self::Admin => "admin",
        }
    }
}

/// A recorded fact: one row of `events`. As JSON it comes from the database, and goes from a room to its relays.
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
    pub action: Action,
    /// Why, where it was not the doctor's own call.
    pub reason: Option<Reason>,
    /// Who made the call; nobody for an automatic logout.
    pub actor_id: Option<Id>,
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
        match self.action {
            Action::Login => self.login_logout(LoginAction::Login, "logged in"),
            Action::Logout => self.login_logout(LoginAction::Logout, "logged out"),
            Action::Availability => DoctorEvent::DoctorStatusChange {
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

    /// The event as a row of the CSV export, whose columns are [`CSV_HEADER`].
    pub fn csv_row(&self) -> [String; 9] {
        let login_logout = matches!(self.action, Action::Login | Action::Logout);
        let available = self.doctor.is_available_for_consultation;
        [
            self.seq.to_string(),
            self.at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            if login_logout { "doctor_login_logout" } else { "doctor_status_change" }.to_string(),
            if login_logout { self.action.as_str().to_string() } else { String::new() },
            self.doctor.id.to_string(),
            self.doctor_name(),
            if login_logout { String::new() } else { available.to_string() },
            self.reason.map_or(String::new(), |reason| reason.as_str().to_string()),
            self.actor_id.map_or(String::new(), |actor_id| actor_id.to_string()),
        ]
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

/// The columns of `GET /api/events/` with `Accept: text/csv`.
pub const CSV_HEADER: [&str; 9] = [
    "seq",
    "timestamp",
    "type",
    "action",
    "doctor_id",
    "doctor_name",
    "is_available_for_consultation",
    "reason",
    "actor_id",
];

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Dr. Ann Lee, on duty and free.
    pub(crate) fn ann() -> DoctorInfo {
        DoctorInfo {
            id: 7,
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

    pub(crate) fn event(seq: Seq, action: Action) -> Event {
        Event {
            seq,
            at: "2026-11-21T09:00:00Z".parse().unwrap(),
            utc_offset: FixedOffset::east_opt(0).unwrap(),
            action,
            reason: None,
            actor_id: Some(7),
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
    fn the_sentence_is_the_originals() {
        assert_eq!(sentence(&event(1, Action::Login)), "Dr. Ann Lee logged in at 09:00 AM on November 21, 2026");
        assert_eq!(sentence(&event(1, Action::Logout)), "Dr. Ann Lee logged out at 09:00 AM on November 21, 2026");
    }

    #[test]
    fn the_sentence_is_in_the_hospitals_time_zone() {
        let mut late = event(1, Action::Logout);
        late.at = "2026-12-31T20:05:00Z".parse().unwrap();
        late.utc_offset = FixedOffset::east_opt(5 * 3600 + 1800).unwrap();
        assert_eq!(sentence(&late), "Dr. Ann Lee logged out at 01:35 AM on January 01, 2027");
    }
}
