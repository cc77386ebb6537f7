//! A client's request in the room: its body is read whole before anything is decided, so that nothing awaits after it.

use std::rc::Rc;

use ::http::{HeaderMap, Method, Uri, header};
use chrono::TimeDelta;
use rollcall_core::{
    ApiError, SessionId, Timestamp, UserId,
    audit::{Outcome, SecurityEvent},
    auth::{self, Permission, Principal},
    body::Fields,
    error::TokenFault,
    query::Query,
    user::UserRecord,
};
use worker::web_sys;

use super::{credentials::Credentials, handshake::has_our_origin, state::LiveRoom, storage::sessions::SessionUser};
use crate::{
    d1::imported_tokens,
    platform::{clock, env::Bindings, faults},
    telemetry::{
        context,
        error::{Error, Result},
        http::{self, Head},
        routes::Parameters,
    },
};

/// A caller that has waited longer gets a 503, and what they asked for is dropped: the Worker gives up after eight
/// seconds, and they may have asked for something else since.
const DEADLINE: TimeDelta = TimeDelta::seconds(4);

/// A request whose body was read. Nothing that decides about it awaits any more.
pub struct Request {
    /// The room.
    pub room: Rc<LiveRoom>,
    head: Rc<Head>,
    parameters: Parameters,
    arrived_at: Timestamp,
    body: Result<Vec<u8>, ApiError>,
    ready: Result<(), ApiError>,
}

/// Waits until the room can answer a request with these headers.
async fn ready(room: &LiveRoom, headers: &HeaderMap) -> Result<()> {
    room.ready().await?;
    room.alarm_after_waking()?;
    match Credentials::of(headers) {
        Ok(Some(credentials)) if credentials.token().is_imported() => {
            room.take_over_token(&credentials.token().digest()).await
        }
        _ => Ok(()),
    }
}

/// A request of a signed-in user.
pub struct SignedIn<'a> {
    /// Who.
    pub who: Principal,
    /// Their row.
    pub user: UserRecord,
    room: &'a LiveRoom,
    address: &'a str,
}

impl Request {
    /// Reads what a client sent, and waits until the room can answer it.
    pub async fn read(
        room: Rc<LiveRoom>,
        head: Rc<Head>,
        request: &web_sys::Request,
        parameters: Parameters,
        arrived_at: Timestamp,
    ) -> Self {
        let body = http::read_body(&head, request).await;
        let ready = ready(&room, head.headers()).await.map_err(Error::into_api_error);
        Self { room, head, parameters, arrived_at, body, ready }
    }

    /// The headers, as the client sent them.
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// The URL, as the client sent it.
    pub fn uri(&self) -> &Uri {
        self.head.uri()
    }

    /// Who asks.
    ///
    /// # Errors
    /// [`ApiError::NotAuthenticated`], [`ApiError::InvalidToken`], and [`ApiError::Csrf`] for a change by a cookie from
    /// a page that is not ours.
    pub fn signed_in(&self) -> Result<SignedIn<'_>> {
        self.check_in_time()?;
        let credentials = credentials(&self.head, self.room.bindings())?;
        faults::point_in_turn("statement1", self.room.hospital_id())?;
        let digest = credentials.token().digest();
        let found = self.room.session_user(&digest)?;
        Ok(self.as_caller(found.ok_or(ApiError::InvalidToken(TokenFault::NotValid))?))
    }

    /// The request of somebody whom a session or a ticket has proved.
    pub fn as_caller(&self, SessionUser { who, user }: SessionUser) -> SignedIn<'_> {
        context::set_principal(&who);
        SignedIn { who, user, room: &self.room, address: address(self.headers()) }
    }

    /// Whether the room can still answer: it has what it needs, and the caller still waits.
    ///
    /// # Errors
    /// Why not.
    pub fn check_in_time(&self) -> Result<(), ApiError> {
        self.ready.clone()?;
        if self.age() > DEADLINE { Err(ApiError::Unavailable) } else { Ok(()) }
    }

    /// How long ago it arrived in the room.
    pub fn age(&self) -> TimeDelta {
        clock::now() - self.arrived_at
    }

    /// Who asks, if they may do that.
    ///
    /// # Errors
    /// Those of [`Request::signed_in`], and the decision's.
    pub fn permitted(&self, permission: Permission) -> Result<SignedIn<'_>> {
        let caller = self.signed_in()?;
        let decision = auth::may(&caller.who, permission);
        caller.decided(permission, None, decision)?;
        Ok(caller)
    }

    /// The fields of a JSON body that must be there.
    ///
    /// # Errors
    /// What is wrong with the body.
    pub fn fields(&self) -> Result<Fields, ApiError> {
        Fields::parse(self.json()?)
    }

    /// The fields of a JSON body that may be left out altogether.
    ///
    /// # Errors
    /// What is wrong with the body.
    pub fn optional_fields(&self) -> Result<Fields, ApiError> {
        let body = self.json()?;
        if body.is_empty() { Ok(Fields::default()) } else { Fields::parse(body) }
    }

    /// The parameters of the URL.
    pub fn query(&self) -> Query {
        Query::parse(self.uri().query().unwrap_or_default())
    }

    /// A text in the path.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] naming it.
    pub fn path_text(&self, name: &str) -> Result<&str, ApiError> {
        self.parameters.text(name)
    }

    /// A session's id in the path.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] naming it.
    pub fn session_id(&self) -> Result<SessionId, ApiError> {
        parse_id(self.path_text("id")?).map(SessionId::new)
    }

    /// The body, which says that it is JSON.
    fn json(&self) -> Result<&[u8], ApiError> {
        let body = self.body.as_ref().map_err(Clone::clone)?;
        check_type(self.headers(), body)?;
        Ok(body)
    }
}

