//! What the Worker's own handlers read of a request.

use std::rc::Rc;

use ::http::{HeaderMap, Uri, header};
use rollcall_core::{ApiError, HospitalId, UserId, body::Fields, error::TokenFault, internal::Caller};
use worker::web_sys;

use super::hospital::of_proof;
use crate::{
    platform::env::Bindings,
    room::{
        handshake::Proof,
        request::{address, check_type, credentials, parse_id},
    },
    telemetry::{
        error::Result,
        http::{Head, read_body},
        routes::Parameters,
    },
};

/// A request to the Worker. Its body is not read yet.
pub struct Request {
    /// The bindings and variables.
    pub bindings: Bindings,
    /// The request as the runtime has it.
    pub raw: Rc<web_sys::Request>,
    /// Its head.
    pub head: Rc<Head>,
    /// The parameters in its path.
    pub parameters: Parameters,
}

impl Request {
    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// The URL.
    pub fn uri(&self) -> &Uri {
        self.head.uri()
    }

    /// The fields of a JSON body that must be there.
    ///
    /// # Errors
    /// An error that names the first problem of the body.
    pub async fn fields(&self) -> Result<Fields, ApiError> {
        let body = read_body(&self.head, &self.raw).await?;
        check_type(self.headers(), &body)?;
        Fields::parse(&body)
    }

    /// The hospital of the caller, and the caller as its room looks them up.
    ///
    /// # Errors
    /// [`ApiError::NotAuthenticated`], [`ApiError::InvalidToken`], and [`ApiError::Csrf`] for a change by a cookie from a
    /// page that is not ours.
    pub async fn caller(&self) -> Result<(HospitalId, Caller)> {
        let credentials = credentials(&self.head, &self.bindings)?;
        let caller = Caller {
            token_digest: credentials.token().digest(),
            is_imported: credentials.token().is_imported(),
            address: address(self.headers()).into(),
        };
        let hospital_id = of_proof(&Proof::Session(credentials), self.headers(), &self.bindings).await?;
        Ok((hospital_id.ok_or(ApiError::InvalidToken(TokenFault::NotValid))?, caller))
    }

    /// A user's id in the path.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] if it is not a number.
    pub fn user_id(&self) -> Result<UserId, ApiError> {
        parse_id(self.parameters.text("id").unwrap_or_default()).map(UserId::new)
    }
}

/// What a browser or program calls itself.
pub fn user_agent(headers: &HeaderMap) -> String {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default().into()
}
