//! How a call reaches an object: as JSON in the body; or percent-encoded in a header, because an upgrade has no body,
//! and a URL would be logged.

use js_sys::{JsString, Object, Promise};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rollcall_core::{
    Id, Rejection,
    call::{Call, Place},
};
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::{JsCast, prelude::wasm_bindgen};
use worker::{Request, Response, wasm_bindgen_futures::JsFuture, web_sys};

use crate::{env::Bindings, error::Result};

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
    Ok(JsFuture::from(ask_object(object, ADDRESS, &json)).await?.unchecked_into::<JsString>().into())
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
    let answer = JsFuture::from(upgrade_object(&bindings.room(place)?, ADDRESS, &call)).await;
    let answer = answer.map_err(worker::Error::from)?;
    Ok(answer.unchecked_into::<web_sys::Response>().into())
}

/// An object looks at what it is asked only.
const ADDRESS: &str = "https://object/";

#[wasm_bindgen(module = "/src/http/object_call.js")]
extern "C" {
    #[wasm_bindgen(js_name = ask)]
    fn ask_object(object: &Object, address: &str, json: &str) -> Promise;

    #[wasm_bindgen(js_name = upgrade)]
    fn upgrade_object(object: &Object, address: &str, call: &str) -> Promise;
}
