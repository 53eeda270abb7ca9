-- +goose Up

-- What people set about a project, and what is known of it beside its issues.

ALTER TABLE projects ADD COLUMN platform TEXT NOT NULL DEFAULT ''; -- whose set-up guide is shown first, e.g. python
-- NULL: it is there. Otherwise it is in no list, its keys are off and its events are
-- dropped; since when, for as long as that can be taken back. 0: its rows are being
-- removed or are gone. The row itself stays for the books, and so that no other
-- project ever gets the number that is in its DSNs.
ALTER TABLE projects ADD COLUMN deleted_at INTEGER;
ALTER TABLE projects ADD COLUMN emptied_at INTEGER; -- when the last of its rows was gone
ALTER TABLE projects ADD COLUMN feedback_evicted INTEGER NOT NULL DEFAULT 0; -- feedback that is no longer stored
CREATE INDEX projects_deleted ON projects (deleted_at) WHERE deleted_at IS NOT NULL AND emptied_at IS NULL;

-- Names that a project had before. Links and short ids with them keep leading to it.
CREATE TABLE former_slugs (
  slug       TEXT    PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES projects (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX former_slugs_by_project ON former_slugs (project_id);

ALTER TABLE project_keys ADD COLUMN name TEXT NOT NULL DEFAULT ''; -- for people, e.g. "web shop, since the leak"

-- Apart from projects, whose rows every event changes. Texts as people typed them; a
-- project without a row has neither.
CREATE TABLE project_rules (
  project_id  INTEGER PRIMARY KEY REFERENCES projects (id),
  origins     TEXT NOT NULL DEFAULT '', -- keyring.ParseOrigins; empty: browsers may report from everywhere
  fingerprint TEXT NOT NULL DEFAULT ''  -- grouping.ParseRules
) STRICT;

-- Environments that filters do not offer. Their events are stored like all others.
CREATE TABLE hidden_environments (
  project_id INTEGER NOT NULL REFERENCES projects (id),
  name       TEXT    NOT NULL,
  PRIMARY KEY (project_id, name)
) STRICT, WITHOUT ROWID;

-- When a release went where. Several are possible: it was rolled back and out again.
CREATE TABLE deploys (
  id          INTEGER PRIMARY KEY,
  project_id  INTEGER NOT NULL REFERENCES projects (id),
  release     TEXT    NOT NULL, -- no reference: it may be deployed before its first event
  environment TEXT    NOT NULL,
  name        TEXT    NOT NULL, -- may be empty
  started_at  INTEGER,
  finished_at INTEGER NOT NULL
) STRICT;
CREATE INDEX deploys_by_release ON deploys (project_id, release, id);

-- Events by release and hour of digesting, for the last weeks. Counted behind the
-- digest, from what release_counts has more than was counted before: an event costs
-- nothing for it. Begins when this table does.
CREATE TABLE release_hours (
  project_id  INTEGER NOT NULL REFERENCES projects (id),
  release     TEXT    NOT NULL,
  environment TEXT    NOT NULL,
  hour        INTEGER NOT NULL,
  count       INTEGER NOT NULL,
  PRIMARY KEY (project_id, release, environment, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX release_hours_by_hour ON release_hours (hour);
ALTER TABLE release_counts ADD COLUMN counted INTEGER NOT NULL DEFAULT 0; -- of event_count, those that are in release_hours or older than it
UPDATE release_counts SET counted = event_count;

CREATE INDEX issues_by_first_release ON issues (project_id, first_release) WHERE first_release <> '';
CREATE INDEX history_of_regressions ON history (at) WHERE kind = 'regressed';
