//! Tickets for sockets.

use axum::{Json, extract::State};
use rollcall_core::{ticket::SocketPath, wire::Ticket};
use worker::send::SendFuture;

use super::{auth::SignedIn, body, sessions::new_token};
use crate::{clock, db::sessions, env::Bindings, error::Result};

/// A ticket for a socket.
///
/// `POST /api/ws-ticket`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/ws-ticket/", tag = "Sockets", operation_id = "issue_ticket",
    request_body = rollcall_core::request::TicketRequest,
    responses((status = 200, body = Ticket))
))]
pub async fn issue(
    State(bindings): State<Bindings>,
    caller: SignedIn,
    body::Json(fields): body::Json,
) -> Result<Json<Ticket>> {
    SendFuture::new(async move {
        let path = SocketPath::parse(&fields)?;
        caller.may(&bindings, path.action()).await?;
        let ticket = new_token()?;
        let session_id = caller.who.session_id;
        let expires_at = sessions::issue_ticket(&bindings.db()?, &ticket, session_id, path, clock::now()).await?;
        Ok(Json(Ticket { ticket: ticket.reveal().into(), expires_at }))
    })
    .await
}
