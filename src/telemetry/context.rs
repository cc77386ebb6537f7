//! The request that is being worked on: whatever is logged or counted meanwhile is about it.

use std::{cell::Cell, rc::Rc};

use rollcall_core::{HospitalId, UserId, auth::Principal};

/// Which request, and who sent it. An isolate works on many side by side.
#[derive(Clone, Debug, Default)]
pub struct RequestContext(Rc<Fields>);

#[derive(Debug, Default)]
struct Fields {
    /// Empty for an alarm or a frame.
    request_id: String,
    /// Whether a room works on it, instead of the Worker.
    in_room: bool,
    hospital_id: Cell<Option<HospitalId>>,
    user_id: Cell<Option<UserId>>,
}

tokio::task_local! {
    static CURRENT: RequestContext;
}

impl RequestContext {
    /// A request to the Worker.
    pub fn of_request(request_id: String) -> Self {
        Self(Rc::new(Fields { request_id, ..Fields::default() }))
    }

    /// Work of a hospital's room, for a request if there is one.
    pub fn of_room(hospital_id: HospitalId, request_id: String) -> Self {
        Self(Rc::new(Fields {
            request_id,
            in_room: true,
            hospital_id: Cell::new(Some(hospital_id)),
            ..Fields::default()
        }))
    }

    /// The id that the answer and the log have.
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// Whether a room works on it.
    pub fn in_room(&self) -> bool {
        self.0.in_room
    }

    /// The hospital that it is about, once that is known.
    pub fn hospital_id(&self) -> Option<HospitalId> {
        self.0.hospital_id.get()
    }

    /// The hospital whose room works on it; `None` for the Worker.
    #[cfg(feature = "faults")]
    pub fn room(&self) -> Option<HospitalId> {
        self.hospital_id().filter(|_| self.in_room())
    }

    /// The user who asks, once that is known.
    pub fn user_id(&self) -> Option<UserId> {
        self.0.user_id.get()
    }
}

/// Does `work` with `context` as the current one.
pub async fn with_context<T>(context: RequestContext, work: impl Future<Output = T>) -> T {
    CURRENT.scope(context, work).await
}

/// Does `work`, which waits for nothing, with `context` as the current one.
#[cfg(test)]
pub fn in_context<T>(context: RequestContext, work: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(context, work)
}

/// The current context; an empty one outside of all.
pub fn current() -> RequestContext {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

/// Notes who sent the current request.
pub fn set_principal(who: &Principal) {
    let context = current();
    context.0.hospital_id.set(Some(who.hospital_id));
    context.0.user_id.set(Some(who.user_id));
}
