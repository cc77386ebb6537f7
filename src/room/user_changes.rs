//! Changing users: the room decides, D1 stores, and the room adopts what D1 has stored.
//!
//! **Invariant:** before D1 is asked, a pending row says so, and whatever the change takes away has ended. If D1's answer
//! is lost, the alarm reconciles it by a write that fences a late one. Until then the user cannot sign in.

use chrono::TimeDelta;
use rollcall_core::{
    ApiError, Timestamp, UserId,
    account::{NewUser, UserEdit},
    audit::{Outcome, SecurityEvent},
    auth::{Permission, Principal, may_edit, may_in, may_reset_password},
    error::TokenFault,
    internal::{Caller, NewSession, Opened},
    token::LIFETIME,
    user::UserRecord,
    wire::User,
};

use super::{state::LiveRoom, storage::users::PendingUser};
use crate::{
    d1::user_writes::{self, Fence, Written},
    platform::{clock, faults},
    telemetry::error::{Error, Result},
};

/// A write to D1 that has not been answered by then will not be: its answer is lost.
const ANSWER_WITHIN: TimeDelta = TimeDelta::seconds(5);

impl LiveRoom {
    /// Adds a user.
    pub(super) async fn create_user(&self, by: &Caller, new: &NewUser, password_hash: &str) -> Result<User> {
        let who = self.authorize(by, Permission::CreateUser)?;
        let hospital_id = new.hospital_id.unwrap_or(who.hospital_id);
        self.decide(&who, by, Permission::CreateUser, None, may_in(&who, Permission::CreateUser, hospital_id))?;
        let pending = self.begin(&who, by, Permission::CreateUser, None, &new.email)?;
        let (db, row) = (self.bindings().db()?, self.row().clone());
        let fence = Fence { hospital_id: self.hospital_id(), epoch: &row.epoch };
        let written = user_writes::create(&db, fence, row.revision, new, password_hash).await;
        let user = self.finish(&who, &pending, written).await?;
        Ok(self.to_user(&user))
    }

    /// Changes a user.
    pub(super) async fn edit_user(
        &self,
        by: &Caller,
        user_id: UserId,
        edit: &UserEdit,
        password_hash: Option<&str>,
    ) -> Result<User> {
        let who = self.authorize(by, Permission::EditUser)?;
        // `may_edit` looks at whether there is a password, which stays in the Worker.
        let edit_with_password = UserEdit { password: password_hash.map(str::to_owned), ..edit.clone() };
        let may = |user: &User| may_edit(&who, user, &edit_with_password);
        let user = self.target(&who, by, Permission::EditUser, user_id, may)?;
        let pending = self.begin(&who, by, Permission::EditUser, Some(&user), "")?;
        let role_changes = edit.role.is_some_and(|role| role != user.role);
        if password_hash.is_some() || edit.is_active == Some(false) || role_changes {
            let ids = self.storage.session_ids_of(user_id)?;
            self.end_sessions(&ids, clock::now())?;
        }
        if edit.is_active == Some(false) {
            self.end_access(user_id, clock::now())?;
        }
        let (db, row) = (self.bindings().db()?, self.row().clone());
        let fence = Fence { hospital_id: self.hospital_id(), epoch: &row.epoch };
        let password = password_hash.map(|hash| (hash, None));
        let written = user_writes::edit(&db, fence, (user_id, user.version), edit, password).await;
        let user = self.finish(&who, &pending, written).await?;
        Ok(self.to_user(&user))
    }

    /// Gives a user a temporary password, good until then.
    pub(super) async fn reset_password(
        &self,
        by: &Caller,
        user_id: UserId,
        password_hash: &str,
        until: Timestamp,
    ) -> Result<()> {
        let who = self.authorize(by, Permission::ResetPassword)?;
        let may = |user: &User| may_reset_password(&who, user);
        let user = self.target(&who, by, Permission::ResetPassword, user_id, may)?;
        let pending = self.begin(&who, by, Permission::ResetPassword, Some(&user), "")?;
        self.end_sessions(&self.storage.session_ids_of(user_id)?, clock::now())?;
        let (db, row) = (self.bindings().db()?, self.row().clone());
        let fence = Fence { hospital_id: self.hospital_id(), epoch: &row.epoch };
        let password = Some((password_hash, Some(until)));
        let written = user_writes::edit(&db, fence, (user_id, user.version), &UserEdit::default(), password).await;
        self.finish(&who, &pending, written).await.map(drop)
    }

