//! What was counted, and what can be counted in the database at any time.

use rollcall_core::{Id, metrics::Samples};
use worker::D1Database;

use super::{batch, from_json, int, nullable, patiently, statement};

/// Adds to what was counted before. Not one of those that are counted, or there would always be something to add.
pub async fn add(db: &D1Database, counted: &[(Id, Samples)]) -> worker::Result<()> {
    let sql = "INSERT INTO counters (hospital_id, samples)
         SELECT value ->> 0, value -> 1 FROM json_each(?1) WHERE true
         ON CONFLICT (hospital_id) DO UPDATE SET samples = (
           SELECT json_group_array(json_array(sample, total)) FROM (
             SELECT value ->> 0 AS sample, SUM(value ->> 1) AS total FROM (
               SELECT value FROM json_each(counters.samples) UNION ALL SELECT value FROM json_each(excluded.samples))
             GROUP BY sample))";
    let json = serde_json::to_string(counted)?;
    patiently(statement(db, sql, &[json.into()])?.run()).await?;
    Ok(())
}

/// What was counted, and what the database itself has: of one hospital, or of all, and of none.
pub async fn read(db: &D1Database, hospital_id: Option<Id>) -> worker::Result<Vec<(Id, Samples)>> {
    let counted = "SELECT json_array(hospital_id, json(samples)) AS json FROM counters
         WHERE ?1 IS NULL OR hospital_id = ?1";
    let gauges = "SELECT json_array(h.id, json_array(
           json_array('latest_seq', (SELECT COALESCE(MAX(seq), 0) FROM events WHERE hospital_id = h.id)),
           json_array('oldest_seq', (SELECT COALESCE(MIN(seq), 0) FROM events WHERE hospital_id = h.id)),
           json_array('doctors', COUNT(d.user_id)),
           json_array('doctors_on_duty', TOTAL(d.is_live)),
           json_array('doctors_available', TOTAL(d.is_live AND d.is_available_for_consultation)))) AS json
         FROM hospitals h LEFT JOIN users u ON u.hospital_id = h.id AND u.role = 'doctor' AND u.is_active = 1
           LEFT JOIN doctors d ON d.user_id = u.id
         WHERE ?1 IS NULL OR h.id = ?1 GROUP BY h.id";
    let which = [nullable(hospital_id, int)];
    let [counted, gauges] = batch(db, [statement(db, counted, &which)?, statement(db, gauges, &which)?]).await?;
    let mut hospitals = from_json::<(Id, Samples)>(&gauges)?;
    for (id, samples) in from_json::<(Id, Samples)>(&counted)? {
        match hospitals.iter_mut().find(|(hospital_id, _)| *hospital_id == id) {
            Some((_, known)) => known.extend(samples),
            None => hospitals.push((id, samples)),
        }
    }
    Ok(hospitals)
}
