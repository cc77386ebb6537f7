//! The hospital's users, for its administrators.

use ::http::StatusCode;
use axum::{
    Json,
    extract::{Path, RawQuery, State, rejection::PathRejection},
};
use rollcall_core::{
    Id, Rejection,
    account::{Name, NewUser, UserEdit, UserFilter},
    audit::Outcome,
    auth::{Action, may_edit, may_in},
    call::Call,
    query::Query,
    wire::{Role, User, Users},
};
use worker::send::SendFuture;

use super::{auth::SignedIn, body, object_call::ask_room, passwords::hash};
use crate::{
    db::{accounts, users},
    env::Bindings,
    error::Result,
};

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
pub async fn list(
    State(bindings): State<Bindings>,
    caller: SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Json<Users>> {
    SendFuture::new(async move {
        caller.may(&bindings, Action::ListUsers).await?;
        let filter = UserFilter::parse(&Query::parse(&query.unwrap_or_default()))?;
        let (results, count) = accounts::list(&bindings.db()?, caller.who.hospital_id, &filter).await?;
        Ok(Json(Users { count, results }))
    })
    .await
}

/// Add a user.
///
/// `POST /api/users`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/users/", tag = "Users", operation_id = "create_user",
    request_body = NewUser,
    responses((status = 201, body = User), (status = 404), (status = 409))
))]
pub async fn create(
    State(bindings): State<Bindings>,
    caller: SignedIn,
    body::Json(fields): body::Json,
) -> Result<(StatusCode, Json<User>)> {
    SendFuture::new(async move {
        caller.may(&bindings, Action::CreateUser).await?;
        let user = NewUser::parse(&fields)?;
        let hospital_id = caller.who.hospital_id;
        let decision = may_in(&caller.who, Action::CreateUser, user.hospital_id.unwrap_or(hospital_id));
        caller.decided(&bindings, Action::CreateUser, None, decision).await?;

        let db = bindings.db()?;
        let taken = async || accounts::taken(&db, Some(&user.email), Some(&user.username), None).await;
        refuse(taken().await?)?;
        let record = caller.record(Action::CreateUser, None, Outcome::Done);
        if let Err(error) = accounts::create(&db, hospital_id, &user, &hash(&user.password)?, record).await {
            // Somebody else may have been quicker.
            refuse(taken().await?)?;
            return Err(error.into());
        }
        let account = users::by_name(&db, Name::Email(&user.email)).await?.ok_or(Rejection::Unavailable)?;
        let (user_id, email) = (account.user.id, account.user.email.clone());
        let by = caller.who.clone();
        let change = Call::UserChanged { by, user_id, email, ended: Vec::new(), is_gone: false, leaves_duty: false };
        ask_room::<()>(&bindings, hospital_id, &change).await?;
        Ok((StatusCode::CREATED, Json(account.user)))
    })
    .await
}

/// Change a user.
///
/// `PATCH /api/users/{id}`
#[cfg_attr(test, utoipa::path(
    patch, path = "/api/users/{id}/", tag = "Users", operation_id = "edit_user",
    params(("id" = i64, Path, minimum = 1, maximum = 2147483647_i64, description = "A user of one's hospital.")),
    request_body = UserEdit,
    responses((status = 200, body = User), (status = 404), (status = 409))
))]
pub async fn edit(
    State(bindings): State<Bindings>,
    caller: SignedIn,
    user_id: Result<Path<Id>, PathRejection>,
    body::Json(fields): body::Json,
) -> Result<Json<User>> {
    SendFuture::new(async move {
        caller.may(&bindings, Action::EditUser).await?;
        let user_id = body::id(user_id)?;
        let edit = UserEdit::parse(&fields)?;
        let may = |user: &User| may_edit(&caller.who, user, &edit);
        let user = target(&bindings, &caller, Action::EditUser, user_id, may).await?;

        let db = bindings.db()?;
        let taken = async || accounts::taken(&db, edit.email.as_deref(), edit.username.as_deref(), Some(user_id)).await;
        refuse(taken().await?)?;
        let hash = edit.password.as_deref().map(hash).transpose()?;
        let role_changes = edit.role.is_some_and(|role| role != user.role);
        let ends_sessions = edit.password.is_some() || edit.is_active == Some(false) || role_changes;
        let record = caller.record(Action::EditUser, Some(user_id), Outcome::Done);
        let ended = match accounts::edit(&db, user_id, &edit, hash.as_deref(), ends_sessions, record).await {
            Ok(ended) => ended,
            Err(error) => {
                refuse(taken().await?)?;
                return Err(error.into());
            }
        };
        let email = edit.email.as_deref().unwrap_or(&user.email).to_string();
        let is_gone = edit.is_active == Some(false);
        let leaves_duty = is_gone
            || edit.role.is_some_and(|role| role != Role::Doctor)
            // Who could not be taken off duty when they were deactivated does not come back on duty.
            || edit.is_active == Some(true) && !user.is_active;
        let by = caller.who.clone();
        let change = Call::UserChanged { by, user_id, email, ended, is_gone, leaves_duty };
        ask_room::<()>(&bindings, user.hospital_id, &change).await?;
        let account = users::by_id(&db, user_id).await?.ok_or(Rejection::NotFound)?;
        Ok(Json(account.user))
    })
    .await
}

/// The user of that id, if `may` allows it. What is recorded, and how long it takes, is the same for somebody elsewhere
/// and for nobody.
///
/// # Errors
/// The decision's; [`Rejection::NotFound`] where there is none.
pub async fn target(
    bindings: &Bindings,
    caller: &SignedIn,
    action: Action,
    user_id: Id,
    may: impl Fn(&User) -> Result<(), Rejection>,
) -> Result<User> {
    let account = users::by_id(&bindings.db()?, user_id).await?;
    let user = account.map(|account| account.user).ok_or(Rejection::NotFound);
    let decision = user.and_then(|user| may(&user).map(|()| user));
    caller.decided(bindings, action, Some(user_id), decision).await
}

fn refuse(taken: Option<&str>) -> Result<(), Rejection> {
    taken.map_or(Ok(()), |field| Err(Rejection::Conflict(field.into())))
}
