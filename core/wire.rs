//! Every message that crosses a socket or HTTP, as serde types. `dashboard/src/wire.ts` is generated from this file.
//!
//! **Invariant:** the keys, their order and the texts of the two original applications' messages never change; what
//! is added stands behind them. The tests below pin the literal JSON.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::{HospitalId, Seq, SessionId, Timestamp, UserId};

/// The WebSocket subprotocol of clients that understand snapshots and acknowledge what they received.
pub const SUBPROTOCOL: &str = "rollcall.v1";

/// The nine fields that the original's `PublicDoctorSerializer` shows of a doctor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct DoctorInfo {
    /// The doctor's user id.
    #[cfg_attr(test, ts(type = "number"))]
    #[cfg_attr(feature = "utoipa", schema(value_type = i64))]
    pub id: UserId,
    /// Login name.
    pub username: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Free for a consultation.
    pub is_available_for_consultation: bool,
    /// On duty.
    pub is_live: bool,
    /// Free text, for example `09:00-17:00`.
    pub consultation_hours: String,
    /// Free text, for example `Cardiology`.
    pub specialization: String,
    /// The hospital's name.
    pub hospital: String,
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

/// Which way a doctor went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum LoginAction {
    /// Came on duty.
    Login,
    /// Went off duty.
    Logout,
}

/// A recorded event, as every client has always received it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DoctorEvent {
    /// A doctor came on or went off duty.
    DoctorLoginLogout {
        /// The doctor's user id.
        #[cfg_attr(test, ts(type = "number"))]
        #[cfg_attr(feature = "utoipa", schema(value_type = i64))]
        doctor_id: UserId,
        /// Which way.
        action: LoginAction,
        /// `Dr. <first> <last>`.
        doctor_name: String,
        /// When it was recorded.
        #[cfg_attr(feature = "utoipa", schema(value_type = String, format = DateTime))]
        timestamp: Timestamp,
        /// The sentence to show, in the hospital's time zone.
        message: String,
        /// Position in the hospital's sequence.
        #[cfg_attr(test, ts(type = "number"))]
        #[cfg_attr(feature = "utoipa", schema(value_type = u64))]
        seq: Seq,
        /// Why, where it was not the doctor's own call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        reason: Option<Reason>,
    },
    /// A doctor became free or busy.
    DoctorStatusChange {
        /// The doctor's user id.
        #[cfg_attr(test, ts(type = "number"))]
        #[cfg_attr(feature = "utoipa", schema(value_type = i64))]
        doctor_id: UserId,
        /// Free from now on, or not.
        is_available_for_consultation: bool,
        /// The doctor after the change.
        doctor_info: DoctorInfo,
        /// When it was recorded.
        #[cfg_attr(feature = "utoipa", schema(value_type = String, format = DateTime))]
        timestamp: Timestamp,
        /// Position in the hospital's sequence.
        #[cfg_attr(test, ts(type = "number"))]
        #[cfg_attr(feature = "utoipa", schema(value_type = u64))]
        seq: Seq,
        /// Why, where it was not the doctor's own call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        reason: Option<Reason>,
    },
}

impl DoctorEvent {
    /// Position in the hospital's sequence.
    pub fn seq(&self) -> Seq {
        match self {
            Self::DoctorLoginLogout { seq, .. } | Self::DoctorStatusChange { seq, .. } => *seq,
        }
    }
}

/// What the server says to a dashboard besides events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum WatcherMessage {
    /// The state at `seq`; everything after it follows as events.
    Snapshot {
        /// The latest event that the state contains.
        #[cfg_attr(test, ts(type = "number"))]
        #[cfg_attr(feature = "utoipa", schema(value_type = u64))]
        seq: Seq,
        /// Every active doctor of the hospital, by first, then last name.
        doctors: Vec<DoctorInfo>,
        /// The last ten events, newest first.
        recent: Vec<DoctorEvent>,
        /// Entries of the registry: people with an open `/ws/connect/` socket.
        connections: usize,
        /// When each doctor's `is_live` took its present value, by their id; not there where it never changed.
        #[serde(with = "by_id")]
        #[cfg_attr(test, ts(type = "Record<string, string>"))]
        #[cfg_attr(feature = "utoipa", schema(value_type = std::collections::BTreeMap<String, chrono::DateTime<chrono::Utc>>))]
        live_since: Vec<(UserId, Timestamp)>,
    },
    /// The answer to `?since=`: the missed events came before this, or (`recovered: false`) a snapshot follows.
    Resumed {
        /// The `since` that was asked for.
        #[cfg_attr(test, ts(type = "number"))]
        #[cfg_attr(feature = "utoipa", schema(value_type = u64))]
        from: Seq,
        /// The latest event sent.
        #[cfg_attr(test, ts(type = "number"))]
        #[cfg_attr(feature = "utoipa", schema(value_type = u64))]
        seq: Seq,
        /// Whether everything after `from` was sent.
        recovered: bool,
    },
    /// The number of connected people has changed. Only for a dashboard that asks with `?connections=1`.
    Connections {
        /// Entries of the registry, as in a snapshot.
        connections: usize,
    },
    /// The last frame was not understood.
    Error {
        /// What was wrong with it.
        message: String,
    },
}

