//! What an operator may watch of all hospitals, for Prometheus.

use std::time::Duration;

use ::http::header;
use futures_util::future::join_all;
use rollcall_core::{
    ApiError, HospitalId,
    auth::bears,
    error::TokenFault,
    internal::{RoomCall, RoomMetrics, room_samples},
    metrics::{Samples, build_info, render},
};

use super::{forward, request::Request, room_calls};
use crate::{
    d1::counters,
    platform::{clock, env::Bindings},
    room::api::metrics::text,
    telemetry::{error::Result, response::Response},
};

/// A room that has not answered by then is not up.
const TIMEOUT: Duration = Duration::from_secs(3);

/// `GET /metrics` with `METRICS_TOKEN`; an administrator's request is answered by their room.
pub async fn list(request: Request) -> Result<Response> {
    let authorization = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes()).unwrap_or_default();
    match bears(authorization, request.bindings.metrics_token().as_deref()) {
        Some(true) => of_all(request.bindings).await,
        Some(false) => Err(ApiError::InvalidToken(TokenFault::NotValid).into()),
        None => forward::to_room(request).await,
    }
}

async fn of_all(bindings: Bindings) -> Result<Response> {
    counters::flush(bindings.clone()).await;
    let mut hospitals = counters::read(&bindings.db()?).await?;
    let measured = join_all(hospitals.iter().map(|(id, _)| of_room(&bindings, *id))).await;
    for ((_, samples), of_room) in hospitals.iter_mut().zip(measured) {
        add(samples, of_room);
    }
    hospitals.push((HospitalId::default(), vec![build_info(env!("CARGO_PKG_VERSION"))]));
    Ok(text(&render(&hospitals)))
}

/// What a room measures and has counted; nothing for hospital 0, which stands for no hospital.
async fn of_room(bindings: &Bindings, id: HospitalId) -> Samples {
    if id == HospitalId::default() {
        return vec![];
    }
    let metrics = clock::timeout(TIMEOUT, room_calls::call::<RoomMetrics>(bindings, id, &RoomCall::Metrics)).await;
    room_samples(metrics.ok().and_then(Result::ok))
}

/// Adds samples to others; the Worker and the room may have counted the same.
fn add(samples: &mut Samples, others: Samples) {
    for (name, value) in others {
        match samples.iter_mut().find(|(known, _)| *known == name) {
            Some((_, total)) => *total += value,
            None => samples.push((name, value)),
        }
    }
}
