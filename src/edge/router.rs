//! The Worker's own routes, and its answers to requests that name no hospital.

use ::http::Method;
use axum::{
    Router,
    routing::{get, patch, post},
};
use matchit::Router as Paths;
use rollcall_core::wire::Health;

use super::{accounts, documents, forward, metrics, sign_in};
use crate::{
    platform::env::Bindings,
    room::router::{self, METRICS},
    telemetry::http,
};

/// Declares the Worker's routes.
macro_rules! routes {
    ($($method:ident $verb:ident $path:literal => $handler:path;)*) => {
        fn routes() -> Router<Bindings> {
            Router::new()$(.route($path, $method($handler)))*
        }

        /// Method and path of every route.
        pub const TABLE: &[(Method, &str)] = &[$((Method::$verb, $path)),*];
    };
}

routes! {
    post POST "/api/users/login" => sign_in::login;
    post POST "/api/users/password" => accounts::change_password;
    post POST "/api/users/{id}/reset-password" => accounts::reset_password;
    post POST "/api/users" => accounts::create;
    patch PATCH "/api/users/{id}" => accounts::edit;
    get GET "/api/schema" => documents::schema;
    get GET "/api/docs" => documents::page;
    get GET "/healthz" => healthz;
}

/// Everything that the Worker answers.
pub fn app(bindings: Bindings) -> http::App {
    let origins = bindings.allowed_origins();
    let router = routes();
    #[cfg(feature = "faults")]
    let router = router.merge(crate::platform::faults::routes());
    // The paths of a room too, for requests that name none: they find out why.
    let router = router.merge(router::paths(forward::without_room)).route(METRICS, get(metrics::list));
    http::app(router::with_fallbacks(router).with_state(bindings), &origins)
}

/// Answers every path with the reason why its room cannot be found or reached.
pub fn without_room(bindings: Bindings) -> http::App {
    let origins = bindings.allowed_origins();
    http::app(Router::new().fallback(forward::without_room).with_state(bindings), &origins)
}

/// The requests that the Worker answers itself, with a token or without.
pub struct OwnPaths(Paths<Vec<(Method, bool)>>);

impl OwnPaths {
    /// From the tables of the Worker and the room.
    pub fn new() -> Self {
        let mut paths = Paths::new();
        let own = TABLE.iter().map(|(method, path)| (method, path, true));
        let of_room = router::TABLE.iter().map(|(method, path)| (method, path, false));
        let mut by_path = std::collections::BTreeMap::<&str, Vec<(Method, bool)>>::new();
        for (method, path, is_own) in own.chain(of_room) {
            by_path.entry(path).or_default().push((method.clone(), is_own));
        }
        for (path, methods) in by_path {
            // The tables are the router's own, which would have refused a conflict.
            let _ = paths.insert(path, methods);
        }
        Self(paths)
    }

    /// Whether the Worker answers a request of this method and path.
    pub fn contain(&self, method: &Method, path: &str) -> bool {
        #[cfg(feature = "faults")]
        if path.starts_with("/faults/") {
            return true;
        }
        let Ok(found) = self.0.at(path.trim_end_matches('/')) else { return false };
        match found.value.iter().find(|(known, _)| known == method) {
            Some((_, is_own)) => *is_own,
            // Another method: the Worker has the paths of both, and says which methods there are.
            None => found.value.iter().any(|(_, is_own)| *is_own),
        }
    }
}

/// The Worker runs. Says nothing of the database, so that a monitor costs nothing.
#[cfg_attr(test, utoipa::path(
    get, path = "/healthz", tag = "Operation", operation_id = "healthz",
    responses((status = 200, body = Health)),
    security(())
))]
pub async fn healthz() -> axum::Json<Health> {
    axum::Json(Health { version: env!("CARGO_PKG_VERSION").into(), ..Health::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_answers_its_own_paths_and_hands_on_the_others() {
        let own = OwnPaths::new();
        for (method, path) in [
            (Method::POST, "/api/users/login/"),
            (Method::POST, "/api/users"),
            (Method::PATCH, "/api/users/7/"),
            (Method::GET, "/api/users/7"),
            (Method::OPTIONS, "/api/users"),
            (Method::POST, "/api/users/7/reset-password"),
            (Method::GET, "/healthz"),
        ] {
            assert!(own.contain(&method, path), "{method} {path}");
        }
        for (method, path) in [
            (Method::GET, "/api/users/"),
            (Method::POST, "/api/users/login-status/"),
            (Method::GET, "/ws/connect"),
            (Method::DELETE, "/api/users/sessions/7"),
            (Method::GET, "/nowhere"),
        ] {
            assert!(!own.contain(&method, path), "{method} {path}");
        }
    }
}
