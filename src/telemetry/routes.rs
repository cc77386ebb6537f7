//! Finds the handler of a request by path and method, in the Worker and in a room.

use std::pin::Pin;

use ::http::{HeaderValue, Method, header};
use percent_encoding::percent_decode_str;
use rollcall_core::ApiError;

use super::{
    error::{Error, Result},
    http::Head,
    response::Response,
};

/// Answers a request, in whatever form `R` it takes it.
pub type Handler<R> = fn(R) -> Pin<Box<dyn Future<Output = Result<Response>>>>;

/// A route: its method, its path without the trailing slash, and its handler.
pub type Route<R> = (Method, &'static str, Handler<R>);

/// Declares routes.
macro_rules! routes {
    ($($method:ident $path:literal => $handler:path;)*) => {
        &[$((::http::Method::$method, $path, |request| Box::pin($handler(request)))),*]
    };
}
pub(crate) use routes;

/// Routes by path.
pub struct Routes<R: 'static>(matchit::Router<Vec<Route<R>>>);

/// The route of a request, as far as there is one.
pub struct Found<R> {
    /// The route's path, for the log: without what stands for its parameters. Empty if there is no such path.
    pub path: &'static str,
    /// The path's parameters.
    pub parameters: Parameters,
    /// The handler. If there is none, the response that says so.
    pub handler: Result<Handler<R>, Response>,
}

/// The parameters in a path, by name.
#[derive(Default)]
pub struct Parameters(Vec<(String, String)>);

impl<R> Routes<R> {
    /// From lists of routes.
    pub fn new(lists: impl IntoIterator<Item = Route<R>>) -> Self {
        let mut paths = std::collections::BTreeMap::<&str, Vec<Route<R>>>::new();
        for route in lists {
            paths.entry(route.1).or_default().push(route);
        }
        let mut router = matchit::Router::new();
        for (path, routes) in paths {
            // Two paths that exclude each other are found by a test.
            let _ = router.insert(path, routes);
        }
        Self(router)
    }

    /// Finds what answers a request. The trailing slash of a path does not count, and `HEAD` is answered like `GET`.
    pub fn find(&self, head: &Head) -> Found<R> {
        let Ok(found) = self.0.at(head.uri().path().trim_end_matches('/')) else {
            let handler = Err(Error::from(ApiError::NotFound).into_response());
            return Found { path: "", parameters: Parameters::default(), handler };
        };
        let method = if head.method() == Method::HEAD { &Method::GET } else { head.method() };
        let handler = found.value.iter().find(|(known, ..)| known == method).map(|(.., handler)| *handler);
        Found {
            path: found.value.first().map_or("", |(_, path, _)| path),
            // One that is no text counts as missing.
            parameters: Parameters(
                found.params.iter().filter_map(|(name, value)| Some((name.into(), decoded(value)?))).collect(),
            ),
            handler: handler.ok_or_else(|| other_method(head.method(), found.value)),
        }
    }
}

impl Parameters {
    /// The parameter of that name.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] naming it.
    pub fn text(&self, name: &str) -> Result<&str, ApiError> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| ApiError::field(name, "Not a valid string."))
    }
}

fn decoded(value: &str) -> Option<String> {
    Some(percent_decode_str(value).decode_utf8().ok()?.into_owned())
}

/// The answer to a method that the path does not have: those that it has.
fn other_method<R>(method: &Method, routes: &[Route<R>]) -> Response {
    let mut response = Error::from(ApiError::MethodNotAllowed(method.to_string())).into_response();
    let names = routes.iter().map(|(method, ..)| if method == Method::GET { "GET,HEAD" } else { method.as_str() });
    if let Ok(allowed) = HeaderValue::from_str(&names.collect::<Vec<_>>().join(",")) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(method: Method, path: &str) -> Found<()> {
        async fn answer(_request: ()) -> Result<Response> {
            Ok(Response::default())
        }
        let routes: &[Route<()>] = routes! {
            GET "/api/users" => answer;
            POST "/api/users" => answer;
            PATCH "/api/users/{id}" => answer;
        };
        let mut head = Head::new(());
        *head.method_mut() = method;
        *head.uri_mut() = path.parse().unwrap();
        Routes::new(routes.iter().cloned()).find(&head)
    }

    #[test]
    fn a_route_is_found_with_and_without_the_trailing_slash() {
        for (method, path, route) in [
            (Method::GET, "/api/users", "/api/users"),
            (Method::HEAD, "/api/users/", "/api/users"),
            (Method::POST, "https://duty.example/api/users/?x=1", "/api/users"),
            (Method::PATCH, "/api/users/7/", "/api/users/{id}"),
        ] {
            let found = find(method, path);
            assert!(found.handler.is_ok(), "{path}");
            assert_eq!(found.path, route);
        }
    }

    #[test]
    fn a_parameter_is_decoded_once_and_one_that_is_no_text_is_missing() {
        for (path, id) in [("a%40b.example", Some("a@b.example")), ("%2540", Some("%40")), ("%ff", None)] {
            let found = find(Method::PATCH, &format!("/api/users/{path}"));
            assert_eq!(found.parameters.text("id").ok(), id, "{path}");
        }
        assert!(find(Method::PATCH, "/api/users/7").parameters.text("other").is_err());
    }

    #[test]
    fn another_method_is_told_those_that_there_are() {
        let refused = find(Method::DELETE, "/api/users").handler.err().unwrap();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()[header::ALLOW]),
            (405, &"GET,HEAD,POST".parse().unwrap())
        );
        let missing = find(Method::GET, "/api/nowhere");
        assert_eq!((missing.path, missing.handler.err().unwrap().status().as_u16()), ("", 404));
    }
}
