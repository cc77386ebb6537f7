//! Pages hosted elsewhere: those of `ALLOWED_ORIGINS` may use the API, with a token or the cookie.

use std::time::Duration;

use ::http::{HeaderValue, Method, header};
use tower_http::cors::CorsLayer;
use worker::console_error;

/// For how long a browser may remember what it may do.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// What answers preflights, and adds to answers what the listed origins may read; nothing where none is listed.
pub fn layer(allowed_origins: &[String]) -> Option<CorsLayer> {
    // Everybody's origin would be nobody's protection; and `CorsLayer` would panic.
    let (anybody, listed): (Vec<_>, Vec<_>) = allowed_origins.iter().partition(|origin| *origin == "*");
    if !anybody.is_empty() {
        console_error!("`*` in ALLOWED_ORIGINS is ignored: name the origins");
    }
    let origins: Vec<_> = listed.into_iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(origins)
            .allow_credentials(true)
            .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
            .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
            .expose_headers([header::RETRY_AFTER])
            .max_age(MAX_AGE)
    })
}
