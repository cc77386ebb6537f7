-- A revoked session stays for a while, so that ending it can be repeated: its sockets must go too.
ALTER TABLE sessions ADD COLUMN revoked_ms INTEGER;
ALTER TABLE sessions ADD COLUMN user_agent TEXT NOT NULL DEFAULT ''; -- what its owner knows it by

-- Null: the password is the user's own. Otherwise an administrator's, good until then, for choosing a new one only.
ALTER TABLE users ADD COLUMN temporary_until_ms INTEGER;

-- A used ticket is a deleted row.
CREATE TABLE tickets (
  ticket_sha256 TEXT PRIMARY KEY,
  session_id    INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  path          TEXT NOT NULL,
  expires_ms    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX tickets_by_session ON tickets (session_id);

-- Who tried what to whom. Not the hospital's events: these take no seq, and are forgotten after a while. Without
-- references: what was tried on somebody who does not exist is worth recording too.
CREATE TABLE security_events (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms       INTEGER NOT NULL,
  hospital_id INTEGER, -- null: nobody known was involved
  actor_id    INTEGER, -- null: nobody who is signed in
  action      TEXT NOT NULL,
  target_id   INTEGER,
  result      TEXT NOT NULL CHECK (result IN ('done', 'denied', 'failed', 'throttled')),
  address     TEXT NOT NULL, -- where the request came from
  times       INTEGER NOT NULL DEFAULT 1 -- how often it was tried within the minute
);

CREATE INDEX security_events_by_time ON security_events (at_ms);
CREATE INDEX security_events_by_address ON security_events (address, action, at_ms);
