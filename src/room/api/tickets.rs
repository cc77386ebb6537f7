//! Tickets for sockets.

use rollcall_core::{
    ticket::SocketPath,
    token::{Token, TokenKind},
    wire::Ticket,
};

use crate::{
    platform::{clock, random},
    room::request::Request,
    telemetry::{
        error::Result,
        response::{Response, json},
    },
};

/// A ticket for a socket.
///
/// `POST /api/ws-ticket`
#[cfg_attr(test, utoipa::path(
    post, path = "/api/ws-ticket/", tag = "Sockets", operation_id = "issue_ticket",
    request_body = rollcall_core::request::TicketRequest,
    responses((status = 200, body = Ticket))
))]
pub async fn issue(request: Request) -> Result<Response> {
    let caller = request.signed_in()?;
    let path = SocketPath::parse(&request.fields()?)?;
    caller.decided(path.permission(), None, rollcall_core::auth::may(&caller.who, path.permission()))?;
    let (room, key) = (&request.room, request.room.bindings().token_key());
    let ticket = Token::issue(TokenKind::Ticket, room.hospital_id(), random::bytes()?, &key);
    let expires_at = room.storage.issue_ticket(&ticket.digest(), caller.who.session_id, path, clock::now())?;
    Ok(json(&Ticket { ticket: ticket.reveal().into(), expires_at })?)
}
