//! What every request goes through, in the Worker and in a room, and what every response carries.
//!
//! **Invariant:** a failure is an answer too, is counted, and can be found in the log by the id on the answer.

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use rollcall_core::{ApiError, body::LIMIT, metrics::Count};
use tower::{Layer, Service, service_fn};
use tower_http::cors::{AllowOrigin, CorsLayer};
use worker::web_sys;

use super::{
    context,
    error::ErrorCode,
    log::{self, RejectedRequest},
    metrics,
    response::{Body, Response},
};
use crate::platform::{js, random};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// For how long a browser may remember what a page hosted elsewhere may do.
const CORS_MAX_AGE: std::time::Duration = std::time::Duration::from_secs(3600);

/// A request without its body.
pub type Head = ::http::Request<()>;

/// The head of a request of the runtime's.
///
/// # Errors
/// That it cannot be read.
pub fn read_head(request: &web_sys::Request) -> worker::Result<Head> {
    let (method, url, headers): (String, String, Vec<(String, String)>) = serde_json::from_str(&js::head(request))?;
    let mut head = Head::new(());
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

/// The body of a request, whole.
///
/// # Errors
/// [`ApiError::TooLarge`], or [`ApiError::ParseError`] if the client has not sent all of it.
pub async fn read_body(head: &Head, request: &web_sys::Request) -> Result<Vec<u8>, ApiError> {
    let ended_early = || ApiError::ParseError("the body ended early".into());
    if matches!(*head.method(), Method::GET | Method::HEAD) {
        return Ok(vec![]);
    }
    let length = head.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    match length {
        Some(0) => Ok(vec![]),
        // As a stream it would take a tenth of a millisecond more.
        Some(1..=LIMIT) => js::body(request).await.map_err(|_| ended_early()),
        Some(_) => Err(ApiError::TooLarge(LIMIT)),
        None => {
            let Some(stream) = request.body() else { return Ok(vec![]) };
            let body = Limited::new(worker::Body::new(stream), LIMIT).collect().await;
            body.map(|body| body.to_bytes().to_vec())
                .map_err(|error| if error.is::<LengthLimitError>() { ApiError::TooLarge(LIMIT) } else { ended_early() })
        }
    }
}

/// Logs and counts an answer, adds what every answer carries, and hands it to the runtime. `path` is the route's. Pages
/// of the origins that `cors` allows may read it.
///
/// # Errors
/// The runtime's.
pub async fn finish(
    head: &Head,
    path: &str,
    response: Response,
    cors: Option<&CorsLayer>,
) -> worker::Result<web_sys::Response> {
    let mut response = match cors {
        Some(cors) => with_cors(cors, head.clone(), response).await,
        None => response,
    };
    log_and_count(head.method(), path, &response);
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        harden(response.headers_mut(), is_secure(head.uri()));
    }
    let (parts, body) = response.into_parts();
    let headers = parts.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let headers = serde_json::to_string(&headers.collect::<Vec<_>>())?;
    let (bytes, socket) = match &body {
        Body::Bytes(bytes) => (bytes.as_slice(), None),
        Body::Socket(socket) => (&[][..], Some(socket)),
        Body::Empty | Body::OfRoom(_) => (&[][..], None),
    };
    js::respond(parts.status.as_u16(), &headers, bytes, socket)
}

/// Whether a request came by HTTPS.
pub fn is_secure(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https")
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

fn log_and_count(method: &Method, path: &str, response: &Response) {
    let status = response.status().as_u16();
    metrics::count(Count::Answered(status));
    if let Some(ErrorCode(code)) = response.extensions().get() {
        log::rejected(&RejectedRequest { code, status, method: method.as_str(), path });
    }
}

async fn with_cors(cors: &CorsLayer, head: Head, response: Response) -> Response {
    let mut response = Some(response);
    let answer = service_fn(|_| {
        let response = response.take().unwrap_or_default();
        async { Ok::<_, std::convert::Infallible>(response) }
    });
    match cors.layer(answer).call(head).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The CORS layer for pages of `allowed_origins`. `None` if no origin is listed.
pub fn cors(allowed_origins: &[String]) -> Option<CorsLayer> {
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
