use super::*;

const ANN: UserId = UserId::new(7);
const BOB: UserId = UserId::new(8);
const HERE: HospitalId = HospitalId::new(1);
const ELSEWHERE: HospitalId = HospitalId::new(2);

fn who(role: Role) -> Principal {
    Principal {
        user_id: ANN,
        hospital_id: HERE,
        role,
        session_id: SessionId::new(1),
        session_ends: Timestamp::MAX_UTC,
        must_change_password: false,
    }
}

fn user(id: UserId, hospital_id: HospitalId, role: Role) -> User {
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
const MATRIX: [(Permission, [&str; 3]); 18] = [
    //                           admin  doctor  user
    (Permission::ReadSelf, /*    */ ["+?", "+?", "+?"]),
    (Permission::SignOut, /*     */ ["+?", "+?", "+?"]),
    (Permission::ChangePassword, ["+?", "+?", "+?"]),
    (Permission::ListSessions, ["+?", "+?", "+?"]),
    (Permission::RevokeSession, ["+?", "+?", "+?"]),
    (Permission::Connect, /*     */ ["+?", "+?", "+?"]),
    (Permission::ListOnlineDoctors, ["+?", "+?", "+?"]),
    (Permission::SetOwnState, /* */ ["--", "+?", "--"]),
    (Permission::SetState, /*    */ ["+?", "--", "--"]),
    (Permission::Watch, /*       */ ["+?", "--", "--"]),
    (Permission::ReadEvents, /*  */ ["+?", "--", "--"]),
    (Permission::ListConnections, ["+?", "--", "--"]),
    (Permission::Disconnect, /*  */ ["+?", "--", "--"]),
    (Permission::ListUsers, /*   */ ["+?", "--", "--"]),
    (Permission::CreateUser, /*  */ ["+?", "--", "--"]),
    (Permission::EditUser, /*    */ ["+?", "--", "--"]),
    (Permission::ResetPassword, ["+?", "--", "--"]),
    (Permission::ReadMetrics, /* */ ["+?", "--", "--"]),
];

#[test]
fn every_role_may_do_what_the_matrix_says_and_nothing_else() {
    for (permission, expected) in MATRIX {
        let decided = [Role::Admin, Role::Doctor, Role::User].map(|role| {
            [HERE, ELSEWHERE]
                .map(|hospital_id| match may_in(&who(role), permission, hospital_id) {
                    Ok(()) => '+',
                    Err(ApiError::PermissionDenied) => '-',
                    Err(ApiError::NotFound) => '?',
                    Err(other) => panic!("{other}"),
                })
                .iter()
                .collect::<String>()
        });
        assert_eq!(decided, expected, "{permission:?}");
    }
}

/// A new permission does not compile until it is named here; then the matrix lacks it.
#[test]
fn the_matrix_has_every_permission() {
    let named = |permission| match permission {
        Permission::ReadSelf
        | Permission::SignOut
        | Permission::ChangePassword
        | Permission::ListSessions
        | Permission::RevokeSession => 5,
        Permission::Connect
        | Permission::ListOnlineDoctors
        | Permission::SetOwnState
        | Permission::SetState
        | Permission::Watch => 5 + 5,
        Permission::ReadEvents | Permission::ListConnections | Permission::Disconnect | Permission::ListUsers => 10 + 4,
        Permission::CreateUser | Permission::EditUser | Permission::ResetPassword | Permission::ReadMetrics => 14 + 4,
    };
    assert_eq!(MATRIX.map(|(permission, _)| named(permission)).into_iter().max(), Some(MATRIX.len()));
    for (index, (permission, _)) in MATRIX.into_iter().enumerate() {
        assert_eq!(permission as usize, index, "{permission:?}");
    }
}

#[test]
fn a_caller_with_a_temporary_password_may_only_choose_another_one() {
    for (permission, _) in MATRIX {
        let allowed = matches!(permission, Permission::ReadSelf | Permission::SignOut | Permission::ChangePassword);
        for role in [Role::Admin, Role::Doctor, Role::User] {
            let who = Principal { must_change_password: true, ..who(role) };
            let expected = if allowed { Ok(()) } else { Err(ApiError::PasswordChangeRequired) };
            assert_eq!(may(&who, permission), expected, "{role:?} {permission:?}");
        }
    }
}

#[test]
fn a_doctor_sets_their_own_state_only() {
    assert_eq!(may_set_state_of(&who(Role::Doctor), None), Ok(ANN));
    assert_eq!(may_set_state_of(&who(Role::Doctor), Some(ANN)), Ok(ANN));
    assert_eq!(may_set_state_of(&who(Role::Doctor), Some(BOB)), Err(ApiError::PermissionDenied));
}

#[test]
fn an_administrator_names_the_doctor() {
    assert_eq!(may_set_state_of(&who(Role::Admin), Some(BOB)), Ok(BOB));
    assert_eq!(may_set_state_of(&who(Role::Admin), Some(ANN)), Ok(ANN), "not found where it is looked up");
    let refused = may_set_state_of(&who(Role::Admin), None).unwrap_err();
    assert_eq!(refused.body().field.as_deref(), Some("doctor_id"));
    for named in [None, Some(ANN), Some(BOB)] {
        assert_eq!(may_set_state_of(&who(Role::User), named), Err(ApiError::PermissionDenied), "{named:?}");
        let new = Principal { must_change_password: true, ..who(Role::Admin) };
        assert_eq!(may_set_state_of(&new, named), Err(ApiError::PasswordChangeRequired), "{named:?}");
    }
}

#[test]
fn an_administrator_cannot_lock_themselves_out() {
    let admin = who(Role::Admin);
    let (oneself, other) = (user(ANN, HERE, Role::Admin), user(BOB, HERE, Role::Admin));
    for edit in [
        UserEdit { is_active: Some(false), ..UserEdit::default() },
        UserEdit { role: Some(Role::User), ..UserEdit::default() },
        UserEdit { password: Some("a new password".into()), ..UserEdit::default() },
    ] {
        assert_eq!(may_edit(&admin, &oneself, &edit), Err(ApiError::PermissionDenied), "{edit:?}");
        assert_eq!(may_edit(&admin, &other, &edit), Ok(()), "{edit:?}");
    }
    let name = UserEdit { first_name: Some("Al".into()), role: Some(Role::Admin), ..UserEdit::default() };
    assert_eq!(may_edit(&admin, &oneself, &name), Ok(()));
    assert_eq!(may_reset_password(&admin, &oneself), Err(ApiError::PermissionDenied));
    assert_eq!(may_reset_password(&admin, &other), Ok(()));
}

#[test]
fn nobody_is_edited_from_or_moved_to_another_hospital() {
    let admin = who(Role::Admin);
    let foreign = user(BOB, ELSEWHERE, Role::Doctor);
    assert_eq!(may_edit(&admin, &foreign, &UserEdit::default()), Err(ApiError::NotFound));
    assert_eq!(may_reset_password(&admin, &foreign), Err(ApiError::NotFound));
    let moved = UserEdit { hospital_id: Some(ELSEWHERE), ..UserEdit::default() };
    assert_eq!(may_edit(&admin, &user(BOB, HERE, Role::Doctor), &moved), Err(ApiError::PermissionDenied));
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
