//! Tickets: what a page shows at a socket. A used ticket is a deleted row.

use rollcall_core::{
    HospitalId, SessionId, Timestamp,
    ticket::{self, SocketPath},
};
use worker::Result;

use super::{RoomStorage, sessions::SessionUser, time};

impl RoomStorage {
    /// Issues a ticket of a session, and forgets those of it that were not used in time. Says when it expires.
    pub fn issue_ticket(&self, digest: &str, id: SessionId, path: SocketPath, now: Timestamp) -> Result<Timestamp> {
        let expires_at = now + ticket::LIFETIME;
        let unused = "DELETE FROM tickets WHERE session_id = ? AND expires_ms <= ?";
        self.exec(unused, vec![id.get().into(), time(now)])?;
        let insert = "INSERT INTO tickets (ticket_sha256, session_id, path, expires_ms) VALUES (?, ?, ?, ?)";
        self.exec(insert, vec![digest.into(), id.get().into(), path.as_str().into(), time(expires_at)])?;
        Ok(expires_at)
    }

    /// Whom a ticket speaks for at `path`. It is used up, whatever comes of it.
    pub fn use_ticket(
        &self,
        digest: &str,
        path: SocketPath,
        now: Timestamp,
        hospital_id: HospitalId,
    ) -> Result<Option<SessionUser>> {
        let sql = "DELETE FROM tickets WHERE ticket_sha256 = ?
             RETURNING json_array(session_id, path, expires_ms) AS json";
        let used: Vec<(SessionId, String, i64)> = self.query(sql, vec![digest.into()])?;
        match used.first() {
            Some((id, of, expires_ms)) if of == path.as_str() && now.timestamp_millis() < *expires_ms => {
                self.session_user_of(*id, now, hospital_id)
            }
            _ => Ok(None),
        }
    }
}
