use serde_json::{Value, json};

use super::*;

const HASH: &str = "pbkdf2_sha256$1000$LxFZxKbOUMBvnvFGn3Iytz$n8yIohp+VvKqmrX2W2o0zhsXMeQqf337m/KmhRBCOx0=";

fn user(pk: i64, fields: Value) -> Value {
    let mut user =
        json!({"email": format!("{pk}@example.com"), "username": format!("u{pk}"), "password": HASH, "role": "doctor"});
    user.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"model": "a.user", "pk": pk, "fields": user})
}

fn token(digit: &str, user_id: Value) -> Value {
    json!({"model": "authtoken.token", "pk": digit.repeat(40), "fields": {"user": user_id}})
}

fn plan(rows: Value, existing: Existing) -> Plan<'static> {
    let hospitals = Hospitals { default: "General Hospital", one: false, time_zone: "UTC" };
    Plan::new(&Dump::parse(&rows.to_string(), None).unwrap(), existing, hospitals)
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.report.to_string().lines().map(str::to_owned).collect()
}

/// Somebody as [`user`] was imported.
fn imported(id: i64) -> User {
    User {
        id: UserId::new(id),
        hospital_id: HospitalId::new(1),
        email: format!("{id}@example.com"),
        username: format!("u{id}"),
        role: "doctor".into(),
        is_active: 1,
        follows_import: Some(1),
        imported_hash: Some(HASH.into()),
        consultation_hours: Some(String::new()),
        specialization: Some(String::new()),
        is_available_for_consultation: Some(0),
        is_live: Some(0),
        ..User::default()
    }
}

fn with(users: Vec<User>) -> Existing {
    let hospitals = vec![Hospital { id: HospitalId::new(1), name: "General Hospital".into() }];
    Existing { hospitals, users, ..Existing::default() }
}

#[test]
fn of_two_with_one_email_or_username_the_older_one_has_it() {
    let rows = json!([
        user(3, json!({"email": "ANN@example.com"})),
        user(2, json!({"email": "ann@example.com"})),
        user(4, json!({"username": "u2"})),
        user(4, json!({})),
        user(4, json!({})),
        user(5, json!({"email": "9@example.com"})),
    ]);
    let plan = plan(rows, with(vec![imported(9)]));
    assert_eq!(
        lines(&plan)[..6],
        [
            "imported  user 2: doctor, hospital 1",
            "refused   user 3: email: it is that of user 2",
            "refused   user 4: username: it is that of user 2",
            "imported  user 4: doctor, hospital 1",
            "refused   user 4: another row has that key",
            "refused   user 5: email: it is that of user 9",
        ]
    );
    assert_eq!(plan.report.refused(), 4);
}

#[test]
fn hospitals_are_those_of_their_names_and_new_ones_where_there_are_none() {
    let existing = Existing {
        hospitals: [(4, "North"), (6, "Twin"), (7, "twin")]
            .map(|(id, name)| Hospital { id: HospitalId::new(id), name: name.into() })
            .into(),
        ..Existing::default()
    };
    let named = |pk, name| user(pk, json!({"hospital": name}));
    let rows = json!([named(1, "NORTH"), named(2, "South"), named(3, " south "), named(4, ""), named(5, "Twin")]);
    let plan = plan(rows, existing);
    assert_eq!(
        lines(&plan)[..7],
        [
            "imported  user 1: doctor, hospital 4",
            "imported  hospital 8: South",
            "imported  user 2: doctor, hospital 8",
            "imported  user 3: doctor, hospital 8",
            "imported  hospital 9: General Hospital",
            "imported  user 4: doctor, hospital 9",
            "refused   user 5: hospital: two have that name already",
        ]
    );
    assert_eq!(plan.warnings.len(), 3, "nobody administers them");
}

#[test]
fn an_account_that_was_not_imported_is_left_alone() {
    let here =
        |id, email: &str| User { email: email.into(), follows_import: None, imported_hash: None, ..imported(id) };
    let existing = with(vec![here(1, "1@EXAMPLE.com"), here(2, "first@example.com")]);
    let plan = plan(json!([user(1, json!({"first_name": "New"})), user(2, json!({}))]), existing);
    assert_eq!(lines(&plan)[0], "unchanged user 1: added in Rollcall, not imported");
    assert_eq!(lines(&plan)[1], "refused   user 2: somebody else has that id");
    assert_eq!(plan.sql, "");
}

#[test]
fn the_users_of_another_application_change_nobody() {
    let existing = with(vec![imported(1), imported(2), imported(3)]);
    let other = json!({"email": "other@example.com", "username": "other"});
    let rows =
        json!([user(1, other), user(2, json!({"email": "new@example.com"})), user(3, json!({"username": "new"}))]);
    let plan = plan(rows, existing);
    assert_eq!(
        lines(&plan)[..3],
        ["refused   user 1: somebody else has that id", "changed   user 2: email", "changed   user 3: username"]
    );
}