/// Times by somebody's id, as a JSON object. A list in memory: nothing is ever looked up in it.
mod by_id {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::{Timestamp, UserId};

    pub fn serialize<S: Serializer>(times: &[(UserId, Timestamp)], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(times.iter().map(|(id, at)| (id, at)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(UserId, Timestamp)>, D::Error> {
        let times = BTreeMap::<String, Timestamp>::deserialize(deserializer)?;
        times.into_iter().map(|(id, at)| Ok((id.parse().map_err(Error::custom)?, at))).collect()
    }
}

/// What a `rollcall.v1` dashboard says to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum WatcherCommand {
    /// Everything up to `seq` has arrived.
    Ack {
        /// The latest event applied.
        #[cfg_attr(test, ts(type = "number"))]
        #[cfg_attr(feature = "utoipa", schema(value_type = u64))]
        seq: Seq,
    },
}

/// What the server says on `/ws/connect/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConnectionMessage {
    /// The first message.
    ConnectionEstablished {
        /// `Connected successfully as <email>`.
        message: String,
    },
    /// The echo of a client's message.
    Message {
        /// `Server received: <text>`.
        message: String,
        /// The sender's email.
        from: String,
    },
    /// The last frame was not understood.
    Error {
        /// What was wrong with it.
        message: String,
    },
}

/// What a client says on `/ws/connect/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct ConnectionCommand {
    /// Any text; it is echoed.
    pub message: String,
}

/// What somebody is at their hospital.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Watches the board, sets any doctor's state, manages users.
    Admin,
    /// Sets their own state.
    Doctor,
    /// Connects and is listed.
    User,
}

impl Role {
    /// As it is stored, and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Doctor => "doctor",
            Self::User => "user",
        }
    }
}

/// A user, as `me` and login show it. A doctor has the five doctor fields too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct User {
    /// The user's id.
    #[cfg_attr(test, ts(type = "number"))]
    #[cfg_attr(feature = "utoipa", schema(value_type = i64))]
    pub id: UserId,
    /// Unique without regard to case.
    pub email: String,
    /// Login name.
    pub username: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// What they are at their hospital.
    pub role: Role,
    /// Deactivated users cannot sign in.
    pub is_active: bool,
    /// They signed in with a temporary password, which is good for choosing another one only. Absent otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub must_change_password: bool,
    /// The hospital they belong to.
    #[cfg_attr(test, ts(type = "number"))]
    #[cfg_attr(feature = "utoipa", schema(value_type = i64))]
    pub hospital_id: HospitalId,
    /// That hospital's time zone, an IANA name; as it is stored, whether there is such a zone or not.
    pub time_zone: String,
    /// Present for doctors only.
    #[serde(flatten)]
    #[cfg_attr(test, ts(skip))]
    #[cfg_attr(feature = "utoipa", schema(value_type = crate::request::DoctorFieldsIfAny))]
    pub doctor: Option<DoctorFields>,
}

/// What a doctor has beyond a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct DoctorFields {
    /// Free for a consultation.
    pub is_available_for_consultation: bool,
    /// On duty.
    pub is_live: bool,
    /// Free text.
    pub consultation_hours: String,
    /// Free text.
    pub specialization: String,
    /// The hospital's name.
    pub hospital: String,
}

/// The answer to a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Login {
    /// For `Authorization: Token <token>`.
    pub token: String,
    /// When the token stops working.
    #[cfg_attr(feature = "utoipa", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
    /// Who signed in.
    pub user: User,
}

/// A page of `GET /api/users/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Users {
    /// How many there are in all.
    pub count: u32,
    /// These of them, by first, then last name.
    pub results: Vec<User>,
}

