//! How a call reaches an object: as JSON in the body; or percent-encoded in a header, because an upgrade has no body,
//! and a URL would be logged.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rollcall_core::{
    Id, Rejection,
    call::{Call, Place},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::oneshot;
use wasm_bindgen::JsValue;
use worker::{Headers, Method, Request, RequestInit, Response, Stub, wasm_bindgen_futures::spawn_local};

use crate::{
    clock,
    env::Bindings,
    error::{Error, Result},
};

const HEADER: &str = "Rollcall-Call";

/// The call in a request to an object.
pub async fn read<C: DeserializeOwned>(mut request: Request) -> worker::Result<C> {
    match request.headers().get(HEADER)? {
        Some(header) => Ok(serde_json::from_str(&percent_decode_str(&header).decode_utf8_lossy())?),
        None => Ok(serde_json::from_str(&request.text().await?)?),
    }
}

/// A call as it reaches an object.
pub fn as_json(call: &impl Serialize) -> worker::Result<String> {
    Ok(serde_json::to_string(call)?)
}

/// Asks an object.
///
/// # Errors
/// The object's own refusal, or that it could not be reached.
pub async fn ask<T: DeserializeOwned>(object: &Stub, call: &impl Serialize) -> Result<T> {
    understand(&ask_json(object, as_json(call)?).await?)
}

/// Asks a hospital's room.
pub async fn ask_room<T: DeserializeOwned>(bindings: &Bindings, hospital_id: Id, call: &Call) -> Result<T> {
    ask(&bindings.room(Place::room(hospital_id))?, call).await
}

/// Asks several objects at once, none of them for longer than `patience`. Of each the answer, for [`understand`].
pub async fn ask_each(bindings: &Bindings, calls: Vec<(Place, String)>, patience: Duration) -> Vec<Result<String>> {
    let mut begun = Vec::new();
    for (place, json) in calls {
        let (answer, answered) = oneshot::channel();
        let object = bindings.room(place);
        // `join_all` would be a fiftieth of the upload.
        spawn_local(async move {
            let asked = async { clock::within(patience, ask_json(&object?, json)).await? };
            let _ = answer.send(asked.await);
        });
        begun.push(answered);
    }
    let mut answers = Vec::new();
    for answered in begun {
        answers.push(match answered.await {
            Ok(answer) => answer.map_err(Error::from),
            Err(_) => Err(Rejection::Unavailable.into()),
        });
    }
    answers
}

/// Not generic, as what it does is the same whatever is asked.
async fn ask_json(object: &Stub, json: String) -> worker::Result<String> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(JsValue::from(json)));
    object.fetch_with_request(Request::new_with_init("https://object/", &init)?).await?.text().await
}

/// What an object answered.
///
/// # Errors
/// Its refusal.
pub fn understand<T: DeserializeOwned>(answer: &str) -> Result<T> {
    Ok(serde_json::from_str::<Result<T, Rejection>>(answer).map_err(worker::Error::from)??)
}

/// Hands a WebSocket upgrade to a hospital's room, or to one of its relays.
pub async fn upgrade(bindings: &Bindings, place: Place, call: &Call) -> Result<Response> {
    let json = as_json(call)?;
    let headers = Headers::new();
    headers.set("Upgrade", "websocket")?;
    headers.set(HEADER, &utf8_percent_encode(&json, NON_ALPHANUMERIC).to_string())?;
    let mut init = RequestInit::new();
    init.with_headers(headers);
    let request = Request::new_with_init("https://object/", &init)?;
    Ok(bindings.room(place)?.fetch_with_request(request).await?)
}