#[test]
fn importing_again_changes_what_changed_in_django_and_nothing_that_changed_here() {
    let changed =
        json!({"first_name": "New", "is_available_for_consultation": true, "password": HASH.replace("LxF", "XxF")});
    for (old, told) in [
        (imported(1), "changed   user 1: first_name, is_available_for_consultation, password"),
        (User { has_events: 1, ..imported(1) }, "changed   user 1: first_name, password"),
        (User { imported_hash: None, ..imported(1) }, "changed   user 1: first_name, is_available_for_consultation"),
        (User { follows_import: Some(0), ..imported(1) }, "changed   user 1: password"),
        (
            User { follows_import: Some(0), imported_hash: None, ..imported(1) },
            "unchanged user 1: edited in Rollcall since it was imported",
        ),
    ] {
        let plan = plan(json!([user(1, changed.clone())]), with(vec![old]));
        assert_eq!(lines(&plan)[0], told);
    }
    let same = plan(json!([user(1, json!({}))]), with(vec![imported(1)]));
    assert_eq!((lines(&same)[0].as_str(), same.sql.as_str()), ("unchanged user 1: as it was imported", ""));
}

#[test]
fn a_change_that_takes_something_away_ends_tokens_and_waits_for_the_end_of_a_duty() {
    for (fields, name) in [
        (json!({"role": "user"}), "role"),
        (json!({"is_active": false}), "is_active"),
        (json!({"hospital": "North"}), "hospital"),
    ] {
        let rows = json!([user(1, fields)]);
        let changed = plan(rows.clone(), with(vec![imported(1)]));
        assert!(lines(&changed).contains(&format!("changed   user 1: {name}")), "{}", changed.report);
        assert!(changed.sql.contains("UPDATE imported_tokens SET ended_ms"));
        let on_duty = plan(rows, with(vec![User { is_live: Some(1), ..imported(1) }]));
        assert!(
            lines(&on_duty).contains(&format!("refused   user 1: {name}: cannot change while the doctor is on duty"))
        );
        assert!(!on_duty.sql.contains("UPDATE"));
    }
}

#[test]
fn a_token_is_taken_once_and_only_of_a_user_who_has_not_signed_in_here() {
    let rows = json!([
        user(1, json!({})),
        user(2, json!({})),
        user(3, json!({"is_active": false})),
        token("a", json!(1)),
        token("b", json!(2)),
        token("c", json!(3)),
        token("d", json!(4)),
        token("e", json!(["ann"])),
        {"model": "authtoken.token", "pk": "abc", "fields": {"user": 1}},
        {"model": "authtoken.token", "pk": "f".repeat(64), "fields": {"user": 1}},
        token("f", json!(1)),
    ]);
    let tokens = |plan: &Plan| lines(plan).into_iter().filter(|line| line.contains(" token of ")).collect::<Vec<_>>();
    let first = plan(rows.clone(), with(vec![]));
    assert_eq!(
        tokens(&first),
        [
            "imported  token of user 1: good for ten hours from now",
            "imported  token of user 2: good for ten hours from now",
            "unchanged token of user 3: its user is deactivated",
            "refused   token of user 4: its user is not there",
            "refused   token of user ?: its user is not named by a number",
            "refused   token of user 1: it does not have 40 hexadecimal digits",
            "refused   token of user 1: it does not have 40 hexadecimal digits",
            "imported  token of user 1: good for ten hours from now",
        ]
    );
    assert!(!first.sql.contains(&"a".repeat(40)) && !first.sql.contains(&"f".repeat(40)), "only their digests");
    let signed_in = User { imported_hash: None, ..imported(2) };
    let again = plan(rows, Existing { tokens: first.existing.tokens, ..with(vec![imported(1), signed_in]) });
    assert_eq!(tokens(&again)[0], "unchanged token of user 1: it was imported before");
    assert_eq!(tokens(&again)[1], "unchanged token of user 2: it was imported before");
    assert!(!again.sql.contains("INSERT OR IGNORE INTO imported_tokens"));
}

#[test]
fn a_statement_is_never_longer_than_d1_takes() {
    let long = "'".repeat(255);
    let fields = json!({"first_name": &long[..150], "last_name": &long[..150], "specialization": long, "consultation_hours": long, "hospital": long});
    let plan = plan(json!([user(1, fields)]), Existing::default());
    let longest = plan.sql.split(";\n").map(str::len).max().unwrap();
    assert!(plan.report.refused() == 0 && longest < 10_000, "{longest}");
}

#[test]
fn each_hospital_whose_users_are_written_finds_out_and_no_other() {
    let hospitals = [(1, "General Hospital"), (2, "North"), (3, "South")];
    let hospitals = hospitals.map(|(id, name)| Hospital { id: HospitalId::new(id), name: name.into() });
    let existing = |users| Existing { hospitals: hospitals.clone().into(), users, ..Existing::default() };
    let told = |plan: &Plan| -> Vec<String> {
        let raised =
            plan.sql.lines().filter_map(|line| line.strip_prefix("UPDATE hospitals SET revision = revision + 1 "));
        raised.map(str::to_owned).collect()
    };
    let added =
        plan(json!([user(1, json!({})), user(2, json!({})), user(3, json!({"hospital": "North"}))]), existing(vec![]));
    assert_eq!(told(&added), ["WHERE id = 1;", "WHERE id = 2;"]);
    assert!(!added.sql.contains("version"), "a new user begins with the first version");

    let rows = json!([user(1, json!({"hospital": "South"})), user(2, json!({}))]);
    let moved = plan(rows, existing(vec![imported(1), imported(2)]));
    assert_eq!(told(&moved), ["WHERE id = 1;", "WHERE id = 3;"]);
    assert!(moved.sql.contains("UPDATE users SET version = version + 1 WHERE id = 1;"));
    assert!(!moved.sql.contains("version + 1 WHERE id = 2;"));
}
