//! What there is to watch, for Prometheus.

use std::{iter, time::Duration};

use ::http::{HeaderMap, header, request::Parts};
use axum::{
    extract::{FromRequestParts, State},
    response::{IntoResponse, Response},
};
use rollcall_core::{
    Id, Rejection,
    auth::{Action, bears},
    call::{Call, Gauges, Place},
    metrics::{render, sample},
    rejection::TokenFault,
};
use worker::send::SendFuture;

use super::{auth::SignedIn, object_call};
use crate::{
    db::counters,
    env::Bindings,
    error::{Error, Result},
    metrics,
};

/// A room that has not answered by then is not up.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whose metrics are asked for: those of an administrator's hospital, or all.
pub struct Scope(Option<Id>);

impl FromRequestParts<Bindings> for Scope {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, bindings: &Bindings) -> Result<Self> {
        match bears(authorization(&parts.headers), bindings.metrics_token().as_deref()) {
            Some(true) => Ok(Self(None)),
            Some(false) => Err(Rejection::InvalidToken(TokenFault::NotValid).into()),
            None => {
                let caller = SignedIn::from_request_parts(parts, bindings).await?;
                SendFuture::new(caller.may(bindings, Action::ReadMetrics)).await?;
                Ok(Self(Some(caller.who.hospital_id)))
            }
        }
    }
}

fn authorization(headers: &HeaderMap) -> &[u8] {
    headers.get(header::AUTHORIZATION).map(|value| value.as_bytes()).unwrap_or_default()
}

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
pub async fn list(State(bindings): State<Bindings>, Scope(hospital_id): Scope) -> Result<Response> {
    SendFuture::new(async move {
        metrics::add(bindings.clone()).await;
        let mut hospitals = counters::read(&bindings.db()?, hospital_id).await?;
        let places = hospitals
            .iter()
            .filter(|(id, _)| *id != 0)
            .flat_map(|(id, _)| iter::once(Place::room(*id)).chain(Place::relays(*id, bindings.watch_relays())));
        let places: Vec<Place> = places.collect();
        let open = object_call::ask_all::<Gauges>(&bindings, places.iter().copied(), &Call::Gauges, PATIENCE).await?;
        for (hospital_id, samples) in &mut hospitals {
            let mut of_hospital = places.iter().zip(&open).filter(|(place, _)| place.hospital_id == *hospital_id);
            let Some((_, room)) = of_hospital.next() else { continue };
            samples.push(("room_up".into(), f64::from(u8::from(room.is_some()))));
            let Some(Gauges { dashboards, connections, people, announced }) = *room else { continue };
            let at_relays: usize = of_hospital.filter_map(|(_, relay)| Some((*relay)?.dashboards)).sum();
            let sockets = |kind| sample("sockets", "kind", kind);
            samples.extend([
                (sockets("dashboard"), (dashboards + at_relays) as f64),
                (sockets("connection"), connections as f64),
                ("people_connected".into(), people as f64),
                ("announced_seq".into(), announced as f64),
            ]);
        }
        hospitals.push((0, vec![(sample("build_info", "version", env!("CARGO_PKG_VERSION")), 1.0)]));
        let text = render(&hospitals);
        Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
    })
    .await
}
