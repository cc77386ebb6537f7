//! What a hospital's administrator may watch, for Prometheus. It needs no D1.

use rollcall_core::{auth::Permission, internal::room_samples, metrics::render};

use crate::{
    room::request::Request,
    telemetry::{
        error::Result,
        response::{Response, typed},
    },
};

/// What there is to watch.
///
/// `GET /metrics`
#[cfg_attr(test, utoipa::path(
    get, path = "/metrics", tag = "Operation", operation_id = "metrics",
    responses(
        (status = 200, content_type = "text/plain", body = String, description = "Prometheus' text format 0.0.4"),
        (status = 401), (status = 403)
    ),
    security(("token" = []), ("token_of_metrics" = []))
))]
pub async fn list(request: Request) -> Result<Response> {
    request.permitted(Permission::ReadMetrics)?;
    let room = &request.room;
    let hospitals = [
        (room.hospital_id(), room_samples(Some(room.metrics()?))),
        (Default::default(), vec![rollcall_core::metrics::build_info(env!("CARGO_PKG_VERSION"))]),
    ];
    Ok(text(&render(&hospitals)))
}

/// Metrics as Prometheus reads them.
pub fn text(metrics: &str) -> Response {
    typed("text/plain; version=0.0.4; charset=utf-8", metrics.into())
}
