use super::*;

const HERE: Id = 1;
const ELSEWHERE: Id = 2;

fn who(role: Role) -> Principal {
    Principal {
        user_id: 7,
        hospital_id: HERE,
        role,
        session_id: 1,
        session_ends: Timestamp::MAX_UTC,
        must_change_password: false,
    }
}

fn user(id: Id, hospital_id: Id, role: Role) -> User {
    User {
        id,
        email: "ann@example.com".into(),
        username: "ann".into(),
        first_name: String::new(),
        last_name: String::new(),
        role,
        is_active: true,
        must_change_password: false,
        hospital_id,
        time_zone: "UTC".into(),
        doctor: None,
    }
}

/// Everybody, in one's own hospital and in another one: `+` may, `-` may not (403), `?` does not even learn that it
/// is there (404).
const MATRIX: [(Action, [&str; 3]); 18] = [
    //                           admin  doctor  user
    (Action::ReadSelf, /*    */ ["+?", "+?", "+?"]),
    (Action::SignOut, /*     */ ["+?", "+?", "+?"]),
    (Action::ChangePassword, ["+?", "+?", "+?"]),
    (Action::ListSessions, ["+?", "+?", "+?"]),
    (Action::RevokeSession, ["+?", "+?", "+?"]),
    (Action::Connect, /*     */ ["+?", "+?", "+?"]),
    (Action::ListOnlineDoctors, ["+?", "+?", "+?"]),
    (Action::SetOwnState, /* */ ["--", "+?", "--"]),
    (Action::SetState, /*    */ ["+?", "--", "--"]),
    (Action::Watch, /*       */ ["+?", "--", "--"]),
    (Action::ReadEvents, /*  */ ["+?", "--", "--"]),
    (Action::ListConnections, ["+?", "--", "--"]),
    (Action::Disconnect, /*  */ ["+?", "--", "--"]),
    (Action::ListUsers, /*   */ ["+?", "--", "--"]),
    (Action::CreateUser, /*  */ ["+?", "--", "--"]),
    (Action::EditUser, /*    */ ["+?", "--", "--"]),
    (Action::ResetPassword, ["+?", "--", "--"]),
    (Action::ReadMetrics, /* */ ["+?", "--", "--"]),
];

#[test]
fn every_role_may_do_what_the_matrix_says_and_nothing_else() {
    for (action, expected) in MATRIX {
        let decided = [Role::Admin, Role::Doctor, Role::User].map(|role| {
            [HERE, ELSEWHERE]
                .map(|hospital_id| match may_in(&who(role), action, hospital_id) {
                    Ok(()) => '+',
                    Err(Rejection::PermissionDenied) => '-',
                    Err(Rejection::NotFound) => '?',
                    Err(other) => panic!("{other}"),
                })
                .iter()
                .collect::<String>()
        });
        assert_eq!(decided, expected, "{action:?}");
    }
}

/// A new action does not compile until it is named here; then the matrix lacks it.
#[test]
fn the_matrix_has_every_action() {
    let named = |action| match action {
        Action::ReadSelf | Action::SignOut | Action::ChangePassword | Action::ListSessions | Action::RevokeSession => 5,
        Action::Connect | Action::ListOnlineDoctors | Action::SetOwnState | Action::SetState | Action::Watch => 5 + 5,
        Action::ReadEvents | Action::ListConnections | Action::Disconnect | Action::ListUsers => 10 + 4,
        Action::CreateUser | Action::EditUser | Action::ResetPassword | Action::ReadMetrics => 14 + 4,
    };
    assert_eq!(MATRIX.map(|(action, _)| named(action)).into_iter().max(), Some(MATRIX.len()));
    for (index, (action, _)) in MATRIX.into_iter().enumerate() {
        assert_eq!(action as usize, index, "{action:?}");
    }
}

