use serde_json::{Value, json};

use super::*;
use crate::import_django::dump::Dump;

const HASH: &str = "pbkdf2_sha256$1000$LxFZxKbOUMBvnvFGn3Iytz$n8yIohp+VvKqmrX2W2o0zhsXMeQqf337m/KmhRBCOx0=";

/// A user with all that one has, but for `fields`.
fn checked(pk: Value, fields: Value) -> Result<Person, String> {
    let mut user =
        json!({"email": "ann@example.com", "username": "ann", "password": HASH, "first_name": "Ann", "role": "doctor"});
    user.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let hospitals = [(1, "North"), (2, "South"), (3, " south ")]
        .map(|(pk, name)| json!({"model": "a.hospital", "pk": pk, "fields": {"name": name}}));
    let dump = json!([{"model": "a.user", "pk": pk, "fields": user}, hospitals[0], hospitals[1], hospitals[2]]);
    let dump = Dump::parse(&dump.to_string(), None).unwrap();
    Person::check(&dump.users[0], &dump.hospitals)
}

fn good(fields: Value) -> Person {
    checked(json!(7), fields).unwrap()
}

fn refused(fields: Value) -> String {
    checked(json!(7), fields).err().unwrap()
}

#[test]
fn a_user_is_checked_as_one_whom_an_administrator_adds() {
    let person = good(json!({"email": " Ann@Example.com ", "consultation_hours": null, "is_active": false}));
    assert_eq!((person.id.get(), &*person.user.email, person.user.is_active), (7, "Ann@Example.com", false));
    assert_eq!((&*person.user.consultation_hours, person.hospital, person.notes.len()), ("", None, 0));
    for (fields, why) in [
        (json!({"email": ""}), "email: Enter a valid email address."),
        (json!({"email": null}), "email: This field is required."),
        (
            json!({"username": "Ann Lee"}),
            "username: Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.",
        ),
        (json!({"first_name": "A".repeat(151)}), "first_name: Ensure this field has no more than 150 characters."),
        (json!({"last_name": "A\0B"}), "last_name: Control characters are not allowed."),
        (json!({"specialization": 7}), "specialization: Not a valid string."),
    ] {
        assert_eq!(refused(fields), why);
    }
    for pk in [json!(0), json!(-1), json!(1_i64 << 31), json!("7"), json!(null), json!(1.5)] {
        assert!(checked(pk, json!({})).is_err());
    }
}

#[test]
fn a_user_without_a_username_signs_in_with_the_email() {
    for fields in [json!({"username": null}), json!({"username": ""})] {
        assert_eq!(good(fields).user.username, "ann@example.com");
    }
}

#[test]
fn a_role_that_is_none_of_ours_comes_from_what_else_is_known() {
    for (fields, role, noted) in [
        (json!({"role": "Admin"}), Role::Admin, false),
        (json!({"role": " USER "}), Role::User, false),
        (json!({"role": "nurse", "is_superuser": true}), Role::Admin, true),
        (json!({"role": null, "is_staff": true}), Role::Admin, true),
        (json!({"role": "", "specialization": "Surgery"}), Role::Doctor, true),
        (json!({"role": 3}), Role::User, true),
        // A default that nobody changed: somebody should look.
        (json!({"role": "doctor", "is_superuser": true}), Role::Doctor, true),
    ] {
        let person = good(fields);
        assert_eq!((person.user.role, !person.notes.is_empty()), (role, noted), "{:?}", person.notes);
    }
}

#[test]
fn a_hospital_is_a_text_or_a_key_of_the_dump() {
    assert_eq!(good(json!({"hospital": " East  Wing "})).hospital.as_deref(), Some("East  Wing"));
    assert_eq!(good(json!({"hospital": 1})).hospital.as_deref(), Some("North"));
    assert_eq!(good(json!({"hospital": " "})).hospital, None);
    assert_eq!(refused(json!({"hospital": 2})), "hospital: two of the dump have the same name");
    assert_eq!(refused(json!({"hospital": 9})), "hospital: it is not in the dump");
    assert!(same_name("East  Wing", " EAST wing"));
    assert!(!same_name("East Wing", "Eastwing"));
}

#[test]
fn a_password_that_cannot_be_verified_is_none() {
    assert_eq!(good(json!({})).password_hash, HASH);
    for stored in [
        json!(""),
        json!(null),
        json!("!aXk3"),
        json!(HASH.replace("$1000$", "$2000001$")),
        json!(HASH.replace("LxF", "L\nF")),
        json!("bcrypt_sha256$$2b$12$abc"),
        json!("argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$aGFzaA"),
        json!("plain"),
    ] {
        let person = good(json!({"password": stored}));
        assert_eq!((person.password_hash.as_str(), person.notes.len()), (UNUSABLE, 1), "{stored}");
        assert!(person.notes[0].ends_with(": an administrator has to reset it"));
    }
}
