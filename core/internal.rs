//! What the Worker asks of a hospital's room by its RPC method, which no HTTP request reaches.
//!
//! **Invariant:** passwords stay out of the room: it gets a hash, or word that one was verified. Who asks is proved again
//! in the turn that changes something.

use serde::{Deserialize, Serialize};

use crate::{
    SessionId, Timestamp, UserId,
    account::{NewUser, UserEdit},
    auth::{Permission, Principal},
    metrics::{Samples, sample},
    room::Gauges,
    user::UserRecord,
    wire::User,
};

/// A call, answered with a JSON `Result` whose error is an [`crate::ApiError`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomCall {
    /// Who asks, and may they? A denial is recorded. Answered with [`Authorized`].
    Authorize {
        /// Who asks.
        by: Caller,
        /// For what.
        permission: Permission,
    },
    /// Open a session for an account whose password was verified. Answered with [`Opened`].
    OpenSession {
        /// The account that was verified.
        account: VerifiedAccount,
        /// The session.
        session: NewSession,
        /// Where the request came from.
        address: String,
    },
    /// Change the caller's own password, end their sessions, and open another one. Answered with [`Opened`].
    ChangePassword {
        /// Who asks.
        by: Caller,
        /// The version of the account whose current password was verified.
        version: i64,
        /// The hash of the new password.
        password_hash: String,
        /// The session to open.
        session: NewSession,
    },
    /// Give a user a temporary password, good until then. Answered with `null`.
    ResetPassword {
        /// Who asks.
        by: Caller,
        /// Whose password.
        user_id: UserId,
        /// Its hash.
        password_hash: String,
        /// How long it is good.
        #[serde(with = "chrono::serde::ts_milliseconds")]
        until: Timestamp,
    },
    /// Add a user. Answered with a [`User`].
    CreateUser {
        /// Who asks.
        by: Caller,
        /// The user, without the password.
        user: NewUser,
        /// The hash of the password.
        password_hash: String,
    },
    /// Change a user. Answered with a [`User`].
    EditUser {
        /// Who asks.
        by: Caller,
        /// Whom.
        user_id: UserId,
        /// What, without the password.
        edit: UserEdit,
        /// The hash of another password, if there is one.
        password_hash: Option<String>,
    },
    /// What the room measures and has counted. Answered with [`RoomMetrics`].
    Metrics,
}

/// A caller who shows a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The SHA-256 of the token, in hex.
    pub token_digest: String,
    /// Whether Django REST Framework issued the token: the room may not have taken it over yet.
    pub is_imported: bool,
    /// Where the request came from.
    pub address: String,
}

/// An account whose password was verified, as D1 had it then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedAccount {
    /// The user.
    pub user: UserRecord,
    /// Their hospital's revision.
    pub revision: i64,
    /// Their hospital's epoch.
    pub epoch: String,
}

/// A session to open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSession {
    /// The SHA-256 of its token, in hex.
    pub token_digest: String,
    /// What the browser or program calls itself.
    pub user_agent: String,
}

/// A caller who may do what they asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorized {
    /// Who.
    pub who: Principal,
}

/// A session that was opened.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Its row id.
    pub session_id: SessionId,
    /// When it ends by itself.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub expires_at: Timestamp,
    /// Whose it is.
    pub user: User,
}

/// What a room measures, and what it has counted.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoomMetrics {
    /// What there is now.
    pub gauges: Gauges,
    /// What has been counted so far.
    pub samples: Samples,
}

/// The samples of a room; of one that did not answer, that it is not up.
pub fn room_samples(metrics: Option<RoomMetrics>) -> Samples {
    let up = ("room_up".to_string(), f64::from(u8::from(metrics.is_some())));
    let Some(RoomMetrics { gauges, samples }) = metrics else { return vec![up] };
    let sockets = |kind| sample("sockets", "kind", kind);
    let gauges = [
        up,
        (sockets("dashboard"), gauges.dashboards as f64),
        (sockets("connection"), gauges.connections as f64),
        ("people_connected".into(), gauges.people as f64),
        ("latest_seq".into(), gauges.latest.get() as f64),
        ("oldest_seq".into(), gauges.oldest.get() as f64),
        ("archived_seq".into(), gauges.archived.get() as f64),
        ("archive_lag_seconds".into(), gauges.archive_lag_seconds),
        ("doctors".into(), gauges.doctors as f64),
        ("doctors_on_duty".into(), gauges.doctors_on_duty as f64),
        ("doctors_available".into(), gauges.doctors_available as f64),
    ];
    gauges.into_iter().chain(samples).collect()
}
