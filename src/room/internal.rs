//! Calls of the Worker, which no HTTP request reaches.

use std::rc::Rc;

use rollcall_core::{
    ApiError,
    audit::{Outcome, SecurityEvent, What},
    internal::{Authorized, NewSession, Opened, RoomCall, RoomMetrics, VerifiedAccount},
    room::Gauges,
};
use serde::Serialize;
use serde_json::Value;

use super::{parts::alarm::FLIGHT_AFTER, state::LiveRoom, storage::sessions::SessionUser};
use crate::{d1::security_events::COALESCE, platform::clock, telemetry::error::Result};

impl LiveRoom {
    /// Answers a call, with JSON for JSON.
    pub(super) async fn answer(self: Rc<Self>, json: &str) -> Result<Value> {
        let call = serde_json::from_str(json).map_err(worker::Error::from)?;
        if matches!(call, RoomCall::Metrics) && !self.storage.is_initialized()? {
            // To look at a room is no reason to make one.
            return to_value(RoomMetrics::default());
        }
        self.ready().await?;
        self.alarm_after_waking()?;
        match call {
            RoomCall::Authorize { by, permission } => {
                if by.is_imported {
                    self.take_over_token(&by.token_digest).await?;
                }
                to_value(Authorized { who: self.authorize(&by, permission)? })
            }
            RoomCall::OpenSession { account, session, address } => {
                to_value(self.open_session(&account, &session, &address).await?)
            }
            RoomCall::ChangePassword { by, version, password_hash, session } => {
                to_value(self.change_password(&by, version, &password_hash, &session).await?)
            }
            RoomCall::ResetPassword { by, user_id, password_hash, until } => {
                to_value(self.reset_password(&by, user_id, &password_hash, until).await?)
            }
            RoomCall::CreateUser { by, user, password_hash } => {
                to_value(self.create_user(&by, &user, &password_hash).await?)
            }
            RoomCall::EditUser { by, user_id, edit, password_hash } => {
                to_value(self.edit_user(&by, user_id, &edit, password_hash.as_deref()).await?)
            }
            RoomCall::Metrics => to_value(self.metrics()?),
        }
    }

    /// Opens a session for an account whose password was verified, unless it has changed meanwhile.
    async fn open_session(&self, account: &VerifiedAccount, session: &NewSession, address: &str) -> Result<Opened> {
        if account.epoch != self.row().epoch {
            self.adopt_epoch().await?;
        } else if account.revision != self.row().revision {
            self.refresh_users().await?;
        }
        let user_id = account.user.user_id;
        if self.storage.is_pending(user_id)? {
            return Err(ApiError::Unavailable.into());
        }
        let known = self.storage.user(user_id)?;
        if known.as_ref().is_none_or(|known| known.version < account.user.version) {
            self.adopt(&account.user, None)?;
        }
        let user = self.storage.user(user_id)?;
        let user = user.filter(|user| user.is_active && user.version == account.user.version);
        // Changed since it was verified.
        let user = user.ok_or(ApiError::Unavailable)?;
        let now = clock::now();
        let opened = self.open(&user, session, now)?;
        let event = SecurityEvent {
            hospital_id: Some(self.hospital_id()),
            actor_id: Some(user_id),
            what: What::SignIn,
            target_id: None,
            outcome: Outcome::Done,
        };
        self.record_security_event(&event, address)?;
        Ok(opened)
    }

    /// Whom a token with that digest speaks for now, if for anybody.
    pub(super) fn session_user(&self, digest: &str) -> Result<Option<SessionUser>> {
        Ok(self.storage.session_user(digest, clock::now(), self.hospital_id())?)
    }

    /// Records a security event. It is archived when its minute is over.
    pub(super) fn record_security_event(&self, event: &SecurityEvent, address: &str) -> Result<()> {
        let now = clock::now();
        self.storage.record(event, address, now)?;
        Ok(self.alarm.arm(now + COALESCE + FLIGHT_AFTER)?)
    }

    /// What the room measures now, and has counted so far.
    pub(super) fn metrics(&self) -> Result<RoomMetrics> {
        self.store_counts()?;
        let board = self.board();
        let on_duty = board.doctors().iter().filter(|entry| entry.doctor.is_live).count();
        let (dashboards, connections) = self.sockets.counts();
        let gauges = Gauges {
            dashboards,
            connections,
            people: self.connections.count(&self.sockets),
            latest: board.seq(),
            archived: self.row().archived_seq,
            archive_lag_seconds: self.archive_lag_seconds()?,
            doctors: board.doctors().len(),
            doctors_on_duty: on_duty,
            doctors_available: board.online().count(),
            oldest: self.storage.oldest_seq()?.unwrap_or_default(),
        };
        Ok(RoomMetrics { gauges, samples: self.storage.counts()? })
    }
}

fn to_value(answer: impl Serialize) -> Result<Value> {
    Ok(serde_json::to_value(answer).map_err(worker::Error::from)?)
}
