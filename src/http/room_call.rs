//! How a call reaches a room: as percent-encoded JSON in a header, because an upgrade has no body, and because a URL
//! would be logged.

use ::http::Method;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rollcall_core::{Id, Rejection, call::Call, wire::SUBPROTOCOL};
use serde::de::DeserializeOwned;
use worker::{Headers, Request, RequestInit, Response};

use crate::{env::Bindings, error::Result};

const HEADER: &str = "Rollcall-Call";

/// The call in a request to a room.
pub fn read(request: &Request) -> worker::Result<Call> {
    let header = request.headers().get(HEADER)?.unwrap_or_default();
    Ok(serde_json::from_str(&percent_decode_str(&header).decode_utf8_lossy())?)
}

/// Asks a hospital's room.
///
/// # Errors
/// The room's own refusal, or that it could not be reached.
pub async fn ask<T: DeserializeOwned>(bindings: &Bindings, hospital_id: Id, call: &Call) -> Result<T> {
    let mut response = fetch(bindings, hospital_id, call, Headers::new()).await?;
    Ok(response.json::<Result<T, Rejection>>().await??)
}

/// Hands a WebSocket upgrade to a hospital's room.
pub async fn upgrade(bindings: &Bindings, hospital_id: Id, call: &Call, v1: bool) -> Result<Response> {
    let headers = Headers::new();
    headers.set("Upgrade", "websocket")?;
    if v1 {
        headers.set("Sec-WebSocket-Protocol", SUBPROTOCOL)?;
    }
    fetch(bindings, hospital_id, call, headers).await
}

async fn fetch(bindings: &Bindings, hospital_id: Id, call: &Call, headers: Headers) -> Result<Response> {
    let json = serde_json::to_string(call).map_err(worker::Error::from)?;
    headers.set(HEADER, &utf8_percent_encode(&json, NON_ALPHANUMERIC).to_string())?;
    let mut init = RequestInit::new();
    init.with_method(worker::Method::from(Method::GET.to_string())).with_headers(headers);
    let request = Request::new_with_init("https://room/", &init)?;
    Ok(bindings.room(hospital_id)?.fetch_with_request(request).await?)
}
