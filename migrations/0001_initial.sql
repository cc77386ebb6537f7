-- Times are milliseconds since 1970, UTC. Truth values are 0 and 1.

CREATE TABLE hospitals (
  id        INTEGER PRIMARY KEY,
  name      TEXT NOT NULL,
  time_zone TEXT NOT NULL DEFAULT 'UTC' -- an IANA name
);

CREATE TABLE users (
  id            INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: events name their doctors for ever
  hospital_id   INTEGER NOT NULL REFERENCES hospitals (id),
  email         TEXT NOT NULL COLLATE NOCASE UNIQUE,
  username      TEXT NOT NULL UNIQUE,
  first_name    TEXT NOT NULL DEFAULT '',
  last_name     TEXT NOT NULL DEFAULT '',
  role          TEXT NOT NULL CHECK (role IN ('admin', 'doctor', 'user')),
  is_active     INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
  password_hash TEXT NOT NULL -- a PHC string
);

CREATE INDEX users_by_hospital ON users (hospital_id);

-- What a doctor has beyond a user. Only the hospital's room writes is_live and is_available_for_consultation.
CREATE TABLE doctors (
  user_id                       INTEGER PRIMARY KEY REFERENCES users (id),
  is_live                       INTEGER NOT NULL DEFAULT 0 CHECK (is_live IN (0, 1)),
  is_available_for_consultation INTEGER NOT NULL DEFAULT 0 CHECK (is_available_for_consultation IN (0, 1)),
  consultation_hours            TEXT NOT NULL DEFAULT '',
  specialization                TEXT NOT NULL DEFAULT ''
);

-- A revoked session is a deleted row.
CREATE TABLE sessions (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  token_sha256 TEXT NOT NULL UNIQUE, -- the token itself is stored nowhere
  user_id      INTEGER NOT NULL REFERENCES users (id),
  created_ms   INTEGER NOT NULL,
  expires_ms   INTEGER NOT NULL
);

CREATE INDEX sessions_by_user ON sessions (user_id);

-- One row is the notification, the history entry, the audit record and the resume cursor.
-- It holds the doctor as they were after the event, so that it reads the same for ever.
CREATE TABLE events (
  hospital_id                   INTEGER NOT NULL REFERENCES hospitals (id),
  seq                           INTEGER NOT NULL, -- 1, 2, 3, … per hospital, without gaps
  at_ms                         INTEGER NOT NULL,
  utc_offset_s                  INTEGER NOT NULL, -- the hospital's local time at that moment, seconds east of UTC
  action                        TEXT NOT NULL CHECK (action IN ('login', 'logout', 'availability')),
  reason                        TEXT CHECK (reason IN ('connection_lost', 'admin')),
  actor_id                      INTEGER REFERENCES users (id), -- null: nobody's call
  doctor_id                     INTEGER NOT NULL REFERENCES users (id),
  username                      TEXT NOT NULL,
  first_name                    TEXT NOT NULL,
  last_name                     TEXT NOT NULL,
  is_available_for_consultation INTEGER NOT NULL,
  is_live                       INTEGER NOT NULL,
  consultation_hours            TEXT NOT NULL,
  specialization                TEXT NOT NULL,
  hospital                      TEXT NOT NULL,
  PRIMARY KEY (hospital_id, seq)
) WITHOUT ROWID;