    /// Changes the caller's own password, whose `version` was verified, ends all their sessions, and opens another one.
    pub(super) async fn change_password(
        &self,
        by: &Caller,
        version: i64,
        password_hash: &str,
        session: &NewSession,
    ) -> Result<Opened> {
        let who = self.authorize(by, Permission::ChangePassword)?;
        let user = self.storage.user(who.user_id)?.filter(|user| user.version == version);
        // Changed meanwhile: what was verified is no longer the password.
        let user = user.ok_or(ApiError::Unavailable)?;
        let pending = self.begin(&who, by, Permission::ChangePassword, Some(&user), "")?;
        let others = self.storage.session_ids_of(who.user_id)?;
        let others: Vec<_> = others.into_iter().filter(|id| *id != who.session_id).collect();
        self.end_sessions(&others, clock::now())?;
        let (db, row) = (self.bindings().db()?, self.row().clone());
        let fence = Fence { hospital_id: self.hospital_id(), epoch: &row.epoch };
        let password = Some((password_hash, None));
        let written = user_writes::edit(&db, fence, (who.user_id, version), &UserEdit::default(), password).await;
        let user = self.finish(&who, &pending, written).await?;
        let now = clock::now();
        self.end_sessions(&self.storage.session_ids_of(who.user_id)?, now)?;
        self.open(&user, session, now)
    }

    /// Opens a session, and ends the oldest ones if there are too many.
    pub(super) fn open(&self, user: &UserRecord, session: &NewSession, now: Timestamp) -> Result<Opened> {
        let (session_id, too_many) =
            self.transaction(|| Ok(self.storage.open_session(user.user_id, session, now)?))?;
        self.end_sessions(&too_many, now)?;
        Ok(Opened { session_id, expires_at: now + LIFETIME, user: self.to_user(user) })
    }

    /// A user as the API shows them.
    pub(super) fn to_user(&self, user: &UserRecord) -> User {
        let row = self.row();
        user.to_user(self.hospital_id(), &row.name, &row.time_zone)
    }

    /// The user of that id, if `may` allows it. What is recorded is the same for somebody elsewhere and for nobody.
    fn target(
        &self,
        who: &Principal,
        by: &Caller,
        permission: Permission,
        user_id: UserId,
        may: impl Fn(&User) -> Result<(), ApiError>,
    ) -> Result<UserRecord> {
        let user = self.storage.user(user_id)?.ok_or(ApiError::NotFound);
        let decision = user.and_then(|user| may(&self.to_user(&user)).map(|()| user));
        self.decide(who, by, permission, Some(user_id), decision)
    }

    /// Notes that a change is on its way to D1.
    fn begin(
        &self,
        who: &Principal,
        by: &Caller,
        action: Permission,
        user: Option<&UserRecord>,
        email: &str,
    ) -> Result<PendingUser> {
        let now = clock::now();
        if self.archive.d1_is_away() || user.map_or(Ok(false), |user| self.storage.is_pending(user.user_id))? {
            return Err(ApiError::Unavailable.into());
        }
        let pending = PendingUser {
            user_id: user.map_or_else(|| self.storage.next_pending_id(), |user| Ok(user.user_id))?,
            version: user.map_or(0, |user| user.version),
            since_ms: now.timestamp_millis(),
            actor_id: who.user_id,
            action,
            email: email.into(),
            address: by.address.clone(),
        };
        self.transaction(|| {
            self.storage.store_pending(&pending)?;
            Ok(self.alarm.arm(now + ANSWER_WITHIN)?)
        })?;
        Ok(pending)
    }

