//! Events as rows: the same columns in D1 and in a room's own SQLite.

/// An event's columns, but the hospital.
pub const COLUMNS: &str =
    "seq, at_ms, utc_offset_s, action, reason, actor_id, doctor_id, username, first_name, last_name,
    is_available_for_consultation, is_live, consultation_hours, specialization, hospital";

/// An [`rollcall_core::event::Event`] as the JSON that it is.
pub const EVENT: &str = "json_object('seq', seq, 'at', at_ms, 'utc_offset', utc_offset_s, 'action', action,
    'reason', reason, 'actor_id', actor_id, 'doctor', json_object('id', doctor_id, 'username', username,
        'first_name', first_name, 'last_name', last_name,
        'is_available_for_consultation', json(iif(is_available_for_consultation, 'true', 'false')),
        'is_live', json(iif(is_live, 'true', 'false')), 'consultation_hours', consultation_hours,
        'specialization', specialization, 'hospital', hospital)) AS json";

/// An event's values, but the hospital, from the JSON `value`.
pub const VALUES: &str = "value ->> '$.seq', value ->> '$.at', value ->> '$.utc_offset', value ->> '$.action',
    value ->> '$.reason', value ->> '$.actor_id', value ->> '$.doctor.id', value ->> '$.doctor.username',
    value ->> '$.doctor.first_name', value ->> '$.doctor.last_name',
    value ->> '$.doctor.is_available_for_consultation', value ->> '$.doctor.is_live',
    value ->> '$.doctor.consultation_hours', value ->> '$.doctor.specialization', value ->> '$.doctor.hospital'";
