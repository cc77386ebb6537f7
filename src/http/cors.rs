//! Pages hosted elsewhere: those of `ALLOWED_ORIGINS` may use the API, with a token or the cookie.
//!
//! By hand: `tower-http` answers every question of this protocol, and these four cost a fortieth of the upload that way.

use ::http::{HeaderMap, HeaderValue, Method, Request, header};
use axum::{body::Body, response::Response};

use crate::log;

/// For how long a browser may remember what it may do, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("3600");

const METHODS: HeaderValue = HeaderValue::from_static("GET,POST,PATCH,DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static("authorization,content-type");
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after,x-request-id");
const VARY: HeaderValue =
    HeaderValue::from_static("origin, access-control-request-method, access-control-request-headers");

/// What a request's page may, which the browser wants to know.
pub struct Cors {
    /// The origin, where it is listed.
    listed: Option<HeaderValue>,
    /// The browser asks before it makes its request.
    preflight: bool,
}

impl Cors {
    /// Of a request; `None` where no origin is listed at all.
    pub fn of(request: &Request<Body>, allowed_origins: &[String]) -> Option<Self> {
        // Everybody's origin would be nobody's protection.
        if allowed_origins.iter().any(|origin| origin == "*") {
            log::error("`*` in ALLOWED_ORIGINS is ignored: name the origins");
        }
        let mut origins = allowed_origins.iter().filter(|origin| *origin != "*").peekable();
        origins.peek()?;
        let origin = request.headers().get(header::ORIGIN);
        // One that is no text would be no header of an answer.
        let origin = origin.filter(|origin| origin.to_str().is_ok());
        let listed = origin.filter(|origin| origins.any(|listed| listed.as_bytes() == origin.as_bytes()));
        Some(Self { listed: listed.cloned(), preflight: request.method() == Method::OPTIONS })
    }

    /// The answer to a preflight, which no handler sees.
    pub fn preflight(&self) -> Option<Response> {
        self.preflight.then(|| {
            let mut response = Response::default();
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
            response
        })
    }

    /// Adds to any answer what the page may read of it.
    pub fn permit(self, headers: &mut HeaderMap) {
        headers.insert(header::VARY, VARY);
        if let Some(origin) = self.listed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}
