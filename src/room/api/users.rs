//! Users, as the room's replica has them.

use rollcall_core::{
    account::UserFilter,
    auth::Permission,
    user::UserRecord,
    wire::{Role, Users},
};

use crate::{
    room::request::Request,
    telemetry::{
        error::Result,
        response::{Response, json},
    },
};

/// Who is signed in.
///
/// `GET /api/users/me`
#[cfg_attr(test, utoipa::path(
    get, path = "/api/users/me/", tag = "Signing in", operation_id = "me",
    responses((status = 200, body = rollcall_core::wire::User))
))]
pub async fn me(request: Request) -> Result<Response> {
    let caller = request.permitted(Permission::ReadSelf)?;
    Ok(json(&request.room.to_user(&caller.user))?)
}

/// The hospital's users.
///
/// `GET /api/users`
#[cfg_attr(test, utoipa::path(
    get, path = "/api/users/", tag = "Users", operation_id = "list_users",
    params(
        ("search" = Option<String>, Query, max_length = 254, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", nullable = false,
            description = "Part of an email, a name or a specialization."),
        ("role" = Option<Role>, Query, nullable = false),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, nullable = false),
        ("offset" = Option<u32>, Query, minimum = 0, maximum = 4294967295_u32, nullable = false),
    ),
    responses((status = 200, body = Users))
))]
pub async fn list(request: Request) -> Result<Response> {
    request.permitted(Permission::ListUsers)?;
    let filter = UserFilter::parse(&request.query())?;
    let search = filter.search.to_ascii_lowercase();
    let matches = |user: &UserRecord| {
        let specialization = if user.role == Role::Doctor { user.specialization.as_str() } else { "" };
        let text = [&user.email, &user.username, &user.first_name, &user.last_name, specialization].join(" ");
        filter.role.is_none_or(|role| role == user.role) && text.to_ascii_lowercase().contains(&search)
    };
    let found: Vec<_> = request.room.storage.users()?.into_iter().filter(matches).collect();
    let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
    let page = found.iter().skip(filter.offset as usize).take(filter.limit as usize);
    Ok(json(&Users { count, results: page.map(|user| request.room.to_user(user)).collect() })?)
}
