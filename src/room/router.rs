//! The routes of a hospital. Each stands once: here, with its handler. The Worker has the same paths.

use std::rc::Rc;

use tower_http::cors::CorsLayer;
use worker::web_sys;

use super::{api, request::Request, state::LiveRoom};
use crate::{
    platform::{clock, faults},
    telemetry::{
        context::{RequestContext, with_context},
        error::Error,
        http,
        routes::{Found, Route, Routes, routes},
    },
};

/// Every route of a hospital.
pub const ROUTES: &[Route<Request>] = routes! {
    POST "/api/users/logout" => api::sessions::logout;
    GET "/api/users/me" => api::users::me;
    GET "/api/users/sessions" => api::sessions::list;
    DELETE "/api/users/sessions/{id}" => api::sessions::revoke;
    GET "/api/users" => api::users::list;
    POST "/api/users/login-status" => api::duty::login;
    POST "/api/users/logout-status" => api::duty::logout;
    POST "/api/users/availability-status" => api::duty::availability;
    GET "/api/users/online-doctors" => api::duty::online_doctors;
    POST "/api/ws-ticket" => api::tickets::issue;
    GET "/api/hms/active-connections" => api::connections::list;
    DELETE "/api/hms/active-connections/{email}" => api::connections::disconnect;
    GET "/api/events" => api::events::list;
    GET "/ws/doctor-status" => api::sockets::watch;
    GET "/ws/connect" => api::sockets::connect;
    GET "/metrics" => api::metrics::list;
};

thread_local! {
    static BY_PATH: Routes<Request> = Routes::new(ROUTES.iter().cloned());
}

/// Answers what a client sent, and trusts nothing in it.
///
/// # Errors
/// The runtime's.
pub async fn serve(
    room: Rc<LiveRoom>,
    cors: Option<CorsLayer>,
    request: web_sys::Request,
) -> worker::Result<web_sys::Response> {
    let arrived_at = clock::now();
    let head = Rc::new(http::read_head(&request)?);
    let context = RequestContext::of_room(room.hospital_id(), http::request_id(head.headers())?);
    with_context(context, async {
        faults::point("room", room.hospital_id()).await?;
        let Found { path, parameters, handler } = BY_PATH.with(|routes| routes.find(&head));
        let response = match handler {
            Ok(handler) => {
                let request = Request::read(room, Rc::clone(&head), &request, parameters, arrived_at).await;
                handler(request).await.unwrap_or_else(Error::into_response)
            }
            Err(response) => response,
        };
        http::finish(&head, path, response, cors.as_ref()).await
    })
    .await
}
