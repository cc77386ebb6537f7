//! HTTP: the route table, and what every response carries.
//!
//! **Invariant:** a handler refuses nobody before it knows who is asking, and writes no SQL.

mod auth;
mod body;
mod connections;
mod cors;
mod documents;
mod events;
mod known;
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

use std::cell::OnceCell;

use ::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{DefaultBodyLimit, Request},
    response::Response,
    routing::{delete, get, patch, post},
};
use rollcall_core::{Rejection, body::LIMIT, wire::Health};
use tower_http::normalize_path::NormalizePath;
use tower_service::Service;
use worker::{Env, HttpRequest, ResponseBuilder, WebSocket};

use self::cors::Cors;
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
    router.with_state(bindings)
}

thread_local! {
    /// Made at the first request: the bindings are the same for as long as the isolate lives.
    static ROUTES: OnceCell<NormalizePath<Router>> = const { OnceCell::new() };
}

/// Answers a request. What goes wrong is an answer too; fails only where the runtime does not take it.
pub async fn serve(request: HttpRequest, env: Env) -> worker::Result<worker::Response> {
    // An empty body is no stream to read.
    let is_empty = request.headers().get(header::CONTENT_LENGTH).is_some_and(|length| length == "0");
    let request = request.map(|body| if is_empty { Body::empty() } else { Body::new(body) });
    let secure = request.uri().scheme_str() == Some("https");
    let bindings = Bindings::new(env);
    let cors = Cors::of(&request, &bindings.allowed_origins());
    let mut response = match cors.as_ref().and_then(Cors::preflight) {
        Some(preflight) => preflight,
        None => handle(request, bindings).await,
    };
    if let Some(cors) = cors {
        cors.permit(response.headers_mut());
    }
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        harden(response.headers_mut(), secure);
    }
    whole(response).await
}

async fn handle(request: Request, bindings: Bindings) -> Response {
    let mut routes =
        ROUTES.with(|made| made.get_or_init(|| NormalizePath::trim_trailing_slash(routes(bindings))).clone());
    match routes.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
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
