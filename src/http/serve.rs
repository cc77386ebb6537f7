//! What every request goes through, and what every response carries.
//!
//! **Invariant:** what goes wrong is an answer too, is counted, and can be found in the log by the id on the answer.

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::{
    body::{Body, to_bytes},
    response::Response,
};
use rollcall_core::{metrics::Count, token::hex};
use worker::{HttpRequest, ResponseBuilder, WebSocket};

use super::{WORDS, cors::Cors, handle};
use crate::{
    env::Bindings,
    error::Refusal,
    log::{self, About, Refused, nameless},
    metrics, random,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers a request. What goes wrong is an answer too; fails only where the runtime does not take it.
pub async fn serve(request: HttpRequest, bindings: Bindings) -> worker::Result<worker::Response> {
    let request_id = request_id(request.headers())?;
    log::about(About::request(request_id.clone()), answer(request, bindings, &request_id)).await
}

async fn answer(request: HttpRequest, bindings: Bindings, request_id: &str) -> worker::Result<worker::Response> {
    // An empty body is no stream to read.
    let is_empty = request.headers().get(header::CONTENT_LENGTH).is_some_and(|length| length == "0");
    let request = request.map(|body| if is_empty { Body::empty() } else { Body::new(body) });
    let secure = request.uri().scheme_str() == Some("https");
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let cors = Cors::of(&request, &bindings.allowed_origins());
    let mut response = match cors.as_ref().and_then(Cors::preflight) {
        Some(preflight) => preflight,
        None => handle(request, bindings).await,
    };
    if let Some(cors) = cors {
        cors.permit(response.headers_mut());
    }
    note(&method, &path, &response);
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        harden(response.headers_mut(), secure, request_id);
    }
    whole(response).await
}

/// The platform's own id of a request, which its logs have too; a runtime of one's own has none.
fn request_id(headers: &HeaderMap) -> worker::Result<String> {
    match headers.get("CF-Ray").and_then(|ray| ray.to_str().ok()) {
        Some(ray) if ray.len() <= 64 && ray.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
            Ok(ray.into())
        }
        _ => Ok(hex(&random::bytes::<8>()?)),
    }
}

/// Counts an answer, and logs it where it is a refusal.
fn note(method: &Method, path: &str, response: &Response) {
    let status = response.status().as_u16();
    metrics::count(Count::Answered(status));
    if let Some(Refusal(code)) = response.extensions().get() {
        log::refused(&Refused { code, status, method: method.as_str(), path: &nameless(path, &WORDS) });
    }
}

/// The response as the runtime takes it, its body in one piece: as a stream each would be a tenth of a millisecond more.
async fn whole(response: Response) -> worker::Result<worker::Response> {
    let (mut parts, body) = response.into_parts();
    let builder = ResponseBuilder::new().with_status(parts.status.as_u16()).with_headers((&parts.headers).into());
    if let Some(socket) = parts.extensions.remove::<WebSocket>() {
        return Ok(builder.with_websocket(socket).empty());
    }
    let body = to_bytes(body, usize::MAX).await.map_err(|error| worker::Error::RustError(error.to_string()))?;
    Ok(if body.is_empty() { builder.empty() } else { builder.fixed(body.into()) })
}

/// What every response carries: nothing here is for a cache, for another page, or for guessing its type.
fn harden(headers: &mut HeaderMap, secure: bool, request_id: &str) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, request_id);
    }
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}
