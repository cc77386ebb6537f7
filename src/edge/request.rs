//! What the Worker's own handlers read of a request.

use ::http::{HeaderMap, Method, Uri, header};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Path, Request, rejection::PathRejection},
};
use rollcall_core::{ApiError, HospitalId, UserId, body::Fields, error::TokenFault, internal::Caller};

use super::forward::of_proof;
use crate::{
    platform::env::Bindings,
    room::{
        handshake::Proof,
        request::{address, body_error, check_type, credentials, parse_id},
    },
    telemetry::error::{Error, Result},
};

/// The fields of a JSON body that must be there.
pub struct Json(pub Fields);

impl FromRequest<Bindings> for Json {
    type Rejection = Error;

    async fn from_request(request: Request<Body>, bindings: &Bindings) -> Result<Self> {
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, bindings).await.map_err(body_error)?;
        if !body.is_empty() {
            check_type(&headers)?;
        }
        Ok(Self(Fields::parse(&body)?))
    }
}

/// Who asks, for the room to look up; and which hospital's room that is.
///
/// # Errors
/// [`ApiError::NotAuthenticated`], [`ApiError::InvalidToken`], and [`ApiError::Csrf`] for a change by a cookie from a page
/// that is not ours.
pub async fn caller(
    headers: &HeaderMap,
    uri: &Uri,
    method: &Method,
    bindings: &Bindings,
) -> Result<(HospitalId, Caller)> {
    let credentials = credentials(headers, uri, method, bindings)?;
    let caller = Caller {
        token_digest: credentials.token().digest(),
        is_imported: credentials.token().is_imported(),
        address: address(headers).into(),
    };
    let hospital_id = of_proof(&Proof::Session(credentials), headers, bindings).await?;
    Ok((hospital_id.ok_or(ApiError::InvalidToken(TokenFault::NotValid))?, caller))
}

/// A user's id in a path.
///
/// # Errors
/// [`ApiError::InvalidRequest`] if it is not a number.
pub fn user_id(path: Result<Path<String>, PathRejection>) -> Result<UserId, ApiError> {
    let text = path.map(|Path(text)| text).unwrap_or_default();
    parse_id(&text).map(UserId::new)
}

/// What a browser or program calls itself.
pub fn user_agent(headers: &HeaderMap) -> String {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default().into()
}
