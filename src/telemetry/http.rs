//! What every request goes through, in the Worker and in a room, and what every response carries.
//!
//! **Invariant:** a failure is an answer too, is counted, and can be found in the log by the id on the answer.

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{MatchedPath, Request},
    middleware::{Next, from_fn},
    response::Response,
};
use rollcall_core::metrics::Count;
use tower_http::{
    cors::{AllowOrigin, CorsLayer},
    normalize_path::NormalizePath,
};
use tower_service::Service;
use worker::{ResponseBuilder, WebSocket, web_sys};

use super::{
    context,
    error::ErrorCode,
    log::{self, RejectedRequest},
    metrics,
};
use crate::platform::{js, random};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// For how long a browser may remember what a page hosted elsewhere may do.
const CORS_MAX_AGE: std::time::Duration = std::time::Duration::from_secs(3600);

/// A router with what every request goes through around it. Paths work with and without the trailing slash.
pub type App = NormalizePath<Router>;

/// Puts around `router` what every request goes through. Pages of `allowed_origins` may use it from elsewhere.
pub fn app(router: Router, allowed_origins: &[String]) -> App {
    let router = router.layer(from_fn(log_and_count));
    let router = match cors(allowed_origins) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    NormalizePath::trim_trailing_slash(router)
}

/// A body of no more bytes, whose length the client says, is read at once: as a stream it would take a tenth of a
/// millisecond more.
const SMALL: usize = 4096;

/// A request of the runtime's as routers take it, but for its body.
///
/// # Errors
/// That it cannot be read.
pub fn read_head(request: &web_sys::Request) -> worker::Result<Request> {
    let (method, url, headers): (String, String, Vec<(String, String)>) = serde_json::from_str(&js::head(request))?;
    let mut head = Request::new(Body::empty());
    *head.method_mut() = method.parse().map_err(|_| worker::Error::RustError("the method is not valid".into()))?;
    // One of more than 64 KB is no path of ours.
    *head.uri_mut() = url.parse().unwrap_or_default();
    for (name, value) in headers {
        // The `worker` crate's conversion refuses the whole request for one invalid header. This leaves that header out.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            head.headers_mut().append(name, value);
        }
    }
    Ok(head)
}

/// Gives a request its body.
///
/// # Errors
/// That it cannot be read.
pub async fn with_body(head: Request, request: &web_sys::Request) -> worker::Result<Request> {
    let length = head.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let body = match length {
        Some(0) => Body::empty(),
        Some(1..=SMALL) => Body::from(js::body(request).await?),
        _ => request.body().map_or_else(Body::empty, |stream| Body::new(worker::Body::new(stream))),
    };
    Ok(head.map(|_| body))
}

/// Answers a request. Fails only if the runtime does not take the answer.
///
/// # Errors
/// The runtime's.
pub async fn respond(mut app: App, request: Request) -> worker::Result<worker::Response> {
    let secure = request.uri().scheme_str() == Some("https");
    let mut response = match app.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        harden(response.headers_mut(), secure);
    }
    into_one_piece(response).await
}

/// The platform's own id of a request, which its logs have too, or a new one if the runtime gives none.
///
/// # Errors
/// The runtime's, if it has no random bytes.
pub fn request_id(headers: &HeaderMap) -> worker::Result<String> {
    match headers.get("cf-ray").and_then(|ray| ray.to_str().ok()) {
        Some(ray) if ray.len() <= 64 && ray.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
            Ok(ray.into())
        }
        _ => Ok(hex::encode(random::bytes::<8>()?)),
    }
}

async fn log_and_count(matched: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    metrics::count(Count::Answered(status));
    if let Some(ErrorCode(code)) = response.extensions().get() {
        let path = matched.as_ref().map(MatchedPath::as_str).unwrap_or_default();
        log::rejected(&RejectedRequest { code, status, method: method.as_str(), path });
    }
    response
}

/// `None` if no origin is listed.
fn cors(allowed_origins: &[String]) -> Option<CorsLayer> {
    // To allow every origin would be to protect none.
    let (all, listed): (Vec<_>, Vec<_>) = allowed_origins.iter().partition(|origin| *origin == "*");
    if !all.is_empty() {
        log::error("`*` in ALLOWED_ORIGINS is ignored: name the origins");
    }
    let listed: Vec<HeaderValue> = listed.into_iter().filter_map(|origin| origin.parse().ok()).collect();
    (!listed.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(listed))
            .allow_credentials(true)
            .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
            .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
            .expose_headers([header::RETRY_AFTER, REQUEST_ID])
            .max_age(CORS_MAX_AGE)
    })
}

/// The response as the runtime takes it, its body in one piece: each stream would take a tenth of a millisecond more.
async fn into_one_piece(response: Response) -> worker::Result<worker::Response> {
    let (mut parts, body) = response.into_parts();
    let builder = ResponseBuilder::new().with_status(parts.status.as_u16()).with_headers((&parts.headers).into());
    if let Some(socket) = parts.extensions.remove::<WebSocket>() {
        return Ok(builder.with_websocket(socket).empty());
    }
    let body = to_bytes(body, usize::MAX).await.map_err(|error| worker::Error::RustError(error.to_string()))?;
    Ok(if body.is_empty() { builder.empty() } else { builder.fixed(body.into()) })
}

/// Adds what every response carries: nothing here is for a cache, for another page, or for guessing its type.
fn harden(headers: &mut HeaderMap, secure: bool) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(request_id) = HeaderValue::from_str(context::current().request_id()) {
        headers.insert(REQUEST_ID, request_id);
    }
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}
