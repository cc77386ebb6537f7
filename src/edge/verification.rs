//! Whether a password is the one of an account.
//!
//! **Invariant:** a failure reads the same and takes as long for every name, however their password is stored.

use ::http::HeaderMap;
use rollcall_core::{
    ApiError,
    account::LoginName,
    audit::{Outcome, SecurityEvent, What},
    password::{self, REFUSAL_TIME},
};

use super::attempts::{LoginAttempt, Wait};
use crate::{
    d1::{
        security_events,
        users::{self, Account},
    },
    platform::{clock, env::Bindings, random},
    room::request::address,
    telemetry::error::Result,
};

/// The account of that name, if this is its password.
///
/// # Errors
/// [`ApiError::InvalidCredentials`] in the same words and the same time for a wrong password, a deactivated user and
/// a name that nobody has; [`ApiError::Throttled`] after too many attempts.
pub async fn verified(
    bindings: &Bindings,
    headers: &HeaderMap,
    name: LoginName<'_>,
    password: &str,
) -> Result<Account> {
    let db = bindings.db()?;
    let failed = async |account: Option<Account>, outcome, error: ApiError| {
        let event = SecurityEvent {
            hospital_id: account.as_ref().map(|account| account.hospital_id),
            actor_id: None,
            what: What::SignIn,
            target_id: account.as_ref().map(|account| account.user.user_id),
            outcome,
        };
        security_events::save(&db, &event, address(headers), clock::now()).await?;
        Err(error.into())
    };
    let attempt = match LoginAttempt::admit(bindings, address(headers), &name).await? {
        Ok(attempt) => attempt,
        Err(Wait { error, first: true }) => {
            return failed(users::by_name(&db, name).await?, Outcome::Throttled, error).await;
        }
        Err(Wait { error, first: false }) => return Err(error.into()),
    };
    let (account, any_imported) = users::to_verify(&db, name).await?;
    let asked = clock::now();
    let stored = account.as_ref().filter(|account| account.user.is_active);
    // Verified in any case, so that the answer's time does not tell whether the account exists.
    let verified = password::verify(password, stored.map_or(password::DUMMY, |account| &account.password_hash));
    match account {
        Some(account) if verified && account.is_good(clock::now()) => {
            if let Some(ours) = password::rehash(password, &account.password_hash) {
                // If somebody else was faster, this does nothing. If that was a sign-in, it left the same hash.
                users::replace_hash(&db, account.user.user_id, &account.password_hash, &ours).await?;
            }
            attempt.succeeded().await?;
            Ok(account)
        }
        account => {
            let failure = failed(account, Outcome::Failed, ApiError::InvalidCredentials).await;
            if any_imported {
                // An imported hash takes longer than one of ours. The clock counts it, now that something was waited for.
                clock::sleep_until(asked + REFUSAL_TIME).await;
            }
            failure
        }
    }
}

/// The stored form of a password.
///
/// # Errors
/// That there is no memory for it.
pub fn hash(password: &str) -> Result<String> {
    let hash = password::hash(password, random::bytes()?);
    Ok(hash.ok_or_else(|| worker::Error::RustError("no memory to hash a password".into()))?)
}
