//! Doctors with their state.

use rollcall_core::{Id, board::OnRoster, wire::DoctorInfo};
use worker::{D1Database, D1PreparedStatement};

use super::{all, from_json, int, statement};

/// A doctor's nine fields as JSON, in a query that calls the tables `u`, `d` and `h`.
pub(super) const DOCTOR: &str = "json_object('id', u.id, 'username', u.username, 'first_name', u.first_name,
    'last_name', u.last_name, 'is_available_for_consultation', json(iif(d.is_available_for_consultation, 'true', 'false')),
    'is_live', json(iif(d.is_live, 'true', 'false')), 'consultation_hours', d.consultation_hours,
    'specialization', d.specialization, 'hospital', h.name)";

/// Every active doctor of a hospital, by first, then last name.
pub(super) fn roster(db: &D1Database, hospital_id: Id) -> worker::Result<D1PreparedStatement> {
    let sql = format!(
        "SELECT json_object('doctor', {DOCTOR}, 'live_since', d.live_changed_ms) AS json
         FROM users u JOIN doctors d ON d.user_id = u.id JOIN hospitals h ON h.id = u.hospital_id
         WHERE u.hospital_id = ?1 AND u.role = 'doctor' AND u.is_active = 1
         ORDER BY u.first_name, u.last_name, u.id"
    );
    statement(db, &sql, &[int(hospital_id)])
}

/// The doctors of a hospital who are on duty and free, by first, then last name.
pub async fn online(db: &D1Database, hospital_id: Id) -> worker::Result<Vec<DoctorInfo>> {
    let doctors = from_json::<OnRoster>(&all(roster(db, hospital_id)?).await?)?;
    let doctors = doctors.into_iter().map(|entry| entry.doctor);
    Ok(doctors.filter(|doctor| doctor.is_live && doctor.is_available_for_consultation).collect())
}
