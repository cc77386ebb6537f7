//! JSON bodies, as handlers take them.

use ::http::{HeaderMap, Request, header};
use axum::{
    body::{Body, Bytes},
    extract::{
        FromRequest,
        rejection::{BytesRejection, FailedToBufferBody},
    },
};
use rollcall_core::{
    Rejection,
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
        let (headers, body) = read(request, bindings).await?;
        // An empty body has no type to be wrong about: it is no JSON.
        if !body.is_empty() {
            check_type(&headers)?;
        }
        Ok(Self(Fields::parse(&body)?))
    }
}

impl FromRequest<Bindings> for OptionalJson {
    type Rejection = Error;

    async fn from_request(request: Request<Body>, bindings: &Bindings) -> Result<Self, Error> {
        let (headers, body) = read(request, bindings).await?;
        if body.is_empty() {
            return Ok(Self(Fields::default()));
        }
        check_type(&headers)?;
        Ok(Self(Fields::parse(&body)?))
    }
}

async fn read(request: Request<Body>, bindings: &Bindings) -> Result<(HeaderMap, Bytes), Rejection> {
    let headers = request.headers().clone();
    match Bytes::from_request(request, bindings).await {
        Ok(body) => Ok((headers, body)),
        Err(BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_))) => {
            Err(Rejection::TooLarge(LIMIT))
        }
        Err(_) => Err(Rejection::ParseError("the body ended early".into())),
    }
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
