//! The history as a table: CSV (RFC 4180), for `GET /api/events/` with `Accept: text/csv`.

use chrono::SecondsFormat;

use crate::event::{Event, EventKind};

/// The columns.
pub const CSV_HEADER: [&str; 9] = [
    "seq",
    "timestamp",
    "type",
    "action",
    "doctor_id",
    "doctor_name",
    "is_available_for_consultation",
    "reason",
    "actor_id",
];

/// `events` as CSV, with a header. `None` never happens: neither writing to memory nor text can fail.
pub fn csv<'a>(events: impl IntoIterator<Item = &'a Event>) -> Option<String> {
    let mut writer = csv::Writer::from_writer(vec![]);
    writer.write_record(CSV_HEADER).ok()?;
    for event in events {
        writer.write_record(row(event)).ok()?;
    }
    String::from_utf8(writer.into_inner().ok()?).ok()
}

fn row(event: &Event) -> [String; 9] {
    let on_or_off_duty = matches!(event.kind, EventKind::Login | EventKind::Logout);
    let available = event.doctor.is_available_for_consultation;
    [
        event.seq.to_string(),
        event.at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        if on_or_off_duty { "doctor_login_logout" } else { "doctor_status_change" }.to_string(),
        if on_or_off_duty { event.kind.as_str().to_string() } else { String::new() },
        event.doctor.id.to_string(),
        event.doctor_name(),
        if on_or_off_duty { String::new() } else { available.to_string() },
        event.reason.map_or(String::new(), |reason| reason.as_str().to_string()),
        event.actor_id.map_or(String::new(), |actor_id| actor_id.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::tests::event;

    const HEADER: &str =
        "seq,timestamp,type,action,doctor_id,doctor_name,is_available_for_consultation,reason,actor_id\n";

    fn of(kind: EventKind, first_name: &str) -> Event {
        let mut event = event(1, kind);
        event.doctor.first_name = first_name.into();
        event
    }

    #[test]
    fn a_history_without_events_is_a_header() {
        assert_eq!(csv([]).as_deref(), Some(HEADER));
    }

    #[test]
    fn a_quote_in_a_name_stays_in_the_name() {
        let events = [of(EventKind::Login, "O\"Neil, Ann"), of(EventKind::Availability, "two\nlines")];
        let rows = "1,2026-11-21T09:00:00Z,doctor_login_logout,login,7,\"Dr. O\"\"Neil, Ann Lee\",,,7\n\
                    1,2026-11-21T09:00:00Z,doctor_status_change,,7,\"Dr. two\nlines Lee\",true,,7\n";
        assert_eq!(csv(&events), Some(format!("{HEADER}{rows}")));
    }

    proptest! {
        #[test]
        fn a_written_table_is_read_back_as_it_was(names: Vec<String>) {
            let events: Vec<Event> = names.iter().map(|name| of(EventKind::Logout, name)).collect();
            let text = csv(&events).unwrap();
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let read: Vec<[String; 9]> = reader.deserialize().map(Result::unwrap).collect();
            prop_assert_eq!(read, events.iter().map(row).collect::<Vec<_>>());
        }
    }
}
