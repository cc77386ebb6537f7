//! Doctors with their state.

use rollcall_core::{Id, board::OnRoster, wire::DoctorInfo};
use serde::Deserialize;
use worker::{D1Database, D1PreparedStatement};

use super::{all, flag, int, statement};
use crate::clock;

/// A doctor's nine fields, as D1 gives them.
#[derive(Deserialize)]
pub(super) struct DoctorRow {
    doctor_id: Id,
    username: String,
    first_name: String,
    last_name: String,
    #[serde(deserialize_with = "flag")]
    is_available_for_consultation: bool,
    #[serde(deserialize_with = "flag")]
    is_live: bool,
    consultation_hours: String,
    specialization: String,
    hospital: String,
    /// An event's row has none.
    #[serde(default)]
    live_changed_ms: Option<i64>,
}

impl From<DoctorRow> for OnRoster {
    fn from(row: DoctorRow) -> Self {
        let live_since = row.live_changed_ms.map(clock::from_millis);
        Self { doctor: row.into(), live_since }
    }
}

impl From<DoctorRow> for DoctorInfo {
    fn from(row: DoctorRow) -> Self {
        Self {
            id: row.doctor_id,
            username: row.username,
            first_name: row.first_name,
            last_name: row.last_name,
            is_available_for_consultation: row.is_available_for_consultation,
            is_live: row.is_live,
            consultation_hours: row.consultation_hours,
            specialization: row.specialization,
            hospital: row.hospital,
        }
    }
}

/// A doctor's nine fields as JSON, in a query that calls the tables `u`, `d` and `h`: one value crosses from the runtime
/// instead of nine.
pub(super) const DOCTOR: &str = "json_object('id', u.id, 'username', u.username, 'first_name', u.first_name,
    'last_name', u.last_name, 'is_available_for_consultation', json(iif(d.is_available_for_consultation, 'true', 'false')),
    'is_live', json(iif(d.is_live, 'true', 'false')), 'consultation_hours', d.consultation_hours,
    'specialization', d.specialization, 'hospital', h.name)";

/// The active doctors of hospital `?1`.
const DOCTORS: &str = "SELECT u.id AS doctor_id, u.username, u.first_name, u.last_name,
            d.is_available_for_consultation, d.is_live, d.consultation_hours, d.specialization, h.name AS hospital,
            d.live_changed_ms
     FROM users u JOIN doctors d ON d.user_id = u.id JOIN hospitals h ON h.id = u.hospital_id
     WHERE u.hospital_id = ?1 AND u.role = 'doctor' AND u.is_active = 1";

/// Every active doctor of a hospital, by first, then last name.
pub(super) fn roster(db: &D1Database, hospital_id: Id) -> worker::Result<D1PreparedStatement> {
    statement(db, &format!("{DOCTORS} ORDER BY u.first_name, u.last_name, u.id"), &[int(hospital_id)])
}

/// The doctors of a hospital who are on duty and free, by first, then last name.
pub async fn online(db: &D1Database, hospital_id: Id) -> worker::Result<Vec<DoctorInfo>> {
    let doctors = all(roster(db, hospital_id)?).await?.results::<DoctorRow>()?;
    Ok(doctors
        .into_iter()
        .map(DoctorInfo::from)
        .filter(|doctor| doctor.is_live && doctor.is_available_for_consultation)
        .collect())
}
