//! The Worker's routes: its own, and those of a room, whose requests it hands on.

use rollcall_core::wire::Health;

use super::{accounts, documents, forward, metrics, request::Request, sign_in};
use crate::{
    room,
    telemetry::{
        error::Result,
        response::{Response, json},
        routes::{Handler, Route, Routes, routes},
    },
};

/// The routes that the Worker answers itself.
pub const ROUTES: &[Route<Request>] = routes! {
    POST "/api/users/login" => sign_in::login;
    POST "/api/users/password" => accounts::change_password;
    POST "/api/users/{id}/reset-password" => accounts::reset_password;
    POST "/api/users" => accounts::create;
    PATCH "/api/users/{id}" => accounts::edit;
    GET "/metrics" => metrics::list;
    GET "/api/schema" => documents::schema;
    GET "/api/docs" => documents::page;
    GET "/healthz" => healthz;
};

/// Every route.
pub fn routes() -> Routes<Request> {
    let hand_on: Handler<Request> = |request| Box::pin(forward::to_room(request));
    let is_own =
        |method, path| ROUTES.iter().any(|(own_method, own_path, _)| (own_method, *own_path) == (method, path));
    let of_rooms = room::router::ROUTES.iter().filter(|(method, path, _)| !is_own(method, *path));
    let handed_on = of_rooms.map(|(method, path, _)| (method.clone(), *path, hand_on));
    let own = ROUTES.iter().cloned();
    #[cfg(feature = "faults")]
    let own = own.chain(super::faults::ROUTES.iter().cloned());
    Routes::new(own.chain(handed_on))
}

/// The Worker runs. Says nothing of the database, so that a monitor costs nothing.
#[cfg_attr(test, utoipa::path(
    get, path = "/healthz", tag = "Operation", operation_id = "healthz",
    responses((status = 200, body = Health)),
    security(())
))]
pub async fn healthz(_request: Request) -> Result<Response> {
    Ok(json(&Health { version: env!("CARGO_PKG_VERSION").into(), ..Health::default() })?)
}

#[cfg(test)]
mod tests {
    use ::http::Method;

    use super::*;
    use crate::telemetry::http::Head;

    fn find(method: &Method, path: &str) -> (&'static str, Option<String>) {
        let mut head = Head::new(());
        (*head.method_mut(), *head.uri_mut()) = (method.clone(), path.parse().unwrap());
        let found = routes().find(&head);
        let refused = found.handler.err();
        (found.path, refused.map(|response| response.headers()["allow"].to_str().unwrap().to_owned()))
    }

    #[test]
    fn every_route_of_the_worker_and_of_a_room_is_found() {
        let of_worker = ROUTES.iter().map(|(method, path, _)| (method, *path));
        let of_rooms = room::router::ROUTES.iter().map(|(method, path, _)| (method, *path));
        for (method, path) in of_worker.chain(of_rooms) {
            assert_eq!(find(method, &path.replace("{id}", "7").replace("{email}", "a@b.example")), (path, None));
        }
    }

    #[test]
    fn a_path_that_the_worker_and_the_room_share_has_the_methods_of_both() {
        let (path, allowed) = find(&Method::DELETE, "/api/users/");
        assert_eq!((path, allowed.as_deref()), ("/api/users", Some("POST,GET,HEAD")));
        assert_eq!(find(&Method::POST, "/metrics").1.as_deref(), Some("GET,HEAD"));
    }
}
