//! Changes to accounts: each one transaction, with the record of who made it.
//!
//! **Invariant:** a change that takes something away from a user ends their sessions in the same transaction. Doctors'
//! state is not touched here: that is the room's.

use rollcall_core::{
    Id, Timestamp,
    account::{NewUser, UserEdit, UserFilter},
    token::Token,
    wire::User,
};
use serde::Deserialize;
use wasm_bindgen::JsValue;
use worker::D1Database;

use super::{all, batch, int, nullable, security_events::Record, sessions, statement, time, users};

/// A page of a hospital's users, by first, then last name, and how many there are in all.
pub async fn list(db: &D1Database, hospital_id: Id, filter: &UserFilter) -> worker::Result<(Vec<User>, u32)> {
    #[derive(Deserialize)]
    struct Count {
        count: u32,
    }
    // Without LIKE: a search is for that very text, and `%` is a character like any other.
    let found = "u.hospital_id = ?1 AND (?2 IS NULL OR u.role = ?2)
         AND instr(lower(u.email || ' ' || u.username || ' ' || u.first_name || ' ' || u.last_name || ' '
                         || COALESCE(d.specialization, '')), lower(?3)) > 0";
    let parameters =
        [int(hospital_id), nullable(filter.role, |role| role.as_str().into()), filter.search.as_str().into()];
    let page = format!("{} {found} ORDER BY u.first_name, u.last_name, u.id LIMIT ?4 OFFSET ?5", users::SELECT);
    let count = format!(
        "SELECT COUNT(*) AS count FROM users u LEFT JOIN doctors d ON d.user_id = u.id AND u.role = 'doctor'
         WHERE {found}"
    );
    let window = [filter.limit.into(), filter.offset.into()];
    let [page, count] = batch(
        db,
        [
            statement(db, &page, &[parameters.clone().as_slice(), &window].concat())?,
            statement(db, &count, &parameters)?,
        ],
    )
    .await?;
    let count = count.results::<Count>()?.first().map_or(0, |row| row.count);
    Ok((users::accounts(&page)?.into_iter().map(|account| account.user).collect(), count))
}

/// The field that somebody else has already, of `email` and `username`; `but` is who may have them.
pub async fn taken(
    db: &D1Database,
    email: Option<&str>,
    username: Option<&str>,
    but: Option<Id>,
) -> worker::Result<Option<&'static str>> {
    #[derive(Deserialize)]
    struct Row {
        email: u8,
        username: u8,
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM users WHERE email = ?1 AND id IS NOT ?3) AS email,
            EXISTS (SELECT 1 FROM users WHERE username = ?2 AND id IS NOT ?3) AS username";
    let text = |text: Option<&str>| nullable(text, JsValue::from);
    let found = all(statement(db, sql, &[text(email), text(username), nullable(but, int)])?).await?;
    Ok(match found.results::<Row>()?.pop() {
        Some(Row { email: 1, .. }) => Some("email"),
        Some(Row { username: 1, .. }) => Some("username"),
        _ => None,
    })
}

/// Adds a user.
pub async fn create(
    db: &D1Database,
    hospital_id: Id,
    user: &NewUser,
    password_hash: &str,
    record: Record<'_>,
) -> worker::Result<()> {
    let insert =
        "INSERT INTO users (hospital_id, email, username, first_name, last_name, role, is_active, password_hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let target = "UPDATE security_events SET target_id = (SELECT id FROM users WHERE email = ?1)
         WHERE id = last_insert_rowid()";
    batch(
        db,
        [
            statement(
                db,
                insert,
                &[
                    int(hospital_id),
                    user.email.as_str().into(),
                    user.username.as_str().into(),
                    user.first_name.as_str().into(),
                    user.last_name.as_str().into(),
                    user.role.as_str().into(),
                    int(user.is_active.into()),
                    password_hash.into(),
                ],
            )?,
            statement(
                db,
                &doctor("email = ?1"),
                &[
                    user.email.as_str().into(),
                    user.consultation_hours.as_str().into(),
                    user.specialization.as_str().into(),
                ],
            )?,
            record.statement(db)?,
            statement(db, target, &[user.email.as_str().into()])?,
        ],
    )
    .await?;
    Ok(())
}

