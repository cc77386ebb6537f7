use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn fields(body: &Value) -> Fields {
    Fields::parse(body.to_string().as_bytes()).unwrap()
}

fn fault(body: Value) -> Option<String> {
    let error = UserEdit::parse(&fields(&body)).err()?.body();
    assert_eq!(error.code, "invalid_request");
    error.field
}

#[test]
fn a_new_user_needs_an_email_a_role_and_a_password() {
    let full = json!({"email": " Ann@example.com ", "role": "doctor", "password": "  secret  "});
    let user = NewUser::parse(&fields(&full)).unwrap();
    assert_eq!((user.email.as_str(), user.username.as_str()), ("Ann@example.com", "Ann@example.com"));
    assert_eq!((user.password.as_str(), user.is_active), ("  secret  ", true));
    for name in ["email", "role", "password"] {
        let mut body = full.clone();
        body.as_object_mut().unwrap().remove(name);
        let error = NewUser::parse(&fields(&body)).err().unwrap().body();
        assert_eq!((error.detail.as_str(), error.field.as_deref()), ("This field is required.", Some(name)));
    }
}

#[test]
fn a_field_at_fault_is_named() {
    for email in ["", "ann", "@", "a@", "@b", "a@b@c", "a b@c", "é@example.com", &format!("{}@b", "a".repeat(254))] {
        assert_eq!(fault(json!({"email": email})).as_deref(), Some("email"), "{email}");
    }
    for username in ["", " ", "a b", "a\u{0}b", "<b>", &"a".repeat(151)] {
        assert_eq!(fault(json!({"username": username})).as_deref(), Some("username"), "{username}");
    }
    for (name, value) in [
        ("first_name", json!("a\u{0}")),
        ("last_name", json!("é".repeat(151))),
        ("role", json!("boss")),
        ("is_active", json!("yes")),
        ("specialization", json!(null)),
        ("consultation_hours", json!("x".repeat(256))),
        ("password", json!("short")),
        ("password", json!("x".repeat(1025))),
        ("hospital_id", json!("1")),
    ] {
        assert_eq!(fault(json!({name: value})).as_deref(), Some(name));
    }
}

#[test]
fn a_name_may_be_anything_that_can_be_shown() {
    let name = "<img src=x onerror=alert(1)> O'Neil 李";
    let edit = UserEdit::parse(&fields(&json!({"first_name": format!("  {name} ")}))).unwrap();
    assert_eq!(edit.first_name.as_deref(), Some(name));
}

#[test]
fn what_only_the_server_sets_is_ignored() {
    let edit = UserEdit::parse(&fields(&json!({"id": 9, "is_live": true, "hospital": "x", "count": []}))).unwrap();
    assert!(edit == UserEdit::default());
}

#[test]
fn a_filter_has_defaults_and_names_what_is_wrong() {
    let filter = UserFilter::parse(&Query::parse("")).unwrap();
    assert_eq!(filter, UserFilter { search: String::new(), role: None, limit: 100, offset: 0 });
    let filter = UserFilter::parse(&Query::parse("search=+ann%25+&role=doctor&limit=5&offset=10")).unwrap();
    assert_eq!((filter.search.as_str(), filter.role), ("ann%", Some(Role::Doctor)));
    for (query, field) in
        [("role=boss", "role"), ("limit=0", "limit"), ("offset=-1", "offset"), ("search=%00", "search")]
    {
        let refused = UserFilter::parse(&Query::parse(query)).unwrap_err();
        assert_eq!(refused.body().field.as_deref(), Some(field), "{query}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_field_or_is_refused(text: String) {
        for name in ["email", "username", "first_name", "role", "password", "specialization"] {
            let _ = NewUser::parse(&fields(&json!({name: text})));
        }
        let _ = UserFilter::parse(&Query::parse(&text));
    }

    #[test]
    fn what_is_taken_fits(text in "\\PC{0,300}") {
        let edit = UserEdit::parse(&fields(&json!({"first_name": text})));
        prop_assert_eq!(edit.is_ok(), text.trim().chars().count() <= NAME_LIMIT);
    }
}
