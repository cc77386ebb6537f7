//! Arms faults over HTTP: only in a build with the feature `faults`, which is never deployed.

use ::http::StatusCode;
use serde::de::DeserializeOwned;

use super::request::Request;
use crate::{
    platform::faults,
    telemetry::{
        error::Result,
        response::{Response, empty, json},
        routes::{Route, routes},
    },
};

pub const ROUTES: &[Route<Request>] = routes! {
    GET "/faults/arm/{hospital}/{point}/{fault}" => arm;
    GET "/faults/armed" => armed;
    GET "/faults/clock/{seconds}" => clock;
    GET "/faults/counts" => counts;
    GET "/faults/counts/{hospital}" => counts_of;
    GET "/faults/panic" => strike;
};

fn parameter<T: DeserializeOwned>(request: &Request, name: &str) -> Result<T> {
    Ok(serde_json::from_str(request.parameters.text(name)?).map_err(worker::Error::from)?)
}

async fn arm(request: Request) -> Result<Response> {
    let (point, fault) = (request.parameters.text("point")?, request.parameters.text("fault")?);
    faults::arm(parameter(&request, "hospital")?, point, fault);
    Ok(empty(StatusCode::OK))
}

async fn armed(_request: Request) -> Result<Response> {
    Ok(json(&faults::is_armed())?)
}

async fn clock(request: Request) -> Result<Response> {
    faults::set_clock_forward(parameter(&request, "seconds")?);
    Ok(empty(StatusCode::OK))
}

async fn counts(_request: Request) -> Result<Response> {
    Ok(json(&faults::counts())?)
}

async fn counts_of(request: Request) -> Result<Response> {
    Ok(json(&faults::counts_of(parameter(&request, "hospital")?))?)
}

#[expect(clippy::panic, reason = "that is what it is for")]
async fn strike(_request: Request) -> Result<Response> {
    panic!("a fault was asked for")
}
