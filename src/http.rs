//! HTTP: the route table, and what every response carries.
//!
//! **Invariant:** a handler knows who is asking before it reads anything else, and writes no SQL.

mod auth;
mod body;
mod connections;
mod cors;
mod documents;
mod events;
pub mod object_call;
mod passwords;
#[cfg(test)]
mod schema;
mod sessions;
mod sockets;
mod status;
mod tickets;
mod tries;
mod users;

use ::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::{
    Router,
    body::Body,
    extract::DefaultBodyLimit,
    response::Response,
    routing::{delete, get, patch, post},
};
use rollcall_core::{Rejection, body::LIMIT, wire::Health};
use tower_http::normalize_path::NormalizePath;
use tower_service::Service;
use worker::HttpRequest;

use crate::{env::Bindings, error::Error};

/// Every route of the Worker. Paths work with and without the trailing slash.
fn routes(bindings: Bindings) -> Router {
    let router = Router::new();
    #[cfg(feature = "faults")]
    let router = router.merge(crate::faults::routes());
    let router = router
        .route("/api/users/login", post(sessions::login))
        .route("/api/users/logout", post(sessions::logout))
        .route("/api/users/me", get(sessions::me))
        .route("/api/users/sessions", get(sessions::list))
        .route("/api/users/sessions/{id}", delete(sessions::revoke))
        .route("/api/users/password", post(passwords::change))
        .route("/api/users", get(users::list).post(users::create))
        .route("/api/users/{id}", patch(users::edit))
        .route("/api/users/{id}/reset-password", post(passwords::reset))
        .route("/api/ws-ticket", post(tickets::issue))
        .route("/api/users/login-status", post(status::login))
        .route("/api/users/logout-status", post(status::logout))
        .route("/api/users/availability-status", post(status::availability))
        .route("/api/users/online-doctors", get(status::online_doctors))
        .route("/api/hms/active-connections", get(connections::list))
        .route("/api/hms/active-connections/{email}", delete(connections::disconnect))
        .route("/api/events", get(events::list))
        .route("/api/schema", get(documents::schema))
        .route("/api/docs", get(documents::page))
        .route("/ws/doctor-status", get(sockets::watch))
        .route("/ws/connect", get(sockets::connect))
        .route("/healthz", get(healthz))
        .fallback(async || Error::from(Rejection::NotFound))
        .method_not_allowed_fallback(async |method: Method| {
            Error::from(Rejection::MethodNotAllowed(method.to_string()))
        })
        .layer(DefaultBodyLimit::max(LIMIT));
    match cors::layer(&bindings.allowed_origins()) {
        Some(cors) => router.layer(cors),
        None => router,
    }
    .with_state(bindings)
}

/// Answers a request. Never fails: what goes wrong is an answer too.
pub async fn serve(request: HttpRequest, bindings: Bindings) -> Response {
    let request = request.map(Body::new);
    let secure = request.uri().scheme_str() == Some("https");
    let mut response = match NormalizePath::trim_trailing_slash(routes(bindings)).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        harden(response.headers_mut(), secure);
    }
    response
}

/// What every response carries: nothing here is for a cache, for another page, or for guessing its type.
fn harden(headers: &mut HeaderMap, secure: bool) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// The Worker runs. Says nothing of the database, so that a monitor costs nothing.
#[cfg_attr(test, utoipa::path(
    get, path = "/healthz", tag = "Operation", operation_id = "healthz",
    responses((status = 200, body = Health)),
    security(())
))]
async fn healthz() -> axum::Json<Health> {
    axum::Json(Health::default())
}
