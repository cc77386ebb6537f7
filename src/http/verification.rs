//! Whether somebody's password is theirs.
//!
//! **Invariant:** a refusal reads the same and takes as long, whoever is named and however their password is stored.

use ::http::HeaderMap;
use rollcall_core::{
    Rejection, Timestamp,
    account::Name,
    audit::{Outcome, SecurityEvent, What},
    password::{self, REFUSAL_TIME},
    wire::User,
};

use super::{
    auth::address,
    tries::{Try, Wait},
};
use crate::{
    clock,
    db::{
        accounts,
        security_events::Record,
        users::{self, Account},
    },
    env::Bindings,
    error::Result,
};

/// The account of that name, if this is its password.
///
/// # Errors
/// [`Rejection::InvalidCredentials`] in the same words and the same time for a wrong password, a deactivated user and
/// a name that nobody has; [`Rejection::Throttled`] after too many tries.
pub async fn verified(bindings: &Bindings, headers: &HeaderMap, name: Name<'_>, password: &str) -> Result<Account> {
    let db = bindings.db()?;
    let refused = async |account: Option<Account>, outcome, rejection: Rejection| {
        let event = sign_in(account.as_ref().map(|account| &account.user), outcome);
        let event = SecurityEvent { actor_id: None, target_id: event.actor_id, ..event };
        Record { event, address: address(headers), now: clock::now() }.save(&db).await?;
        Err(rejection.into())
    };
    let attempt = match Try::admit(bindings, address(headers), &name).await? {
        Ok(attempt) => attempt,
        Err(Wait { rejection, first: true }) => {
            return refused(users::by_name(&db, name).await?, Outcome::Throttled, rejection).await;
        }
        Err(Wait { rejection, first: false }) => return Err(rejection.into()),
    };
    let (account, any_imported) = users::to_verify(&db, name).await?;
    let asked = clock::now();
    let stored = account.as_ref().filter(|account| account.user.is_active);
    // Verified in any case, so that the answer's time does not tell whether the account exists.
    let verified = password::verify(password, stored.map_or(password::DUMMY, |account| &account.password_hash));
    match account {
        Some(mut account) if verified && is_good(&account, clock::now()) => {
            if let Some(ours) = password::rehash(password, &account.password_hash) {
                // Where somebody else was faster, this does nothing. If that was a sign-in, it left the same hash.
                accounts::replace_hash(&db, account.user.id, &account.password_hash, &ours).await?;
                account.password_hash = ours;
            }
            attempt.succeeded().await?;
            Ok(account)
        }
        account => {
            let refusal = refused(account, Outcome::Failed, Rejection::InvalidCredentials).await;
            if any_imported {
                // An imported hash takes longer than one of ours. The clock counts it, now that something was waited for.
                clock::until(asked + REFUSAL_TIME).await;
            }
            refusal
        }
    }
}

fn is_good(account: &Account, now: Timestamp) -> bool {
    account.user.is_active && account.temporary_until.is_none_or(|until| now < until)
}

/// A sign-in of somebody, if it is somebody known.
pub fn sign_in(user: Option<&User>, outcome: Outcome) -> SecurityEvent {
    SecurityEvent {
        hospital_id: user.map(|user| user.hospital_id),
        actor_id: user.map(|user| user.id),
        what: What::SignIn,
        target_id: None,
        outcome,
    }
}
