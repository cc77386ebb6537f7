//! Which hospital a request is for: by its token, or, if sockets are open, by its email.

use std::{cell::RefCell, collections::BTreeMap};

use ::http::{HeaderMap, Uri};
use rollcall_core::{ApiError, HospitalId, query::Query, throttle::address_group, ticket::SocketPath, token::Token};

use crate::{
    d1::{hospitals, imported_tokens},
    platform::{
        clock,
        env::{Bindings, SocketAuth},
    },
    room::{credentials::Credentials, handshake::Proof, request::address},
    telemetry::{error::Result, log},
};

/// How long a caller has to wait who exceeds the platform's limit, in seconds; its period in `wrangler.toml`.
pub const LIMIT_PERIOD: u32 = 60;

/// How many imported tokens an isolate remembers the hospital of.
const REMEMBERED: usize = 1000;

thread_local! {
    /// The hospitals of imported tokens, by digest: only which room to ask. Never borrowed while anything waits.
    static HOSPITALS: RefCell<BTreeMap<String, HospitalId>> = const { RefCell::new(BTreeMap::new()) };
}

/// The hospital of a request; `None` if it names none.
///
/// # Errors
/// That D1 does not answer, or may not be asked again yet.
pub async fn of_request(headers: &HeaderMap, uri: &Uri, bindings: &Bindings) -> Result<Option<HospitalId>> {
    let Some(path) = socket_path(uri.path()) else {
        return match Credentials::of(headers) {
            Ok(Some(credentials)) => of_proof(&Proof::Session(credentials), headers, bindings).await,
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
        log::error("TOKEN_KEY is not set: run cargo xtask deploy");
        return Err(ApiError::Unavailable.into());
    }
    Ok(key)
}

/// The socket that a path leads to, if it leads to one.
pub fn socket_path(path: &str) -> Option<SocketPath> {
    let path = path.trim_end_matches('/');
    [SocketPath::DoctorStatus, SocketPath::Connect].into_iter().find(|known| known.as_str() == path)
}
