//! JSON bodies, as handlers take them.

use ::http::{HeaderMap, Request, header};
use axum::{
    body::{Body, Bytes},
    extract::{
        FromRequest, Path,
        rejection::{BytesRejection, FailedToBufferBody, PathRejection},
    },
};
use rollcall_core::{
    Id, Rejection,
    body::{Fields, LIMIT},
};

use crate::{env::Bindings, error::Error};

/// The fields of a JSON body that must be there.
pub struct Json(pub Fields);

/// The fields of a JSON body that may be left out altogether.
pub struct OptionalJson(pub Fields);

impl FromRequest<Bindings> for Json {
    type Rejection = Error;

    async fn from_request(request: Request<Body>, bindings: &Bindings) -> Result<Self, Error> {
        Ok(Self(Fields::parse(&read(request, bindings).await?)?))
    }
}

impl FromRequest<Bindings> for OptionalJson {
    type Rejection = Error;

    async fn from_request(request: Request<Body>, bindings: &Bindings) -> Result<Self, Error> {
        let body = read(request, bindings).await?;
        Ok(Self(if body.is_empty() { Fields::default() } else { Fields::parse(&body)? }))
    }
}

/// The id in a path.
///
/// # Errors
/// [`Rejection::InvalidRequest`] where it is not one: D1's numbers are JavaScript's, whole up to 2^53.
pub fn id(path: Result<Path<Id>, PathRejection>) -> Result<Id, Rejection> {
    let id = path.ok().map(|Path(id)| id).filter(|id| id.unsigned_abs() < 1 << 53);
    id.ok_or_else(|| Rejection::field("id", "A valid integer is required."))
}

/// The body, which says that it is JSON. An empty one has no type to be wrong about.
async fn read(request: Request<Body>, bindings: &Bindings) -> Result<Bytes, Rejection> {
    let headers = request.headers().clone();
    let body = Bytes::from_request(request, bindings).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => Rejection::TooLarge(LIMIT),
        _ => Rejection::ParseError("the body ended early".into()),
    })?;
    if !body.is_empty() {
        check_type(&headers)?;
    }
    Ok(body)
}

fn check_type(headers: &HeaderMap) -> Result<(), Rejection> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Rejection::UnsupportedMediaType(essence.to_string()))
    }
}
