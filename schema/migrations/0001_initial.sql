-- +goose Up

-- Times are Unix milliseconds UTC, hours are such a time divided by 3,600,000.
-- Ids of ours are INTEGER PRIMARY KEY in digest order, so that inserts append;
-- ids made by SDKs are 16-byte BLOBs. Counters are kept, never counted: the
-- transaction that inserts an event also moves every number that depends on it.

CREATE TABLE projects (
  id           INTEGER PRIMARY KEY,
  slug         TEXT    NOT NULL UNIQUE, -- in addresses and short ids; upper-cased there (SHOP-42)
  name         TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  issue_count  INTEGER NOT NULL DEFAULT 0, -- issues ever made; the last one's number
  event_count  INTEGER NOT NULL DEFAULT 0, -- events ever digested
  last_event_at INTEGER                    -- digest time of the newest one
) STRICT;

-- The same key may open several projects: a key is a permission to report, the
-- number in the DSN says to which project.
CREATE TABLE project_keys (
  id         INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES projects (id),
  public_key TEXT    NOT NULL,
  enabled    INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  UNIQUE (project_id, public_key)
) STRICT;

CREATE TABLE issues (
  id          INTEGER PRIMARY KEY,
  project_id  INTEGER NOT NULL REFERENCES projects (id),
  number      INTEGER NOT NULL, -- 1, 2, 3 … within the project
  state       INTEGER NOT NULL DEFAULT 0, -- 0 open, 1 resolved
  level       INTEGER NOT NULL,           -- of the newest event
  title       TEXT    NOT NULL,           -- of the newest event
  culprit     TEXT    NOT NULL,           -- of the newest event
  platform    TEXT    NOT NULL,
  event_count INTEGER NOT NULL DEFAULT 0, -- events ever digested
  first_seen  INTEGER NOT NULL,           -- when they happened, by the client's clock within bounds
  last_seen   INTEGER NOT NULL,
  resolved_at INTEGER,
  -- Sort keys of the lists. They follow last_seen and event_count in steps (a
  -- minute; a quarter of the count's magnitude), so that an event of a busy
  -- issue touches no index: lists read an index range by the coarse key and
  -- sort by the exact value within a step.
  seen_step   INTEGER NOT NULL,
  count_step  INTEGER NOT NULL,
  UNIQUE (project_id, number)
) STRICT;
CREATE INDEX issues_by_seen ON issues (project_id, state, seen_step);
CREATE INDEX issues_by_count ON issues (project_id, state, count_step);

-- Many groupings lead to one issue: after a merge, and when the grouping version
-- of a project changes.
CREATE TABLE groupings (
  project_id INTEGER NOT NULL REFERENCES projects (id),
  key_hash   BLOB    NOT NULL, -- first 16 bytes of SHA-256 over version and key parts
  version    INTEGER NOT NULL, -- of the grouping rules that made the key
  issue_id   INTEGER NOT NULL REFERENCES issues (id),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (project_id, key_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX groupings_by_issue ON groupings (issue_id);

CREATE TABLE events (
  id          INTEGER PRIMARY KEY, -- digest order
  project_id  INTEGER NOT NULL REFERENCES projects (id),
  issue_id    INTEGER NOT NULL REFERENCES issues (id),
  event_id    BLOB    NOT NULL, -- the SDK's
  number      INTEGER NOT NULL, -- the n-th event of its issue, from 1
  occurred_at INTEGER NOT NULL, -- by the client's clock, corrected and kept within bounds of received_at
  received_at INTEGER NOT NULL, -- by the edge's clock
  digested_at INTEGER NOT NULL,
  level       INTEGER NOT NULL,
  title       TEXT    NOT NULL,
  release     TEXT    NOT NULL,
  environment TEXT    NOT NULL,
  user        TEXT    NOT NULL, -- one identifier, for lists
  -- Exactly once: a redelivered or repeated event violates this in the very
  -- transaction that would have counted it. The SDK's id comes first so that
  -- the index also answers "where is event …?".
  UNIQUE (event_id, project_id)
) STRICT;
CREATE UNIQUE INDEX events_by_issue ON events (issue_id, number);

-- Bodies are apart so that lists and counters touch small pages only.
CREATE TABLE event_bodies (
  event_id INTEGER PRIMARY KEY REFERENCES events (id),
  kind     INTEGER NOT NULL, -- wire.Kind: what the JSON is
  encoding INTEGER NOT NULL, -- wire.Encoding: how it is compressed
  meta     TEXT    NOT NULL, -- JSON: what the message said besides the body (client, address, region, sent_at)
  body     BLOB    NOT NULL
) STRICT;

CREATE TABLE issue_tags (
  issue_id  INTEGER NOT NULL REFERENCES issues (id),
  key       TEXT    NOT NULL,
  value     TEXT    NOT NULL,
  count     INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  PRIMARY KEY (issue_id, key, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE issue_hours (
  issue_id INTEGER NOT NULL REFERENCES issues (id),
  hour     INTEGER NOT NULL,
  count    INTEGER NOT NULL,
  PRIMARY KEY (issue_id, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE releases (
  id          INTEGER PRIMARY KEY,
  project_id  INTEGER NOT NULL REFERENCES projects (id),
  version     TEXT    NOT NULL,
  first_seen  INTEGER NOT NULL,
  last_seen   INTEGER NOT NULL,
  event_count INTEGER NOT NULL,
  UNIQUE (project_id, version)
) STRICT;

CREATE TABLE environments (
  project_id  INTEGER NOT NULL REFERENCES projects (id),
  name        TEXT    NOT NULL,
  first_seen  INTEGER NOT NULL,
  last_seen   INTEGER NOT NULL,
  event_count INTEGER NOT NULL,
  PRIMARY KEY (project_id, name)
) STRICT, WITHOUT ROWID;

-- What happened to an issue, for people: made, resolved, reopened, regressed.
CREATE TABLE history (
  id       INTEGER PRIMARY KEY,
  issue_id INTEGER NOT NULL REFERENCES issues (id),
  at       INTEGER NOT NULL,
  kind     TEXT    NOT NULL,
  event_id INTEGER REFERENCES events (id) -- the event that caused it, if one did
) STRICT;
CREATE INDEX history_by_issue ON history (issue_id, id);

-- The books. One row an hour, project, category, outcome and reason; the hour is
-- the one in which the edge accepted or refused. Project 0: none could be told.
-- Outcomes of messages are stored, duplicate and dropped; those of items that
-- were never queued are the edge's (wire.Outcome).
CREATE TABLE outcomes (
  project_id INTEGER NOT NULL,
  hour       INTEGER NOT NULL,
  category   TEXT    NOT NULL,
  outcome    TEXT    NOT NULL,
  reason     TEXT    NOT NULL,
  quantity   INTEGER NOT NULL,
  PRIMARY KEY (project_id, hour, category, outcome, reason)
) STRICT, WITHOUT ROWID;

-- The same without the hour, so that nobody has to sum up years; kept for all but
-- stored events, which projects.event_count counts.
CREATE TABLE outcome_totals (
  project_id INTEGER NOT NULL,
  category   TEXT    NOT NULL,
  outcome    TEXT    NOT NULL,
  reason     TEXT    NOT NULL,
  quantity   INTEGER NOT NULL,
  PRIMARY KEY (project_id, category, outcome, reason)
) STRICT, WITHOUT ROWID;

-- One row a running copy of the edge that ever sent something.
CREATE TABLE edge_instances (
  id         INTEGER PRIMARY KEY,
  instance   BLOB    NOT NULL UNIQUE, -- wire.InstanceID
  region     TEXT    NOT NULL,
  first_seen INTEGER NOT NULL
) STRICT;

-- What an instance accepted for one project is numbered 1, 2, 3 …; every number
-- up to high has been decided, except those in edge_gaps.
CREATE TABLE edge_lanes (
  id          INTEGER PRIMARY KEY,
  instance_id INTEGER NOT NULL REFERENCES edge_instances (id),
  project_id  INTEGER NOT NULL,
  high        INTEGER NOT NULL,
  redelivered INTEGER NOT NULL DEFAULT 0, -- deliveries of numbers decided before; outside the balance
  UNIQUE (instance_id, project_id)
) STRICT;

-- Numbers below a lane's high that have not arrived: on their way, or lost.
CREATE TABLE edge_gaps (
  lane_id  INTEGER NOT NULL REFERENCES edge_lanes (id),
  from_seq INTEGER NOT NULL,
  to_seq   INTEGER NOT NULL, -- inclusive
  since    INTEGER NOT NULL,
  PRIMARY KEY (lane_id, from_seq)
) STRICT, WITHOUT ROWID;

-- The newest messages that were dropped, for people who wonder why.
CREATE TABLE rejects (
  id          INTEGER PRIMARY KEY,
  project_id  INTEGER NOT NULL,
  event_id    BLOB    NOT NULL,
  received_at INTEGER NOT NULL,
  digested_at INTEGER NOT NULL,
  reason      TEXT    NOT NULL,
  detail      TEXT    NOT NULL
) STRICT;

-- One row. Writing it under synchronous=FULL is the durability point of a batch.
CREATE TABLE digest_state (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  batch      INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO digest_state (id, batch, updated_at) VALUES (1, 0, 0);
