//! What describes the API: made from the Rust types at build time, and served as it is.

use http_body_util::BodyExt;

use super::request::Request;
use crate::{
    platform::env::Bindings,
    telemetry::{
        error::Result,
        response::{Body, Response},
    },
};

/// `GET /api/schema`: OpenAPI 3.1.
pub async fn schema(request: Request) -> Result<Response> {
    asset(&request.bindings, "/openapi.json").await
}

/// `GET /api/docs`: a page to read and try it.
pub async fn page(request: Request) -> Result<Response> {
    asset(&request.bindings, "/api-docs").await
}

async fn asset(bindings: &Bindings, path: &str) -> Result<Response> {
    // The host is nobody's: the binding looks at the path only.
    let address = format!("https://assets{path}");
    let request = worker::Request::new(&address, worker::Method::Get)?;
    let (head, body) = bindings.assets()?.fetch_request(request).await?.into_parts();
    Ok(Response::from_parts(head, Body::Bytes(body.collect().await?.to_bytes().into())))
}
