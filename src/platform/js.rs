//! JavaScript interfaces that the `worker` crate does not bind, each a single crossing.

use std::{cell::RefCell, collections::HashMap};

use futures_util::FutureExt;
use js_sys::{Array, JsString, Promise, Uint8Array};
use rollcall_core::Timestamp;
use wasm_bindgen::{
    JsCast, JsValue,
    prelude::{Closure, wasm_bindgen},
};
use worker::{
    Result, SqlStorageValue, State, WebSocket,
    wasm_bindgen_futures::{JsFuture, future_to_promise},
    web_sys,
    worker_sys::DurableObjectState,
};

use super::clock;

#[wasm_bindgen(module = "/src/platform/js.js")]
extern "C" {
    #[wasm_bindgen(js_name = call)]
    fn call_object(object: &JsValue, json: &str, request_id: &str) -> Promise;

    #[wasm_bindgen(catch, js_name = objectByName)]
    fn get_by_name(env: &JsValue, binding: &str, jurisdiction: &str, name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = head)]
    fn head_of_request(request: &web_sys::Request) -> String;

    #[wasm_bindgen(catch, js_name = respond)]
    fn new_response(
        status: u16,
        headers: &str,
        body: &[u8],
        socket: Option<&web_sys::WebSocket>,
    ) -> Result<web_sys::Response, JsValue>;

    #[wasm_bindgen(js_name = forward)]
    fn forward_request(object: &JsValue, request: &web_sys::Request, after_failure: &AfterFailure) -> JsValue;

    #[wasm_bindgen(catch, js_name = transaction)]
    fn run_transaction(
        state: &DurableObjectState,
        work: &mut dyn FnMut() -> Result<(), JsValue>,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_name = query)]
    fn query_sql(state: &DurableObjectState, statement: &JsString, parameters: Array) -> Result<JsString, JsValue>;

    #[wasm_bindgen(catch, js_name = setAlarm)]
    fn set_alarm_at(state: &DurableObjectState, at_ms: f64) -> Result<(), JsValue>;

    #[wasm_bindgen(js_name = sendToTagged)]
    fn send_to_all_tagged(state: &DurableObjectState, tag: &str, text: &JsString) -> u32;

    #[wasm_bindgen(js_name = pingedAt)]
    fn pinged_at_ms(state: &DurableObjectState, socket: &web_sys::WebSocket) -> Option<f64>;
}

/// The object of that name in a binding of the environment; in a jurisdiction, if one is named.
///
/// # Errors
/// The runtime's error, for example for a jurisdiction that it does not know.
pub fn object_by_name(env: &JsValue, binding: &str, jurisdiction: &str, name: &str) -> Result<JsValue> {
    Ok(get_by_name(env, binding, jurisdiction, name)?)
}

/// Calls an object's one RPC method, which no HTTP request reaches, for a request, and returns its answer. Both are JSON.
///
/// # Errors
/// The object's exception, or that it could not be reached.
pub async fn call(object: &JsValue, json: &str, request_id: &str) -> Result<String> {
    Ok(JsFuture::from(call_object(object, json, request_id)).await?.unchecked_into::<JsString>().into())
}

/// The head of a request, as JSON: `[method, url, [[name, value], …]]`.
pub fn head(request: &web_sys::Request) -> String {
    head_of_request(request)
}

/// The body of a request.
///
/// # Errors
/// That the client has not sent all of it.
pub async fn body(request: &web_sys::Request) -> Result<Vec<u8>> {
    let buffer = JsFuture::from(request.array_buffer()?).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// A response. `headers` is JSON: `[[name, value], …]`.
///
/// # Errors
/// The runtime's.
pub fn respond(status: u16, headers: &str, body: &[u8], socket: Option<&WebSocket>) -> Result<web_sys::Response> {
    Ok(new_response(status, headers, body, socket.map(AsRef::as_ref))?)
}

/// Polls `work` once. Returns its result if it is done, otherwise a promise. An export that returns a promise costs a turn
/// of the event loop.
///
/// # Errors
/// Those of `work`, if it waits for nothing.
pub fn now_or_promise(work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Result<JsValue, JsValue> {
    let mut work = Box::pin(work);
    match work.as_mut().now_or_never() {
        Some(done) => done,
        // Polled again, it asks to be woken.
        None => Ok(future_to_promise(work).into()),
    }
}

/// Answers a request whose object has thrown an exception. It gets the request and the exception.
pub type AfterFailure = Closure<dyn Fn(web_sys::Request, JsValue) -> Result<JsValue, JsValue>>;

/// Hands a request to an object as it came. Returns a promise of its answer as it is or, if the object throws or cannot be
/// reached, of the one of `after_failure`.
pub fn forward(object: &JsValue, request: &web_sys::Request, after_failure: &AfterFailure) -> JsValue {
    forward_request(object, request, after_failure)
}

/// Runs `work` as one transaction of the object's SQLite: an error that it returns rolls everything back.
///
/// # Errors
/// The error of `work`, or SQLite's.
pub fn transaction<T, E: From<worker::Error>>(
    state: &State,
    work: impl FnOnce() -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let (mut work, mut outcome) = (Some(work), None);
    let thrown = run_transaction(state.as_raw(), &mut || {
        let done = work.take().map(|work| work());
        let failed = !matches!(done, Some(Ok(_)));
        outcome = done;
        if failed { Err(JsValue::from_str("rolled back")) } else { Ok(()) }
    });
    match (outcome, thrown) {
        (Some(Ok(done)), Ok(())) => Ok(done),
        (Some(Err(error)), _) => Err(error),
        (_, Err(thrown)) => Err(worker::Error::from(thrown).into()),
        (None, Ok(())) => Err(worker::Error::RustError("a transaction did not run".into()).into()),
    }
}

thread_local! {
    /// Statements as JavaScript strings. The runtime keeps what it has prepared by the string itself, so passing the same
    /// one again spares preparing it again.
    static STATEMENTS: RefCell<HashMap<String, JsString>> = RefCell::default();
}

/// Runs a statement of the object's SQLite, and returns the first column of its rows, which is JSON, as a JSON array: one
/// value crosses from the runtime instead of many.
///
/// # Errors
/// SQLite's.
pub fn query(state: &State, statement: &str, parameters: Vec<SqlStorageValue>) -> Result<String> {
    let statement = STATEMENTS.with_borrow_mut(|statements| match statements.get(statement) {
        Some(known) => known.clone(),
        None => statements.entry(statement.into()).or_insert_with(|| statement.into()).clone(),
    });
    let parameters = parameters.into_iter().map(JsValue::from).collect();
    Ok(query_sql(state.as_raw(), &statement, parameters)?.into())
}

/// Sets the object's alarm, without waiting: the runtime holds answers and sends until it is set.
///
/// # Errors
/// The runtime's.
pub fn set_alarm(state: &State, at: Timestamp) -> Result<()> {
    Ok(set_alarm_at(state.as_raw(), at.timestamp_millis() as f64)?)
}

/// Sends one text to every socket that was accepted with a tag, and returns how many that were.
pub fn send_to_tagged(state: &State, tag: &str, text: &str) -> u32 {
    send_to_all_tagged(state.as_raw(), tag, &JsString::from(text))
}

/// When a socket last sent a `ping` that the runtime answered.
pub fn pinged_at(state: &State, socket: &WebSocket) -> Option<Timestamp> {
    pinged_at_ms(state.as_raw(), socket.as_ref()).map(|at| clock::from_millis(at as i64))
}
