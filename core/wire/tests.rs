//! The literal JSON of the contract, and the TypeScript made from it.

use super::*;
use crate::event::{
    EventKind,
    tests::{ann, event},
};

fn json(message: &impl Serialize) -> String {
    serde_json::to_string(message).unwrap()
}

#[test]
fn login_and_logout_read_as_in_the_original_plus_seq() {
    assert_eq!(
        json(&event(42, EventKind::Login).message()),
        r#"{"type":"doctor_login_logout","doctor_id":7,"action":"login","doctor_name":"Dr. Ann Lee","timestamp":"2026-11-21T09:00:00Z","message":"Dr. Ann Lee logged in at 09:00 AM on November 21, 2026","seq":42}"#
    );
    let mut lost = event(43, EventKind::Logout);
    lost.reason = Some(Reason::ConnectionLost);
    assert_eq!(
        json(&lost.message()),
        r#"{"type":"doctor_login_logout","doctor_id":7,"action":"logout","doctor_name":"Dr. Ann Lee","timestamp":"2026-11-21T09:00:00Z","message":"Dr. Ann Lee logged out at 09:00 AM on November 21, 2026","seq":43,"reason":"connection_lost"}"#
    );
}

#[test]
fn an_availability_change_reads_as_in_the_original_plus_timestamp_and_seq() {
    assert_eq!(
        json(&event(43, EventKind::Availability).message()),
        r#"{"type":"doctor_status_change","doctor_id":7,"is_available_for_consultation":true,"doctor_info":{"id":7,"username":"ann.lee","first_name":"Ann","last_name":"Lee","is_available_for_consultation":true,"is_live":true,"consultation_hours":"09:00-17:00","specialization":"Cardiology","hospital":"General Hospital"},"timestamp":"2026-11-21T09:00:00Z","seq":43}"#
    );
}

