//! The routes of a hospital. Each stands once: here, with its handler. The Worker has the same paths for requests that
//! name no hospital.

use ::http::Method;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    routing::{delete, get, post},
};
use rollcall_core::{ApiError, body::LIMIT};
use worker::send::SendWrapper;

use super::{api, request::Handle, state::LiveRoom};
use crate::telemetry::error::Error;

/// Declares the routes: for the room, which answers them, and for the Worker.
macro_rules! routes {
    ($($method:ident $verb:ident $path:literal => $handler:path;)*) => {
        /// Every route of a hospital.
        fn routes() -> Router<Handle> {
            Router::new()$(.route($path, $method($handler)))*
        }

        /// The same paths and methods, all answered by `handler`.
        pub fn paths<H, T, S>(handler: H) -> Router<S>
        where
            H: Handler<T, S>,
            T: 'static,
            S: Clone + Send + Sync + 'static,
        {
            Router::new()$(.route($path, $method(handler.clone())))*
        }

        /// Method and path of every route.
        pub const TABLE: &[(Method, &str)] = &[$((Method::$verb, $path)),*];
    };
}

routes! {
    post POST "/api/users/logout" => api::sessions::logout;
    get GET "/api/users/me" => api::users::me;
    get GET "/api/users/sessions" => api::sessions::list;
    delete DELETE "/api/users/sessions/{id}" => api::sessions::revoke;
    get GET "/api/users" => api::users::list;
    post POST "/api/users/login-status" => api::duty::login;
    post POST "/api/users/logout-status" => api::duty::logout;
    post POST "/api/users/availability-status" => api::duty::availability;
    get GET "/api/users/online-doctors" => api::duty::online_doctors;
    post POST "/api/ws-ticket" => api::tickets::issue;
    get GET "/api/hms/active-connections" => api::connections::list;
    delete DELETE "/api/hms/active-connections/{email}" => api::connections::disconnect;
    get GET "/api/events" => api::events::list;
    get GET "/ws/doctor-status" => api::sockets::watch;
    get GET "/ws/connect" => api::sockets::connect;
}

/// The metrics: an administrator's are the room's, all together are the Worker's.
pub const METRICS: &str = "/metrics";

/// The room's router.
pub fn router(room: std::rc::Rc<LiveRoom>) -> Router {
    let router = routes().route(METRICS, get(api::metrics::list));
    with_fallbacks(router).with_state(SendWrapper(room))
}

/// Answers what is no route, and limits bodies.
pub fn with_fallbacks<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .fallback(async || Error::from(ApiError::NotFound))
        .method_not_allowed_fallback(async |method: Method| Error::from(ApiError::MethodNotAllowed(method.to_string())))
        .layer(DefaultBodyLimit::max(LIMIT))
}
