-- +goose Up

-- How long a project's events are kept, where it says otherwise than the installation
-- (SUNDEW_RETENTION_DAYS, SUNDEW_RETENTION_EVENTS). NULL: as there; 0: no limit.
CREATE TABLE project_retention (
  project_id INTEGER PRIMARY KEY REFERENCES projects (id),
  days       INTEGER,
  events     INTEGER
) STRICT;

-- Requests to remove what is stored about a person. Events are searched in digest
-- order, so that those which come meanwhile are found by going on.
CREATE TABLE erasures (
  id           INTEGER PRIMARY KEY,
  project_id   INTEGER REFERENCES projects (id), -- NULL: all projects
  kind         TEXT    NOT NULL, -- erasure.Kind: what the value is
  value        TEXT    NOT NULL, -- whom it is about; emptied when there is nothing left to do
  value_hash   TEXT    NOT NULL, -- what the audit log says in its place
  state        INTEGER NOT NULL DEFAULT 0, -- 0 searching, 1 found, 2 to be removed, 3 removed, 4 withdrawn
  searched     INTEGER NOT NULL DEFAULT 0, -- the last events.id that was looked at
  events       INTEGER NOT NULL DEFAULT 0, -- found; once removed, that many
  feedback     INTEGER NOT NULL DEFAULT 0,
  attachments  INTEGER NOT NULL DEFAULT 0,
  created_by   INTEGER NOT NULL REFERENCES users (id),
  created_at   INTEGER NOT NULL,
  done_at      INTEGER
) STRICT;
CREATE INDEX erasures_to_do ON erasures (id) WHERE state IN (0, 2);
CREATE INDEX erasures_by_project ON erasures (project_id);

-- What a search found, until all of it is removed. No references: events and issues may
-- go meanwhile.
CREATE TABLE erasure_events (
  erasure_id INTEGER NOT NULL REFERENCES erasures (id),
  event_id   INTEGER NOT NULL,
  issue_id   INTEGER NOT NULL,
  user       TEXT    NOT NULL, -- what the event called the person; mostly empty or the same
  PRIMARY KEY (erasure_id, event_id)
) STRICT, WITHOUT ROWID;
