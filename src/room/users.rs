//! The replica of the hospital's users: adopting what D1 has.
//!
//! **Invariant:** a row is replaced only by one of a higher version. A user who loses something loses it in this step:
//! sessions and sockets end, and a user who is no longer a doctor goes off duty.

use std::collections::BTreeMap;

use rollcall_core::{
    ApiError, Timestamp, UserId,
    auth::Principal,
    event::DutyChange,
    user::UserRecord,
    wire::{Reason, Role},
};

use super::{duty::Change, state::LiveRoom};
use crate::{
    d1::{
        archive, hospitals, imported_tokens,
        user_writes::{self, Fence},
    },
    platform::clock,
    telemetry::error::Result,
};

impl LiveRoom {
    /// Reads all users again, after D1 was changed from outside.
    pub(super) async fn refresh_users(&self) -> Result<()> {
        self.end_imported_tokens().await?;
        let known = self.storage.users()?;
        let read = hospitals::read(&self.bindings().db()?, self.hospital_id()).await?;
        let Some((hospital, users)) = read else { return Err(ApiError::Unavailable.into()) };
        if hospital.epoch != self.row().epoch {
            // The next flight finds that out.
            return Ok(());
        }
        self.adopt_all(&known, &users)?;
        self.change_row(|row| {
            (row.revision, row.name, row.time_zone) = (hospital.revision, hospital.name, hospital.time_zone);
        })?;
        self.send_users()
    }

    /// Ends the sessions of imported tokens that an import has ended.
    async fn end_imported_tokens(&self) -> Result<()> {
        let tokens = self.storage.imported_tokens()?;
        if tokens.is_empty() {
            return Ok(());
        }
        let digests: Vec<String> = tokens.iter().map(|(digest, _)| digest.clone()).collect();
        let ended = imported_tokens::ended(&self.bindings().db()?, &digests).await?;
        let over: Vec<_> = tokens.iter().filter(|(digest, _)| ended.contains(digest)).map(|(_, id)| *id).collect();
        self.end_sessions(&over, clock::now())
    }

    /// If D1 was put back to an older state: ends every session, adopts D1's users, and lets D1 have again what it lacks.
    pub(super) async fn adopt_epoch(&self) -> Result<()> {
        let _one_at_a_time = self.adopting_epoch.lock().await;
        let (db, known) = (self.bindings().db()?, self.storage.users()?);
        let read = hospitals::read(&db, self.hospital_id()).await?;
        let Some((hospital, users)) = read else { return Err(ApiError::Unavailable.into()) };
        if hospital.epoch == self.row().epoch {
            // A caller knew an older one.
            return Ok(());
        }
        let is_lost = |user: &&UserRecord| users.iter().all(|one| one.user_id != user.user_id);
        let lost: Vec<_> = known.iter().filter(is_lost).cloned().collect();
        let fence = Fence { hospital_id: self.hospital_id(), epoch: &hospital.epoch };
        let mut users = users;
        if !lost.is_empty() {
            user_writes::bring_back(&db, fence, &lost).await?;
            users = hospitals::read(&db, self.hospital_id()).await?.map(|(_, users)| users).unwrap_or(users);
        }
        let (events, security_events) = archive::complete_to(&db, self.hospital_id()).await?;
        self.end_sessions(&self.storage.all_session_ids()?, clock::now())?;
        self.storage.forget_versions()?;
        self.adopt_all(&known, &users)?;
        self.change_row(|row| {
            row.archived_seq = row.archived_seq.min(events);
            row.archived_security = row.archived_security.min(security_events);
            (row.epoch, row.revision) = (hospital.epoch, hospital.revision);
            (row.name, row.time_zone) = (hospital.name, hospital.time_zone);
        })?;
        self.send_users()
    }

    /// Adopts all users that D1 has; of those who were `known` before it was asked, others are not of this hospital any
    /// more.
    fn adopt_all(&self, known: &[UserRecord], users: &[UserRecord]) -> Result<()> {
        let gone = known.iter().filter(|user| user.is_active && users.iter().all(|one| one.user_id != user.user_id));
        for user in gone {
            self.storage.deactivate(user.user_id)?;
            self.take_away(user, None)?;
        }
        self.adopt_rows(&self.storage.users()?, users, None)
    }

    /// Adopts a user that D1 has, after a change by somebody.
    pub(super) fn adopt(&self, user: &UserRecord, by: Option<&Principal>) -> Result<()> {
        let known: Vec<_> = self.storage.user(user.user_id)?.into_iter().collect();
        self.adopt_rows(&known, std::slice::from_ref(user), by)?;
        self.send_users()
    }

    fn adopt_rows(&self, known: &[UserRecord], users: &[UserRecord], by: Option<&Principal>) -> Result<()> {
        let known: BTreeMap<UserId, &UserRecord> = known.iter().map(|user| (user.user_id, user)).collect();
        self.storage.store_users(users)?;
        for user in users {
            let Some(before) = known.get(&user.user_id).filter(|before| before.version < user.version) else {
                continue;
            };
            if !user.is_active || user.role != before.role {
                self.take_away(before, by)?;
            }
            // A doctor who could not be taken off duty when they were deactivated does not come back on duty.
            let comes_back = user.is_active && !before.is_active;
            if (!user.is_active_doctor() || comes_back) && before.is_live {
                self.go_off_duty(user.user_id, by)?;
            }
            if user.email != before.email {
                self.sockets.rename(user.user_id, &user.email)?;
            }
        }
        Ok(())
    }

    /// Ends a user's sessions and sockets, and takes a doctor off duty.
    fn take_away(&self, user: &UserRecord, by: Option<&Principal>) -> Result<()> {
        self.end_access(user.user_id, clock::now())?;
        if user.role == Role::Doctor && user.is_live {
            self.go_off_duty(user.user_id, by)?;
        }
        Ok(())
    }

    fn go_off_duty(&self, doctor_id: UserId, by: Option<&Principal>) -> Result<()> {
        // Also of somebody who was deactivated, or is no doctor any more.
        let Some(doctor) = self.storage.user(doctor_id)? else { return Ok(()) };
        let change = Change {
            doctor,
            change: DutyChange::GoOffDuty,
            reason: by.map_or(Some(Reason::Admin), Principal::reason),
            actor_id: by.map(|who| who.user_id),
        };
        self.change_duty(&change).map(drop)
    }

    /// Ends all of a user's sessions, and closes their sockets, with a session or without.
    pub(super) fn end_access(&self, user_id: UserId, now: Timestamp) -> Result<()> {
        self.end_sessions(&self.storage.session_ids_of(user_id)?, now)?;
        self.close_sockets_of(user_id, &ApiError::SessionEnded)?;
        Ok(())
    }

    /// Puts the users as they are now on the board, and sends it to dashboards that know snapshots.
    pub(super) fn send_users(&self) -> Result<()> {
        let name = self.row().name.clone();
        let doctors = self.storage.users()?.into_iter().filter(UserRecord::is_active_doctor);
        self.board().set_doctors(doctors.map(|user| user.roster_entry(&name)).collect());
        self.send_snapshot();
        Ok(())
    }
}