/// The credentials of a request.
///
/// # Errors
/// [`ApiError::NotAuthenticated`], [`ApiError::InvalidToken`], and [`ApiError::Csrf`] for a change by a cookie from a page
/// that is not ours.
pub fn credentials(head: &Head, bindings: &Bindings) -> Result<Credentials, ApiError> {
    let credentials = Credentials::of(head.headers())?.ok_or(ApiError::NotAuthenticated)?;
    let changes = !matches!(*head.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let by_cookie = matches!(credentials, Credentials::Cookie(_));
    if changes && by_cookie && !has_our_origin(head.headers(), head.uri(), bindings) {
        return Err(ApiError::Csrf);
    }
    Ok(credentials)
}

/// Checks that a body is declared as JSON. An empty one needs no type.
///
/// # Errors
/// [`ApiError::UnsupportedMediaType`].
pub fn check_type(headers: &HeaderMap, body: &[u8]) -> Result<(), ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if body.is_empty() || essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(ApiError::UnsupportedMediaType(essence.to_string()))
    }
}

/// The id in a path.
///
/// # Errors
/// [`ApiError::InvalidRequest`] if it is not a number of ours: SQLite's reach JavaScript, where they are whole up to 2^53.
pub fn parse_id(text: &str) -> Result<i64, ApiError> {
    let id = text.parse::<i64>().ok().filter(|id| id.unsigned_abs() < 1 << 53);
    id.ok_or_else(|| ApiError::field("id", "A valid integer is required."))
}

/// Where a request comes from. The platform sets this header itself; it is missing only in a runtime of one's own.
pub fn address(headers: &HeaderMap) -> &str {
    headers.get("CF-Connecting-IP").and_then(|value| value.to_str().ok()).unwrap_or_default()
}

impl SignedIn<'_> {
    /// Passes on what `core/auth.rs` has decided, recorded if it is a security event.
    ///
    /// # Errors
    /// The decision's.
    pub fn decided<T>(
        &self,
        permission: Permission,
        target_id: Option<UserId>,
        decision: Result<T, ApiError>,
    ) -> Result<T> {
        let outcome = match &decision {
            Ok(_) => permission.is_recorded().then_some(Outcome::Done),
            Err(ApiError::PermissionDenied | ApiError::NotFound) => Some(Outcome::Denied),
            Err(_) => None,
        };
        if let Some(outcome) = outcome {
            self.record(permission, target_id, outcome)?;
        }
        Ok(decision?)
    }

    /// Records something that they do.
    ///
    /// # Errors
    /// The storage's.
    pub fn record(&self, permission: Permission, target_id: Option<UserId>, outcome: Outcome) -> Result<()> {
        let event = SecurityEvent::of(&self.who, permission, target_id, outcome);
        self.room.record_security_event(&event, self.address)
    }
}

impl LiveRoom {
    /// Takes an imported token over from D1 if the room does not know it.
    pub(super) async fn take_over_token(&self, digest: &str) -> Result<()> {
        if self.storage.knows_token(digest)? {
            return Ok(());
        }
        let found = imported_tokens::find(&self.bindings().db()?, digest, clock::now()).await?;
        if let Some(token) = found.filter(|token| token.hospital_id == self.hospital_id()) {
            self.storage.adopt_token(digest, &token)?;
        }
        Ok(())
    }
}
