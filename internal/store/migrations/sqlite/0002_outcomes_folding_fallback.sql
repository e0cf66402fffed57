-- A snapshot at onset keeps the figures behind the diagnosis.
ALTER TABLE diagnoses ADD COLUMN onset INTEGER NOT NULL DEFAULT 0;
ALTER TABLE diagnoses ADD COLUMN signals TEXT NOT NULL DEFAULT '{}';

-- carries: the last message that an attempt of this one stood for, once it may have arrived.
-- via: the receiver that could not be reached, when this message replaces one to it.
ALTER TABLE messages ADD COLUMN carries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN folded_into TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN via TEXT NOT NULL DEFAULT '';
CREATE INDEX messages_settled ON messages (settled);
CREATE INDEX messages_dead ON messages (seq) WHERE state = 'dead';

-- Endpoints that asked never to be called again.
CREATE TABLE disabled_receivers (
  receiver TEXT PRIMARY KEY,
  at       INTEGER NOT NULL,
  why      TEXT NOT NULL
);

CREATE TABLE outcomes (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  at          INTEGER NOT NULL,
  entity      TEXT NOT NULL,
  cause       TEXT NOT NULL,
  change_json TEXT NOT NULL,
  before_from INTEGER NOT NULL,
  before_to   INTEGER NOT NULL,
  after_from  INTEGER NOT NULL,
  after_to    INTEGER NOT NULL,
  verdict     TEXT NOT NULL,
  comparison  TEXT NOT NULL
);
CREATE INDEX outcomes_at ON outcomes (at);
CREATE INDEX outcomes_cause ON outcomes (cause, id);

-- What people answered. Cause and key stand for themselves: most answers have no measured outcome.
CREATE TABLE answers (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  outcome INTEGER NOT NULL DEFAULT 0,
  at      INTEGER NOT NULL,
  key     TEXT NOT NULL,
  cause   TEXT NOT NULL,
  by_user TEXT NOT NULL,
  kind    TEXT NOT NULL
);
CREATE INDEX answers_at ON answers (at);
