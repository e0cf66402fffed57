-- Times are microseconds since 1970, JSON is text.
CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE judge_state (
  key   BLOB PRIMARY KEY, -- separators in it are not UTF-8
  value TEXT NOT NULL
);

CREATE TABLE sent (
  receiver TEXT NOT NULL,
  key      TEXT NOT NULL,
  value    TEXT NOT NULL,
  PRIMARY KEY (receiver, key)
);

CREATE TABLE transitions (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  at         INTEGER NOT NULL,
  entity     TEXT NOT NULL,
  symptom    TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state   TEXT NOT NULL,
  severity   TEXT NOT NULL
);
CREATE INDEX transitions_at ON transitions (at);
CREATE INDEX transitions_entity ON transitions (entity, at);

CREATE TABLE diagnoses (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  at          INTEGER NOT NULL,
  entity      TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  status      TEXT NOT NULL,
  cause       TEXT NOT NULL,
  score       REAL NOT NULL,
  body        TEXT NOT NULL
);
CREATE INDEX diagnoses_at ON diagnoses (at);
CREATE INDEX diagnoses_entity ON diagnoses (entity, id);

CREATE TABLE messages (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  id          TEXT NOT NULL UNIQUE,
  receiver    TEXT NOT NULL,
  key         TEXT NOT NULL,
  number      INTEGER NOT NULL,
  reason      TEXT NOT NULL,
  onset       INTEGER NOT NULL,
  body        TEXT NOT NULL,
  state       TEXT NOT NULL, -- waiting, delivered, folded, dead
  enqueued    INTEGER NOT NULL,
  deadline    INTEGER NOT NULL,
  due         INTEGER NOT NULL,
  settled     INTEGER,
  attempts    INTEGER NOT NULL DEFAULT 0,
  last_reason TEXT NOT NULL DEFAULT '',
  last_error  TEXT NOT NULL DEFAULT '',
  lease_owner TEXT NOT NULL DEFAULT '',
  lease_until INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX messages_key ON messages (receiver, key, seq);
CREATE INDEX messages_waiting ON messages (receiver, key, seq) WHERE state = 'waiting';

CREATE TABLE threads (
  receiver TEXT NOT NULL,
  key      TEXT NOT NULL,
  onset    INTEGER NOT NULL,
  receipt  TEXT NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (receiver, key, onset)
);

CREATE TABLE silences (
  id         TEXT PRIMARY KEY,
  matchers   TEXT NOT NULL,
  starts     INTEGER NOT NULL,
  ends       INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  comment    TEXT NOT NULL
);

CREATE TABLE acknowledgements (
  key      TEXT PRIMARY KEY,
  by_user  TEXT NOT NULL,
  at       INTEGER NOT NULL,
  severity TEXT NOT NULL
);
