//! HTTP: the route table.
//!
//! **Invariant:** a handler refuses nobody before it knows who is asking, and writes no SQL.

mod auth;
mod body;
mod connections;
mod cors;
mod documents;
mod events;
mod known;
mod metrics;
pub mod object_call;
mod passwords;
#[cfg(test)]
mod schema;
mod serve;
mod sessions;
mod sockets;
mod status;
mod tickets;
mod tries;
mod users;
mod verification;

pub use serve::serve;

use std::cell::OnceCell;

use ::http::Method;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    response::Response,
    routing::{delete, get, patch, post},
};
use rollcall_core::{Rejection, body::LIMIT, wire::Health};
use tower_http::normalize_path::NormalizePath;
use tower_service::Service;

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
        .route("/metrics", get(metrics::list))
        .fallback(async || Error::from(Rejection::NotFound))
        .method_not_allowed_fallback(async |method: Method| {
            Error::from(Rejection::MethodNotAllowed(method.to_string()))
        })
        .layer(DefaultBodyLimit::max(LIMIT));
    router.with_state(bindings)
}

/// The words of the routes: of a path nothing else is logged.
const WORDS: [&str; 24] = [
    "",
    "active-connections",
    "api",
    "availability-status",
    "connect",
    "doctor-status",
    "docs",
    "events",
    "healthz",
    "hms",
    "login",
    "login-status",
    "logout",
    "logout-status",
    "me",
    "metrics",
    "online-doctors",
    "password",
    "reset-password",
    "schema",
    "sessions",
    "users",
    "ws",
    "ws-ticket",
];

thread_local! {
    /// Made at the first request: the bindings are the same for as long as the isolate lives.
    static ROUTES: OnceCell<NormalizePath<Router>> = const { OnceCell::new() };
}

/// Hands a request to its handler.
async fn handle(request: Request, bindings: Bindings) -> Response {
    let mut routes =
        ROUTES.with(|made| made.get_or_init(|| NormalizePath::trim_trailing_slash(routes(bindings))).clone());
    match routes.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The Worker runs. Says nothing of the database, so that a monitor costs nothing.
#[cfg_attr(test, utoipa::path(
    get, path = "/healthz", tag = "Operation", operation_id = "healthz",
    responses((status = 200, body = Health)),
    security(())
))]
async fn healthz() -> axum::Json<Health> {
    axum::Json(Health { version: env!("CARGO_PKG_VERSION").into(), ..Health::default() })
}