/// The answer to a password reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct TemporaryPassword {
    /// To be handed over, shown this once.
    pub temporary_password: String,
    /// Until when it may be used to choose another one.
    #[cfg_attr(feature = "utoipa", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
}

/// One of a user's sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct SessionEntry {
    /// The session's id.
    #[cfg_attr(test, ts(type = "number"))]
    #[cfg_attr(feature = "utoipa", schema(value_type = i64))]
    pub id: SessionId,
    /// When they signed in.
    #[cfg_attr(feature = "utoipa", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it ends by itself.
    #[cfg_attr(feature = "utoipa", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
    /// What the browser or program called itself.
    pub user_agent: String,
    /// It is the one that asks.
    pub current: bool,
}

/// The answer of `GET /api/users/sessions/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Sessions {
    /// Newest first.
    pub sessions: Vec<SessionEntry>,
}

/// The answer to `POST /api/ws-ticket/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Ticket {
    /// For the subprotocol `ticket.<value>`, or `?ticket=`; good once.
    pub ticket: String,
    /// When it stops working.
    #[cfg_attr(feature = "utoipa", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
}

/// The answer of `DELETE /api/hms/active-connections/{email}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Disconnected {
    /// Always `success`.
    pub status: Success,
    /// How many sockets were closed.
    pub closed: usize,
}

/// The answer to a state call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct StateAnswer {
    /// Always `success`.
    pub status: Success,
    /// Whether anything changed; a repeated call changes nothing.
    pub changed: bool,
    /// The event's seq, or the hospital's latest when nothing changed.
    #[cfg_attr(test, ts(type = "number"))]
    #[cfg_attr(feature = "utoipa", schema(value_type = u64))]
    pub seq: Seq,
    /// The doctor after the call.
    pub doctor: DoctorInfo,
}

/// The originals' `"status": "success"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Success {
    /// The only value.
    #[default]
    Success,
}

/// One entry of the registry: a person, however many sockets are open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct ActiveConnection {
    /// The person's email.
    pub email: String,
    /// When the oldest open socket was opened.
    #[cfg_attr(feature = "utoipa", schema(value_type = String, format = DateTime))]
    pub connected_at: Timestamp,
    /// When any of them was last heard.
    #[cfg_attr(feature = "utoipa", schema(value_type = String, format = DateTime))]
    pub last_activity: Timestamp,
    /// How many are open: a browser has one for each of its tabs.
    pub sockets: usize,
}

/// The answer of `GET /api/hms/active-connections`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct ActiveConnections {
    /// Always `success`.
    pub status: Success,
    /// How many entries.
    pub count: usize,
    /// The entries, oldest connection first.
    pub active_connections: Vec<ActiveConnection>,
}

/// An event with the one who caused it, as `GET /api/events/` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct RecordedEvent {
    /// The message as it was sent.
    #[serde(flatten)]
    #[cfg_attr(test, ts(flatten))]
    pub event: DoctorEvent,
    /// The user who made the call; null for an automatic logout.
    #[cfg_attr(test, ts(type = "number | null"))]
    #[cfg_attr(feature = "utoipa", schema(value_type = Option<i64>))]
    pub actor_id: Option<UserId>,
}

/// A page of `GET /api/events/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct EventPage {
    /// Ascending by seq.
    pub events: Vec<RecordedEvent>,
    /// The hospital's latest seq.
    #[cfg_attr(test, ts(type = "number"))]
    #[cfg_attr(feature = "utoipa", schema(value_type = u64))]
    pub latest: Seq,
    /// The `since` of the next page, or null at the end and on a page asked for by `before`.
    #[cfg_attr(test, ts(type = "number | null"))]
    #[cfg_attr(feature = "utoipa", schema(value_type = Option<u64>))]
    pub next: Option<Seq>,
    /// The `before` of the page before it, where one was asked for by `before` and there is more in front.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    #[cfg_attr(feature = "utoipa", schema(value_type = Option<u64>))]
    pub previous: Option<Seq>,
}

/// The answer of `GET /healthz`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Health {
    /// Always `ok`.
    pub status: Ok,
    /// The version of Rollcall that answers, for example `1.0.0`.
    pub version: String,
}

/// The only state in which there is an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Ok {
    /// The only value.
    #[default]
    Ok,
}

/// The body of every error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// A sentence for people.
    pub detail: String,
    /// A word for programs.
    pub code: String,
    /// The field at fault, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub field: Option<String>,
}

#[cfg(test)]
mod tests;
