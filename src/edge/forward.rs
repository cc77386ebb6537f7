//! Which hospital a request is for: by its token, or, if sockets are open, by its email.

use std::{cell::RefCell, collections::BTreeMap};

use ::http::{HeaderMap, Uri, header::AUTHORIZATION};
use axum::{
    extract::{Request, State},
    response::Response,
};
use rollcall_core::{
    ApiError, HospitalId, error::TokenFault, query::Query, throttle::address_group, ticket::SocketPath, token::Token,
};
use worker::web_sys;

use crate::{
    d1::{hospitals, imported_tokens},
    platform::{
        clock,
        env::{Bindings, SocketAuth},
        js,
    },
    room::{
        credentials::{Credentials, text},
        handshake::{Handshake, Proof},
        request::address,
        router::METRICS,
    },
    telemetry::error::{Error, Result},
};

/// How long a caller has to wait who exceeds the platform's limit, in seconds; its period in `wrangler.toml`.
pub const LIMIT_PERIOD: u32 = 60;

/// How many imported tokens an isolate remembers the hospital of.
const REMEMBERED: usize = 1000;

thread_local! {
    /// The hospitals of imported tokens, by digest: only which room to ask. Never borrowed while anything waits.
    static HOSPITALS: RefCell<BTreeMap<String, HospitalId>> = const { RefCell::new(BTreeMap::new()) };
}

/// Hands a request on to the room of the hospital that it names, untouched, and returns the room's answer as it is.
/// `None` if it names none.
///
/// # Errors
/// That the hospital could not be found out, or its room not be reached.
pub async fn to_room(
    request: &web_sys::Request,
    head: &Request,
    bindings: &Bindings,
) -> Result<Option<web_sys::Response>> {
    let Some(hospital_id) = hospital_of(head.headers(), head.uri(), bindings).await? else { return Ok(None) };
    Ok(Some(js::forward(&bindings.room(hospital_id)?, request).await?))
}

/// Why a request cannot be handed on.
#[derive(Clone)]
struct NoRoom(ApiError);

/// A request that could not be handed on, with the reason.
pub fn with_error(mut request: Request, error: Error) -> Request {
    request.extensions_mut().insert(NoRoom(error.into_api_error()));
    request
}

/// Answers a request for a room that names none, or whose room could not be reached.
pub async fn without_room(State(bindings): State<Bindings>, request: Request) -> Result<Response> {
    let (headers, uri) = (request.headers(), request.uri());
    let known = request.extensions().get::<NoRoom>().map(|NoRoom(error)| error.clone());
    match socket_path(uri.path()) {
        Some(path) => {
            let handshake = Handshake::read(headers, uri, &bindings)?;
            let error = known.unwrap_or_else(|| why_not_joined(path, &handshake.query));
            handshake.answer(Err(error.into()))
        }
        None => Err(known.unwrap_or_else(|| why_not_signed_in(headers)).into()),
    }
}

fn why_not_joined(path: SocketPath, query: &Query) -> ApiError {
    let email = if path == SocketPath::Connect { query.email().map(drop) } else { Ok(()) };
    email.err().unwrap_or(ApiError::JoinNotAccepted)
}

/// Why a request without a hospital is not signed in.
pub fn why_not_signed_in(headers: &HeaderMap) -> ApiError {
    match Credentials::of(headers) {
        Err(error) => error,
        Ok(None) => ApiError::NotAuthenticated,
        Ok(Some(_)) => ApiError::InvalidToken(TokenFault::NotValid),
    }
}

async fn hospital_of(headers: &HeaderMap, uri: &Uri, bindings: &Bindings) -> Result<Option<HospitalId>> {
    let Some(path) = socket_path(uri.path()) else {
        // All metrics together are the Worker's to show.
        let is_bearer = uri.path().trim_end_matches('/') == METRICS
            && text(headers, AUTHORIZATION).is_some_and(|value| value.to_ascii_lowercase().starts_with("bearer "));
        return match Credentials::of(headers) {
            Ok(Some(credentials)) if !is_bearer => of_proof(&Proof::Session(credentials), headers, bindings).await,
            _ => Ok(None),
        };
    };
    let query = Query::parse(uri.query().unwrap_or_default());
    match Proof::of(headers, &query) {
        Ok(Some(proof)) => of_proof(&proof, headers, bindings).await,
        Ok(None) if bindings.socket_auth() == Some(SocketAuth::Open) => match (path, query.email()) {
            (SocketPath::DoctorStatus, _) => Ok(Some(bindings.default_hospital())),
            (SocketPath::Connect, Ok(email)) => Ok(hospitals::of_email(&bindings.db()?, email).await?),
            (SocketPath::Connect, Err(_)) => Ok(None),
        },
        Ok(None) | Err(_) => Ok(None),
    }
}

/// The hospital of what a client shows.
///
/// # Errors
/// That D1 does not answer, or may not be asked again yet.
pub async fn of_proof(proof: &Proof, headers: &HeaderMap, bindings: &Bindings) -> Result<Option<HospitalId>> {
    match proof.imported_token() {
        Some(token) => of_imported(token, address(headers), bindings).await,
        None => Ok(proof.hospital_id(&token_key(bindings)?)),
    }
}

/// Looks an imported token up in D1, once an isolate and behind a limit for each address.
async fn of_imported(token: &Token, address: &str, bindings: &Bindings) -> Result<Option<HospitalId>> {
    let digest = token.digest();
    if let Some(known) = HOSPITALS.with_borrow(|hospitals| hospitals.get(&digest).copied()) {
        return Ok(Some(known));
    }
    if !bindings.login_limit()?.limit(format!("imported:{}", address_group(address))).await?.success {
        return Err(ApiError::Throttled { seconds: LIMIT_PERIOD }.into());
    }
    let found = imported_tokens::find(&bindings.db()?, &digest, clock::now()).await?;
    let hospital_id = found.map(|token| token.hospital_id);
    if let Some(hospital_id) = hospital_id {
        HOSPITALS.with_borrow_mut(|hospitals| {
            if hospitals.len() >= REMEMBERED {
                hospitals.clear();
            }
            hospitals.insert(digest, hospital_id);
        });
    }
    Ok(hospital_id)
}

/// `TOKEN_KEY`, without which no token can be issued or recognized.
///
/// # Errors
/// [`ApiError::Unavailable`] if it is not set.
pub fn token_key(bindings: &Bindings) -> Result<String> {
    let key = bindings.token_key();
    if key.is_empty() {
        crate::telemetry::log::error("TOKEN_KEY is not set: run cargo xtask deploy");
        return Err(ApiError::Unavailable.into());
    }
    Ok(key)
}

fn socket_path(path: &str) -> Option<SocketPath> {
    let path = path.trim_end_matches('/');
    [SocketPath::DoctorStatus, SocketPath::Connect].into_iter().find(|known| known.as_str() == path)
}