/// Changes a user; ends their sessions if `ends_sessions`, and says which have ended.
pub async fn edit(
    db: &D1Database,
    user_id: Id,
    edit: &UserEdit,
    password_hash: Option<&str>,
    ends_sessions: bool,
    record: Record<'_>,
) -> worker::Result<Vec<Id>> {
    let update = "UPDATE users
         SET email = COALESCE(?2, email), username = COALESCE(?3, username), first_name = COALESCE(?4, first_name),
             last_name = COALESCE(?5, last_name), role = COALESCE(?6, role), is_active = COALESCE(?7, is_active),
             password_hash = COALESCE(?8, password_hash),
             temporary_until_ms = CASE WHEN ?8 IS NULL THEN temporary_until_ms END,
             follows_import = CASE WHEN follows_import IS NOT NULL THEN 0 END
         WHERE id = ?1";
    let text = |text: &Option<String>| nullable(text.as_deref(), JsValue::from);
    let (hours, specialization) = (text(&edit.consultation_hours), text(&edit.specialization));
    let [_, _, ended, _] = batch(
        db,
        [
            statement(
                db,
                update,
                &[
                    int(user_id),
                    text(&edit.email),
                    text(&edit.username),
                    text(&edit.first_name),
                    text(&edit.last_name),
                    nullable(edit.role, |role| role.as_str().into()),
                    nullable(edit.is_active, |active| int(active.into())),
                    nullable(password_hash, JsValue::from),
                ],
            )?,
            statement(db, &doctor("id = ?1"), &[int(user_id), hours, specialization])?,
            sessions::revoke_all(db, user_id, record.now, ("?4 = 1", int(ends_sessions.into())))?,
            record.statement(db)?,
        ],
    )
    .await?;
    sessions::ids(&ended)
}

/// Puts another hash of the same password in place of `old`, unless the password was changed meanwhile.
pub async fn replace_hash(db: &D1Database, user_id: Id, old: &str, new: &str) -> worker::Result<()> {
    let sql = "UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2";
    all(statement(db, sql, &[int(user_id), old.into(), new.into()])?).await?;
    Ok(())
}

/// Gives a user a temporary password, ends their sessions, and says which have ended.
pub async fn reset_password(
    db: &D1Database,
    user_id: Id,
    password_hash: &str,
    until: Timestamp,
    record: Record<'_>,
) -> worker::Result<Vec<Id>> {
    let sql = "UPDATE users SET password_hash = ?2, temporary_until_ms = ?3 WHERE id = ?1";
    let [_, ended, _] = batch(
        db,
        [
            statement(db, sql, &[int(user_id), password_hash.into(), time(until)])?,
            sessions::revoke_all(db, user_id, record.now, ("?4", int(1)))?,
            record.statement(db)?,
        ],
    )
    .await?;
    sessions::ids(&ended)
}

/// A session to open, for who has shown the password of that hash.
pub struct SignIn<'a> {
    /// Who.
    pub user_id: Id,
    /// What they have shown; meanwhile it may not be theirs any more.
    pub password_hash: &'a str,
    /// What they will be known by.
    pub token: &'a Token,
    /// What their browser or program calls itself.
    pub user_agent: &'a str,
}

/// The session has been opened.
const OPENED: &str = "EXISTS (SELECT 1 FROM sessions WHERE token_sha256 = ?8)";

/// Opens a session, unless the user was deactivated or given another password meanwhile. Says which sessions ended
/// because there were too many; `None` where it was not opened.
pub async fn sign_in(db: &D1Database, who: SignIn<'_>, record: Record<'_>) -> worker::Result<Option<Vec<Id>>> {
    let SignIn { user_id, password_hash, token, user_agent } = who;
    let [forget, open, end] = sessions::open(db, token, (user_id, password_hash), user_agent, record.now)?;
    let record = record.statement_if(db, (OPENED, token.digest().into()))?;
    let [_, opened, ended, _] = batch(db, [forget, open, end, record]).await?;
    Ok(if sessions::ids(&opened)?.is_empty() { None } else { Some(sessions::ids(&ended)?) })
}

/// Changes one's own password to that of `new_hash`, ends every session, and opens a new one; unless the user was
/// deactivated or given another password meanwhile. Says which sessions have ended; `None` where nothing was done.
pub async fn change_password(
    db: &D1Database,
    who: SignIn<'_>,
    new_hash: &str,
    record: Record<'_>,
) -> worker::Result<Option<Vec<Id>>> {
    let SignIn { user_id, password_hash, token, user_agent } = who;
    let sql = "UPDATE users SET password_hash = ?3, temporary_until_ms = NULL
         WHERE id = ?1 AND password_hash = ?2 AND is_active = 1";
    // Nobody else has this hash: its salt is random.
    let changed = "EXISTS (SELECT 1 FROM users WHERE id = ?1 AND password_hash = ?4)";
    let [forget, open, _] = sessions::open(db, token, (user_id, new_hash), user_agent, record.now)?;
    let [_, ended, _, opened, _] = batch(
        db,
        [
            statement(db, sql, &[int(user_id), password_hash.into(), new_hash.into()])?,
            sessions::revoke_all(db, user_id, record.now, (changed, new_hash.into()))?,
            forget,
            open,
            record.statement_if(db, (OPENED, token.digest().into()))?,
        ],
    )
    .await?;
    Ok(if sessions::ids(&opened)?.is_empty() { None } else { Some(sessions::ids(&ended)?) })
}

/// Brings what a doctor has beyond a user up to date, where the user is one.
fn doctor(which: &str) -> String {
    format!(
        "INSERT INTO doctors (user_id, consultation_hours, specialization)
         SELECT id, COALESCE(?2, ''), COALESCE(?3, '') FROM users WHERE {which} AND role = 'doctor'
         ON CONFLICT (user_id) DO UPDATE SET
           consultation_hours = COALESCE(?2, consultation_hours), specialization = COALESCE(?3, specialization)"
    )
}
