//! Before a password is verified: how often somebody has tried.
//!
//! **Invariant:** nobody is looked up, and nothing hashed, before both say yes: the platform's limit for the address,
//! roughly, and the address's own counter for the name, exactly.

use js_sys::Object;
use rollcall_core::{
    Rejection,
    account::Name,
    throttle::{Admission, Call, address_group, key},
};

use super::object_call;
use crate::{env::Bindings, error::Result};

/// For how long who exceeds the platform's limit is told to wait, in seconds; its period in `wrangler.toml`.
const LIMIT_PERIOD: u32 = 60;

/// Somebody's try.
pub struct Try {
    counter: Object,
    key: String,
}

impl Try {
    /// Admits a try from `address` for `name`; or says how long to wait, and whether that is news.
    ///
    /// # Errors
    /// [`Rejection::Throttled`] where the address has asked too often, whoever it named.
    pub async fn admit(bindings: &Bindings, address: &str, name: &Name<'_>) -> Result<Result<Self, Wait>> {
        let group = address_group(address);
        if !bindings.login_limit()?.limit(group.clone()).await?.success {
            return Err(Rejection::Throttled { seconds: LIMIT_PERIOD }.into());
        }
        let (counter, key) = (bindings.login_throttle(&group)?, key(name));
        match object_call::ask(&counter, &Call::Try { key: key.clone() }).await? {
            Admission::Admitted => Ok(Ok(Self { counter, key })),
            Admission::Wait { seconds, first } => Ok(Err(Wait { rejection: Rejection::Throttled { seconds }, first })),
        }
    }

    /// It was the right password.
    pub async fn succeeded(self) -> Result<()> {
        object_call::ask(&self.counter, &Call::Forget { key: self.key }).await
    }
}

/// A try that was not admitted.
pub struct Wait {
    /// How long.
    pub rejection: Rejection,
    /// Whether it is the first one that was not.
    pub first: bool,
}