#[test]
fn a_dashboards_own_messages() {
    let live_since = vec![(ann().id, event(41, EventKind::Login).at)];
    let snapshot =
        WatcherMessage::Snapshot { seq: Seq::new(41), doctors: vec![], recent: vec![], connections: 2, live_since };
    assert_eq!(
        json(&snapshot),
        r#"{"type":"snapshot","seq":41,"doctors":[],"recent":[],"connections":2,"live_since":{"7":"2026-11-21T09:00:00Z"}}"#
    );
    assert_eq!(serde_json::from_str::<WatcherMessage>(&json(&snapshot)).unwrap(), snapshot);
    let resumed = WatcherMessage::Resumed { from: Seq::new(38), seq: Seq::new(41), recovered: true };
    assert_eq!(json(&resumed), r#"{"type":"resumed","from":38,"seq":41,"recovered":true}"#);
    let connections = WatcherMessage::Connections { connections: 2 };
    assert_eq!(json(&connections), r#"{"type":"connections","connections":2}"#);
    assert_eq!(
        serde_json::from_str::<WatcherCommand>(r#"{"type":"ack","seq":9}"#).unwrap(),
        WatcherCommand::Ack { seq: Seq::new(9) }
    );
}

#[test]
fn a_connections_messages_read_as_in_the_original() {
    let email = "user@example.com";
    assert_eq!(
        json(&ConnectionMessage::ConnectionEstablished { message: format!("Connected successfully as {email}") }),
        r#"{"type":"connection_established","message":"Connected successfully as user@example.com"}"#
    );
    assert_eq!(
        json(&ConnectionMessage::Message { message: "Server received: Hello Server!".into(), from: email.into() }),
        r#"{"type":"message","message":"Server received: Hello Server!","from":"user@example.com"}"#
    );
    assert_eq!(
        json(&ConnectionMessage::Error { message: "Invalid JSON format".into() }),
        r#"{"type":"error","message":"Invalid JSON format"}"#
    );
}

#[test]
fn the_registry_reads_as_in_the_original_plus_the_number_of_sockets() {
    let answer = ActiveConnections {
        status: Success::Success,
        count: 1,
        active_connections: vec![ActiveConnection {
            email: "user1@example.com".into(),
            connected_at: "2025-10-21T12:30:00Z".parse().unwrap(),
            last_activity: "2025-10-21T12:35:00Z".parse().unwrap(),
            sockets: 2,
        }],
    };
    assert_eq!(
        json(&answer),
        r#"{"status":"success","count":1,"active_connections":[{"email":"user1@example.com","connected_at":"2025-10-21T12:30:00Z","last_activity":"2025-10-21T12:35:00Z","sockets":2}]}"#
    );
}

#[test]
fn a_user_shows_doctor_fields_only_for_a_doctor() {
    let doctor = ann();
    let mut user = User {
        id: doctor.id,
        email: "ann.lee@example.com".into(),
        username: "ann.lee".into(),
        first_name: "Ann".into(),
        last_name: "Lee".into(),
        role: Role::Doctor,
        is_active: true,
        must_change_password: false,
        hospital_id: HospitalId::new(1),
        time_zone: "Asia/Kolkata".into(),
        doctor: Some(DoctorFields {
            is_available_for_consultation: true,
            is_live: false,
            consultation_hours: doctor.consultation_hours,
            specialization: doctor.specialization,
            hospital: doctor.hospital,
        }),
    };
    assert_eq!(
        json(&user),
        r#"{"id":7,"email":"ann.lee@example.com","username":"ann.lee","first_name":"Ann","last_name":"Lee","role":"doctor","is_active":true,"hospital_id":1,"time_zone":"Asia/Kolkata","is_available_for_consultation":true,"is_live":false,"consultation_hours":"09:00-17:00","specialization":"Cardiology","hospital":"General Hospital"}"#
    );
    user.doctor = None;
    user.role = Role::User;
    assert_eq!(serde_json::from_str::<User>(&json(&user)).unwrap(), user);
    assert!(json(&user).ends_with(r#""hospital_id":1,"time_zone":"Asia/Kolkata"}"#));
    user.must_change_password = true;
    assert!(
        json(&user)
            .ends_with(r#""is_active":true,"must_change_password":true,"hospital_id":1,"time_zone":"Asia/Kolkata"}"#)
    );
}

#[test]
fn a_recorded_event_is_the_message_plus_its_actor() {
    let recorded = json(&event(1, EventKind::Login).recorded());
    assert!(recorded.starts_with(r#"{"type":"doctor_login_logout","doctor_id":7,"#), "{recorded}");
    assert!(recorded.ends_with(r#","seq":1,"actor_id":7}"#), "{recorded}");
}

#[test]
fn a_page_names_the_one_in_front_only_where_there_is_one() {
    let mut page = EventPage { events: vec![], latest: Seq::new(9), next: Some(Seq::new(4)), previous: None };
    assert_eq!(json(&page), r#"{"events":[],"latest":9,"next":4}"#);
    (page.next, page.previous) = (None, Some(Seq::new(3)));
    assert_eq!(json(&page), r#"{"events":[],"latest":9,"next":null,"previous":3}"#);
}

/// `dashboard/src/wire.ts` is this file's types in TypeScript. `UPDATE=1 cargo test -p rollcall-core` writes it again.
#[test]
fn the_dashboards_types_are_up_to_date() {
    let config = ts_rs::Config::default();
    let mut declarations =
        String::from("// Made from core/wire.rs by `UPDATE=1 cargo test -p rollcall-core`. Do not edit.\n");
    let mut declare = |declaration: String| {
        declarations.push_str("\nexport ");
        declarations.push_str(&declaration);
        declarations.push('\n');
    };
    declare(DoctorInfo::decl(&config));
    declare(LoginAction::decl(&config));
    declare(Reason::decl(&config));
    declare(DoctorEvent::decl(&config));
    declare(WatcherMessage::decl(&config));
    declare(WatcherCommand::decl(&config));
    declare(ConnectionMessage::decl(&config));
    declare(ConnectionCommand::decl(&config));
    declare(Role::decl(&config));
    declare(DoctorFields::decl(&config));
    // ts-rs has no optional flattening: the doctor's fields are added by hand.
    declare(User::decl(&config).replace("};", "} & Partial<DoctorFields>;"));
    declare(Login::decl(&config));
    declare(Users::decl(&config));
    declare(TemporaryPassword::decl(&config));
    declare(SessionEntry::decl(&config));
    declare(Sessions::decl(&config));
    declare(Ticket::decl(&config));
    declare(Success::decl(&config));
    declare(StateAnswer::decl(&config));
    declare(ActiveConnection::decl(&config));
    declare(ActiveConnections::decl(&config));
    declare(Disconnected::decl(&config));
    declare(RecordedEvent::decl(&config));
    declare(EventPage::decl(&config));
    declare(ErrorBody::decl(&config));

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../dashboard/src/wire.ts");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &declarations).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(committed, declarations, "stale: run `UPDATE=1 cargo test -p rollcall-core`");
}
