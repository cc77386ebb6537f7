//! The replica of the hospital's users, with the state of its doctors, which is the room's own.

use std::sync::LazyLock;

use rollcall_core::{
    Seq, UserId,
    auth::Permission,
    event::{Event, EventKind},
    user::UserRecord,
};
use serde::{Deserialize, Serialize};
use worker::Result;

use super::{RoomStorage, hospital::number, json};
use crate::d1::archive::ArchivedState;

/// A change to a user that D1 has not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingUser {
    /// Whom; a negative number for a user to add.
    pub user_id: UserId,
    /// Their version before the change.
    pub version: i64,
    /// When it was asked for, in milliseconds since 1970.
    pub since_ms: i64,
    /// Who asked.
    pub actor_id: UserId,
    /// For what.
    pub action: Permission,
    /// The email of a user to add; empty for others.
    pub email: String,
    /// Where the request came from.
    pub address: String,
}

const COLUMNS: [&str; 14] = [
    "user_id",
    "version",
    "email",
    "username",
    "first_name",
    "last_name",
    "role",
    "is_active",
    "temporary_until_ms",
    "consultation_hours",
    "specialization",
    "is_live",
    "is_available_for_consultation",
    "live_changed_ms",
];

/// Columns of a doctor's state: those of a row that comes from D1 are only as good as its last flight.
const STATE: [&str; 3] = ["is_live", "is_available_for_consultation", "live_changed_ms"];

/// The user with an id. Built once, because every state call of an administrator runs it.
static BY_ID: LazyLock<String> = LazyLock::new(|| select("WHERE user_id = ?"));

/// The query of users; `rest` says which, and in what order.
fn select(rest: &str) -> String {
    format!("SELECT {} AS json FROM users {rest}", record())
}

/// A [`UserRecord`] as the JSON that it is.
pub(super) fn record() -> String {
    let is_bool = |column| matches!(column, "is_active" | "is_live" | "is_available_for_consultation");
    let field = |column| match is_bool(column) {
        true => format!("'{column}', json(iif({column}, 'true', 'false'))"),
        false => format!("'{column}', {column}"),
    };
    format!("json_object({})", COLUMNS.map(field).join(", "))
}

impl RoomStorage {
    /// Every user.
    pub fn users(&self) -> Result<Vec<UserRecord>> {
        self.query(&select("ORDER BY first_name, last_name, user_id"), vec![])
    }

    /// A user.
    pub fn user(&self, user_id: UserId) -> Result<Option<UserRecord>> {
        self.query_one(&BY_ID, vec![user_id.get().into()])
    }

    /// The user with an email, without regard to case.
    pub fn user_by_email(&self, email: &str) -> Result<Option<UserRecord>> {
        self.query_one(&select("WHERE email = ?"), vec![email.into()])
    }

    /// Stores users as D1 has them, if their version is higher than the one here. The state of those who are here
    /// already stays.
    pub fn store_users(&self, users: &[UserRecord]) -> Result<()> {
        let updates = COLUMNS.iter().filter(|column| !STATE.contains(column));
        let updates = updates.map(|column| format!("{column} = excluded.{column}")).collect::<Vec<_>>().join(", ");
        let values = COLUMNS.map(|column| format!("value ->> '$.{column}'")).join(", ");
        let sql = format!(
            "INSERT INTO users ({}) SELECT {values} FROM json_each(?) WHERE true
             ON CONFLICT (user_id) DO UPDATE SET {updates} WHERE version < excluded.version",
            COLUMNS.join(", ")
        );
        self.exec(&sql, vec![json(&users)?])
    }

    /// Forgets the versions of all users, after D1 was put back: every row that it has replaces the one here.
    pub fn forget_versions(&self) -> Result<()> {
        self.exec("UPDATE users SET version = -1", vec![])
    }

    /// Deactivates a user whom D1 no longer has in this hospital. Any row that D1 has again replaces it.
    pub fn deactivate(&self, user_id: UserId) -> Result<()> {
        self.exec("UPDATE users SET is_active = 0, version = -1 WHERE user_id = ?", vec![user_id.get().into()])
    }

    /// Sets a doctor's state to that after an event.
    pub fn set_state(&self, event: &Event) -> Result<()> {
        let doctor = &event.doctor;
        let changed = matches!(event.kind, EventKind::Login | EventKind::Logout).then(|| event.at.timestamp_millis());
        self.exec(
            "UPDATE users SET is_live = ?, is_available_for_consultation = ?,
               live_changed_ms = COALESCE(?, live_changed_ms) WHERE user_id = ?",
            vec![
                i64::from(doctor.is_live).into(),
                i64::from(doctor.is_available_for_consultation).into(),
                changed.into(),
                doctor.id.get().into(),
            ],
        )
    }

    /// The states of the doctors whom the events from `from` to `to` are about, each after their last event in there.
    pub fn states_after(&self, from: Seq, to: Seq) -> Result<Vec<ArchivedState>> {
        self.query(
            "SELECT json_object('user_id', doctor_id, 'seq', MAX(e.seq), 'is_live', json(iif(e.is_live, 'true', 'false')),
               'is_available_for_consultation', json(iif(e.is_available_for_consultation, 'true', 'false')),
               'live_changed_ms', (SELECT at_ms FROM events l WHERE l.doctor_id = e.doctor_id
                 AND l.seq > ?1 AND l.seq <= ?2 AND l.action <> 'availability' ORDER BY l.seq DESC LIMIT 1)) AS json
             FROM events e WHERE e.seq > ?1 AND e.seq <= ?2 GROUP BY doctor_id",
            vec![number(from), number(to)],
        )
    }

    /// Notes that a change to a user is on its way to D1.
    pub fn store_pending(&self, pending: &PendingUser) -> Result<()> {
        let columns = ["user_id", "version", "since_ms", "actor_id", "action", "email", "address"];
        let values = columns.map(|column| format!("value ->> '$.{column}'")).join(", ");
        let sql =
            format!("INSERT OR REPLACE INTO pending_users ({}) SELECT {values} FROM json_each(?)", columns.join(", "));
        self.exec(&sql, vec![json(&[pending])?])
    }

    /// Changes to users that D1 has not confirmed, the oldest first.
    pub fn pending_users(&self) -> Result<Vec<PendingUser>> {
        let sql =
            "SELECT json_object('user_id', user_id, 'version', version, 'since_ms', since_ms, 'actor_id', actor_id,
            'action', action, 'email', email, 'address', address) AS json FROM pending_users ORDER BY since_ms";
        self.query(sql, vec![])
    }

    /// Whether a change to this user is on its way to D1.
    pub fn is_pending(&self, user_id: UserId) -> Result<bool> {
        let sql = "SELECT json(1) AS json FROM pending_users WHERE user_id = ?";
        Ok(self.query_one::<i64>(sql, vec![user_id.get().into()])?.is_some())
    }

    /// D1 has confirmed a change, or never will.
    pub fn clear_pending(&self, user_id: UserId) -> Result<()> {
        self.exec("DELETE FROM pending_users WHERE user_id = ?", vec![user_id.get().into()])
    }

    /// A negative number for a user to add.
    pub fn next_pending_id(&self) -> Result<UserId> {
        let sql = "SELECT json(MIN(COALESCE(MIN(user_id), 0), 0) - 1) AS json FROM pending_users";
        Ok(self.query_one(sql, vec![])?.unwrap_or(UserId::new(-1)))
    }
}
