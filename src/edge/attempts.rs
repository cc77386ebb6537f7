//! Before a password is verified: how often somebody has tried.
//!
//! **Invariant:** nobody is looked up, and nothing hashed, before both say yes: the platform's limit for the address,
//! roughly, and the address's own counter for the name, exactly.

use rollcall_core::{
    ApiError,
    account::LoginName,
    throttle::{Admission, ThrottleCall, address_group, key},
};
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

use super::hospital::LIMIT_PERIOD;
use crate::{
    platform::{env::Bindings, js},
    telemetry::{context, error::Result},
};

/// An attempt to sign in.
pub struct LoginAttempt {
    counter: JsValue,
    key: String,
}

impl LoginAttempt {
    /// Admits an attempt from `address` for `name`; or says how long to wait, and whether that is news.
    ///
    /// # Errors
    /// [`ApiError::Throttled`] if the address has asked too often, for any name.
    pub async fn admit(bindings: &Bindings, address: &str, name: &LoginName<'_>) -> Result<Result<Self, Wait>> {
        let group = address_group(address);
        if !bindings.login_limit()?.limit(group.clone()).await?.success {
            return Err(ApiError::Throttled { seconds: LIMIT_PERIOD }.into());
        }
        let (counter, key) = (bindings.login_throttle(&group)?, key(name));
        match call(&counter, &ThrottleCall::Try { key: key.clone() }).await? {
            Admission::Admitted => Ok(Ok(Self { counter, key })),
            Admission::Wait { seconds, first } => Ok(Err(Wait { error: ApiError::Throttled { seconds }, first })),
        }
    }

    /// It was the right password.
    pub async fn succeeded(self) -> Result<()> {
        call(&self.counter, &ThrottleCall::Forget { key: self.key }).await
    }
}

/// An attempt that was not admitted.
pub struct Wait {
    /// How long.
    pub error: ApiError,
    /// Whether it is the first one that was not.
    pub first: bool,
}

async fn call<T: DeserializeOwned>(counter: &JsValue, call: &ThrottleCall) -> Result<T> {
    let json = serde_json::to_string(call).map_err(worker::Error::from)?;
    Ok(serde_json::from_str(&js::call(counter, &json, context::current().request_id()).await?)
        .map_err(worker::Error::from)?)
}
