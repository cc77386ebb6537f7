//! How a call reaches an object: as JSON in the body; or percent-encoded in a header, because an upgrade has no body,
//! and a URL would be logged.

use std::time::Duration;

use js_sys::{Array, JsString, Object, Promise};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rollcall_core::{
    Id, Rejection,
    call::{Call, Place},
};
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{Request, Response, wasm_bindgen_futures::JsFuture, web_sys};

use crate::{env::Bindings, error::Result, log};

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
pub async fn ask<T: DeserializeOwned>(object: &Object, call: &impl Serialize) -> Result<T> {
    understand(&ask_json(object, as_json(call)?).await?)
}

/// Asks a hospital's room.
pub async fn ask_room<T: DeserializeOwned>(bindings: &Bindings, hospital_id: Id, call: &Call) -> Result<T> {
    ask(&bindings.room(Place::room(hospital_id))?, call).await
}

/// The same in JSON, for [`understand`].
pub async fn ask_json(object: &Object, json: String) -> worker::Result<String> {
    Ok(JsFuture::from(ask_object(object, &address(), &json)).await?.unchecked_into::<JsString>().into())
}

/// Asks the objects of many places at once. `None` for one that does not answer in time, or refuses.
pub async fn ask_all<T: DeserializeOwned>(
    bindings: &Bindings,
    places: impl Iterator<Item = Place>,
    call: &Call,
    patience: Duration,
) -> Result<Vec<Option<T>>> {
    let objects = places.map(|place| Ok(bindings.room(place)?.into())).collect::<worker::Result<Vec<JsValue>>>()?;
    let milliseconds = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
    let answers = JsFuture::from(ask_objects(&Array::from_iter(objects), &address(), &as_json(call)?, milliseconds));
    let answers: Array = answers.await.map_err(worker::Error::from)?.unchecked_into();
    Ok(answers.iter().map(|answer| understand(&answer.as_string()?).ok()).collect())
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
    let call = utf8_percent_encode(&as_json(call)?, NON_ALPHANUMERIC).to_string();
    let answer = JsFuture::from(upgrade_object(&bindings.room(place)?, &address(), &call)).await;
    let answer = answer.map_err(worker::Error::from)?;
    Ok(answer.unchecked_into::<web_sys::Response>().into())
}

/// Where an object is asked: for which request, so that its log can say so.
fn address() -> String {
    format!("https://object/{}", log::request_id())
}

/// The request for which an object is asked.
pub fn request_id(request: &Request) -> String {
    request.path().trim_start_matches('/').into()
}

#[wasm_bindgen(module = "/src/http/object_call.js")]
extern "C" {
    #[wasm_bindgen(js_name = ask)]
    fn ask_object(object: &Object, address: &str, json: &str) -> Promise;

    #[wasm_bindgen(js_name = askAll)]
    fn ask_objects(objects: &Array, address: &str, json: &str, milliseconds: u32) -> Promise;

    #[wasm_bindgen(js_name = upgrade)]
    fn upgrade_object(object: &Object, address: &str, call: &str) -> Promise;
}