    /// Takes D1's answer.
    async fn finish(
        &self,
        who: &Principal,
        pending: &PendingUser,
        written: worker::Result<Written>,
    ) -> Result<UserRecord> {
        let lost = faults::point("user_written", self.hospital_id()).await;
        match written.and_then(|written| lost.map(|()| written)) {
            Ok(Written::Done(user)) => {
                // First what follows from it: as long as the change is pending, the alarm makes good what fails.
                self.adopt(&user, Some(who))?;
                self.clear_pending(pending, Some(user.user_id))?;
                Ok(self.storage.user(user.user_id)?.unwrap_or(*user))
            }
            Ok(Written::Taken(field)) => {
                self.storage.clear_pending(pending.user_id)?;
                Err(ApiError::Conflict(field.into()).into())
            }
            Ok(Written::Stale) => {
                self.storage.clear_pending(pending.user_id)?;
                self.refresh_users().await?;
                Err(ApiError::Unavailable.into())
            }
            Err(error) => {
                // Perhaps D1 did it. The alarm finds out at once.
                self.storage.store_pending(&PendingUser { since_ms: 0, ..pending.clone() })?;
                self.alarm.arm(clock::now())?;
                Err(error.into())
            }
        }
    }

    /// Finds out what became of changes whose answers were lost.
    pub(super) async fn reconcile_pending(&self) -> Result<()> {
        let lost_before = (clock::now() - ANSWER_WITHIN).timestamp_millis();
        for pending in self.storage.pending_users()?.into_iter().filter(|pending| pending.since_ms <= lost_before) {
            let (db, epoch) = (self.bindings().db()?, self.row().epoch.clone());
            let fence = Fence { hospital_id: self.hospital_id(), epoch: &epoch };
            if pending.user_id.get() < 0 {
                user_writes::fence_creation(&db, fence).await?;
                let known = self.storage.user_by_email(&pending.email)?;
                self.refresh_users().await?;
                let created = self.storage.user_by_email(&pending.email)?.filter(|_| known.is_none());
                self.clear_pending(&pending, created.map(|user| user.user_id))?;
            } else {
                let user = user_writes::reconcile(&db, fence, (pending.user_id, pending.version)).await?;
                // Raised by two to fence it; and by one more if the change was made.
                let was_made = user.as_ref().is_some_and(|user| user.version > pending.version + 2);
                if let Some(user) = user {
                    self.adopt(&user, None)?;
                }
                self.clear_pending(&pending, was_made.then_some(pending.user_id))?;
            }
        }
        Ok(())
    }

    fn clear_pending(&self, pending: &PendingUser, made_to: Option<UserId>) -> Result<()> {
        self.transaction(|| {
            self.storage.clear_pending(pending.user_id)?;
            made_to.map_or(Ok(()), |target_id| self.record_done(pending, target_id))
        })
    }

    fn record_done(&self, pending: &PendingUser, target_id: UserId) -> Result<()> {
        let event = SecurityEvent {
            hospital_id: Some(self.hospital_id()),
            actor_id: Some(pending.actor_id),
            what: rollcall_core::audit::What::Permission(pending.action),
            target_id: (pending.action != Permission::ChangePassword).then_some(target_id),
            outcome: Outcome::Done,
        };
        self.record_security_event(&event, &pending.address)
    }

    /// Who asks through the Worker, if they may.
    pub(super) fn authorize(&self, by: &Caller, permission: Permission) -> Result<Principal> {
        let found = self.session_user(&by.token_digest)?;
        let who = found.ok_or_else(|| Error::Api(ApiError::InvalidToken(TokenFault::NotValid)))?.who;
        let decision = rollcall_core::auth::may(&who, permission).map(|()| who.clone());
        self.decide(&who, by, permission, None, decision)
    }

    /// Passes on what `core/auth.rs` has decided. A denial is recorded.
    fn decide<T>(
        &self,
        who: &Principal,
        by: &Caller,
        permission: Permission,
        target_id: Option<UserId>,
        decision: Result<T, ApiError>,
    ) -> Result<T> {
        if let Err(ApiError::PermissionDenied | ApiError::NotFound) = &decision {
            let event = SecurityEvent::of(who, permission, target_id, Outcome::Denied);
            self.record_security_event(&event, &by.address)?;
        }
        Ok(decision?)
    }
}
