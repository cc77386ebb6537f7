//! What describes the API: made from the Rust types at build time, and served as it is.

use axum::{body::Body, extract::State, response::Response};
use worker::send::SendFuture;

use crate::{platform::env::Bindings, telemetry::error::Result};

/// `GET /api/schema`: OpenAPI 3.1.
pub async fn schema(State(bindings): State<Bindings>) -> Result<Response> {
    asset(&bindings, "/openapi.json").await
}

/// `GET /api/docs`: a page to read and try it.
pub async fn page(State(bindings): State<Bindings>) -> Result<Response> {
    asset(&bindings, "/api-docs").await
}

async fn asset(bindings: &Bindings, path: &str) -> Result<Response> {
    // The host is nobody's: the binding looks at the path only.
    let address = format!("https://assets{path}");
    SendFuture::new(async {
        let request = worker::Request::new(&address, worker::Method::Get)?;
        Ok(bindings.assets()?.fetch_request(request).await?.map(Body::new))
    })
    .await
}