#[test]
fn who_has_a_temporary_password_may_only_choose_another_one() {
    for (action, _) in MATRIX {
        let allowed = matches!(action, Action::ReadSelf | Action::SignOut | Action::ChangePassword);
        for role in [Role::Admin, Role::Doctor, Role::User] {
            let who = Principal { must_change_password: true, ..who(role) };
            let expected = if allowed { Ok(()) } else { Err(Rejection::PasswordChangeRequired) };
            assert_eq!(may(&who, action), expected, "{role:?} {action:?}");
        }
    }
}

#[test]
fn a_doctor_sets_their_own_state_only() {
    assert_eq!(may_set_state_of(&who(Role::Doctor), None), Ok(7));
    assert_eq!(may_set_state_of(&who(Role::Doctor), Some(7)), Ok(7));
    assert_eq!(may_set_state_of(&who(Role::Doctor), Some(8)), Err(Rejection::PermissionDenied));
}

#[test]
fn an_administrator_names_the_doctor() {
    assert_eq!(may_set_state_of(&who(Role::Admin), Some(8)), Ok(8));
    assert_eq!(may_set_state_of(&who(Role::Admin), Some(7)), Ok(7), "not found where it is looked up");
    let refused = may_set_state_of(&who(Role::Admin), None).unwrap_err();
    assert_eq!(refused.refusal().field.as_deref(), Some("doctor_id"));
    for named in [None, Some(7), Some(8)] {
        assert_eq!(may_set_state_of(&who(Role::User), named), Err(Rejection::PermissionDenied), "{named:?}");
        let new = Principal { must_change_password: true, ..who(Role::Admin) };
        assert_eq!(may_set_state_of(&new, named), Err(Rejection::PasswordChangeRequired), "{named:?}");
    }
}

#[test]
fn an_administrator_cannot_lock_themselves_out() {
    let admin = who(Role::Admin);
    let (oneself, other) = (user(7, HERE, Role::Admin), user(8, HERE, Role::Admin));
    for edit in [
        UserEdit { is_active: Some(false), ..UserEdit::default() },
        UserEdit { role: Some(Role::User), ..UserEdit::default() },
        UserEdit { password: Some("a new password".into()), ..UserEdit::default() },
    ] {
        assert_eq!(may_edit(&admin, &oneself, &edit), Err(Rejection::PermissionDenied), "{edit:?}");
        assert_eq!(may_edit(&admin, &other, &edit), Ok(()), "{edit:?}");
    }
    let name = UserEdit { first_name: Some("Al".into()), role: Some(Role::Admin), ..UserEdit::default() };
    assert_eq!(may_edit(&admin, &oneself, &name), Ok(()));
    assert_eq!(may_reset_password(&admin, &oneself), Err(Rejection::PermissionDenied));
    assert_eq!(may_reset_password(&admin, &other), Ok(()));
}

#[test]
fn nobody_is_edited_from_or_moved_to_another_hospital() {
    let admin = who(Role::Admin);
    let foreign = user(8, ELSEWHERE, Role::Doctor);
    assert_eq!(may_edit(&admin, &foreign, &UserEdit::default()), Err(Rejection::NotFound));
    assert_eq!(may_reset_password(&admin, &foreign), Err(Rejection::NotFound));
    let moved = UserEdit { hospital_id: Some(ELSEWHERE), ..UserEdit::default() };
    assert_eq!(may_edit(&admin, &user(8, HERE, Role::Doctor), &moved), Err(Rejection::PermissionDenied));
}

#[test]
fn an_origin_is_ours_as_a_whole_or_not_at_all() {
    let own = "https://board.example.com";
    let listed = vec!["https://app.example.com".to_string()];
    assert!(is_our_origin(own, own, &listed));
    assert!(is_our_origin("https://app.example.com", own, &listed));
    for foreign in
        ["null", "", "http://board.example.com", "https://board.example.com.evil", "https://board.example.com:8443"]
    {
        assert!(!is_our_origin(foreign, own, &listed), "{foreign}");
    }
}
