-- From here on a hospital's room owns what is live, in a database of its own: its log, doctors' state, sessions and
-- tickets. `events` and `doctors` have it within two seconds; `sessions` and `tickets` are no longer used.

-- Which room writes here: random, changed when a room takes the hospital over and by `cargo xtask restore`. Each write of
-- a room is conditional on it. '': the hospital has no room yet.
ALTER TABLE hospitals ADD COLUMN epoch TEXT NOT NULL DEFAULT '';

-- Raised by each write to its users that its room has not made: `cargo xtask import-django`, `cargo xtask admin create`.
ALTER TABLE hospitals ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

-- Where the sequence of its room began; the next one begins above it. `seq_floor` holds only version 1.0 back: a room that
-- takes the hospital over raises it to 2^52, so that a late write of 1.0 takes no seq of the room's.
ALTER TABLE hospitals ADD COLUMN room_seq INTEGER NOT NULL DEFAULT 0;

-- Raised with each change of the user, so that a room notices when its copy is stale, and a late write changes nothing.
ALTER TABLE users ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- is_live, is_available_for_consultation and live_changed_ms are as they were after this event.
ALTER TABLE doctors ADD COLUMN state_seq INTEGER NOT NULL DEFAULT 0;

-- Tokens from `cargo xtask import-django`, which do not name their hospital as ours do. Rows stay: importing again must see
-- which tokens there were.
CREATE TABLE imported_tokens (
  token_sha256 TEXT PRIMARY KEY, -- the token itself is stored nowhere
  user_id      INTEGER NOT NULL REFERENCES users (id),
  created_ms   INTEGER NOT NULL,
  expires_ms   INTEGER NOT NULL,
  ended_ms     INTEGER -- null: it is good until it expires
) WITHOUT ROWID;

CREATE INDEX imported_tokens_by_user ON imported_tokens (user_id);

-- Those that version 1.0 imported ended with its other sessions.
INSERT INTO imported_tokens (token_sha256, user_id, created_ms, expires_ms, ended_ms)
SELECT token_sha256, user_id, created_ms, expires_ms, COALESCE(revoked_ms, unixepoch() * 1000)
FROM sessions WHERE user_agent = 'Django';

-- The security events of a hospital, as its room numbers them: 1, 2, 3, … per hospital. `security_events` holds those that
-- version 1.0 wrote, and attempts by people who are not known.
CREATE TABLE archived_security_events (
  hospital_id INTEGER NOT NULL,
  number      INTEGER NOT NULL,
  at_ms       INTEGER NOT NULL,
  actor_id    INTEGER, -- null: nobody who is signed in
  action      TEXT NOT NULL,
  target_id   INTEGER,
  result      TEXT NOT NULL CHECK (result IN ('done', 'denied', 'failed', 'throttled')),
  address     TEXT NOT NULL, -- where the request came from
  times       INTEGER NOT NULL, -- how often it was tried within the minute
  PRIMARY KEY (hospital_id, number)
) WITHOUT ROWID;

CREATE INDEX archived_security_events_by_time ON archived_security_events (at_ms);

-- What can never change: one row, written by the first `cargo xtask deploy`.
CREATE TABLE deployment (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  jurisdiction TEXT NOT NULL -- where rooms and database lie, as JURISDICTION has it; '': anywhere
);
