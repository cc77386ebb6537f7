//! A user as D1 stores them and a room's replica has them: everything but the password's hash.

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use crate::{
    HospitalId, Timestamp, UserId,
    board::RosterEntry,
    wire::{DoctorFields, DoctorInfo, Role, User},
};

/// A user's row. In a room the state of a doctor is that of the latest event; in D1, that of the latest one archived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// The row id.
    pub user_id: UserId,
    /// Raised with each change. A row is replaced only by one of a higher version.
    pub version: i64,
    /// Unique without regard to case.
    pub email: String,
    /// Login name, unique.
    pub username: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// What they are.
    pub role: Role,
    /// Whether they may sign in.
    pub is_active: bool,
    /// Until when their temporary password is good, in milliseconds since 1970; null if it is their own.
    pub temporary_until_ms: Option<i64>,
    /// Free text; empty unless they are a doctor.
    pub consultation_hours: String,
    /// Free text; empty unless they are a doctor.
    pub specialization: String,
    /// On duty.
    pub is_live: bool,
    /// Free for a consultation.
    pub is_available_for_consultation: bool,
    /// When `is_live` took its value, in milliseconds since 1970; null if it never changed.
    pub live_changed_ms: Option<i64>,
}

impl UserRecord {
    /// Whether they are a doctor whose state may change.
    pub fn is_active_doctor(&self) -> bool {
        self.role == Role::Doctor && self.is_active
    }

    /// Until when their temporary password is good; `None` if it is their own.
    pub fn temporary_until(&self) -> Option<Timestamp> {
        self.temporary_until_ms.and_then(DateTime::from_timestamp_millis)
    }

    /// The doctor's nine fields.
    pub fn doctor_info(&self, hospital: &str) -> DoctorInfo {
        DoctorInfo {
            id: self.user_id,
            username: self.username.clone(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            is_available_for_consultation: self.is_available_for_consultation,
            is_live: self.is_live,
            consultation_hours: self.consultation_hours.clone(),
            specialization: self.specialization.clone(),
            hospital: hospital.into(),
        }
    }

    /// The doctor on the roster of a board.
    pub fn roster_entry(&self, hospital: &str) -> RosterEntry {
        let live_since = self.live_changed_ms.and_then(DateTime::from_timestamp_millis);
        RosterEntry { doctor: self.doctor_info(hospital), live_since }
    }

    /// The user as the API shows them.
    pub fn to_user(&self, hospital_id: HospitalId, hospital: &str, time_zone: &str) -> User {
        let doctor = (self.role == Role::Doctor).then(|| DoctorFields {
            is_available_for_consultation: self.is_available_for_consultation,
            is_live: self.is_live,
            consultation_hours: self.consultation_hours.clone(),
            specialization: self.specialization.clone(),
            hospital: hospital.into(),
        });
        User {
            id: self.user_id,
            email: self.email.clone(),
            username: self.username.clone(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            role: self.role,
            is_active: self.is_active,
            must_change_password: self.temporary_until_ms.is_some(),
            hospital_id,
            time_zone: time_zone.into(),
            doctor,
        }
    }
}
