-- +goose Up

-- What people decide about issues. An issue stays the unit of counting when it is
-- merged: a member keeps its own events, numbers, hours, tags and groupings, and its
-- head has beside its own numbers those of all its members. So unmerging is exact.

-- state: 0 open, 1 resolved, 2 muted, 3 merged into another one, 4 deleted, its rows
-- to be removed. Those of 3 and 4 are in no list.
ALTER TABLE issues ADD COLUMN revision INTEGER NOT NULL DEFAULT 0; -- of what people did; a digest asserts it
ALTER TABLE issues ADD COLUMN resolve_kind INTEGER NOT NULL DEFAULT 0; -- triage.ResolveKind
ALTER TABLE issues ADD COLUMN resolve_release TEXT NOT NULL DEFAULT ''; -- kind 1: events of later ones reopen it; 2: of this and later ones
ALTER TABLE issues ADD COLUMN mute_kind INTEGER NOT NULL DEFAULT 0; -- triage.MuteKind
ALTER TABLE issues ADD COLUMN mute_until INTEGER;
ALTER TABLE issues ADD COLUMN mute_events INTEGER NOT NULL DEFAULT 0; -- within the period, or, of MuteMore, the total that ends it
ALTER TABLE issues ADD COLUMN mute_period INTEGER NOT NULL DEFAULT 0; -- ms
ALTER TABLE issues ADD COLUMN assignee_user_id INTEGER REFERENCES users (id);
ALTER TABLE issues ADD COLUMN assignee_team_id INTEGER REFERENCES teams (id);
ALTER TABLE issues ADD COLUMN aside_state INTEGER; -- of states 3 and 4: the state before
ALTER TABLE issues ADD COLUMN aside_at INTEGER;    -- since when; 0: its rows are being removed, there is no way back
ALTER TABLE issues ADD COLUMN merged_into INTEGER REFERENCES issues (id); -- its head, which is no member itself
ALTER TABLE issues ADD COLUMN merged_events INTEGER NOT NULL DEFAULT 0; -- of a head: the sum of its members' event_count
ALTER TABLE issues ADD COLUMN merged_first_seen INTEGER; -- of its members; NULL: it has none
ALTER TABLE issues ADD COLUMN merged_last_seen INTEGER;
ALTER TABLE issues ADD COLUMN evicted_events INTEGER NOT NULL DEFAULT 0; -- of event_count, those that are no longer stored
ALTER TABLE issues ADD COLUMN first_release TEXT NOT NULL DEFAULT ''; -- of the first event that named one
ALTER TABLE issues ADD COLUMN last_release TEXT NOT NULL DEFAULT '';  -- of the newest event that named one
ALTER TABLE issues ADD COLUMN user_count INTEGER NOT NULL DEFAULT 0;  -- users of its own events
ALTER TABLE issues ADD COLUMN whole_users INTEGER; -- of a head: users of all events, its members' too; NULL: it has no members
-- What lists and pages show; seen_step and count_step follow these.
ALTER TABLE issues ADD COLUMN total_events INTEGER AS (event_count + merged_events);
ALTER TABLE issues ADD COLUMN total_first_seen INTEGER AS (min(first_seen, coalesce(merged_first_seen, first_seen)));
ALTER TABLE issues ADD COLUMN total_last_seen INTEGER AS (max(last_seen, coalesce(merged_last_seen, last_seen)));
ALTER TABLE issues ADD COLUMN total_users INTEGER AS (coalesce(whole_users, user_count));
CREATE INDEX issues_by_head ON issues (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX issues_by_mute_until ON issues (mute_until) WHERE mute_until IS NOT NULL;
CREATE INDEX issues_deleted ON issues (aside_at) WHERE state = 4;

UPDATE issues SET
  first_release = coalesce((SELECT release FROM events e WHERE e.issue_id = issues.id AND release <> '' ORDER BY number LIMIT 1), ''),
  last_release = coalesce((SELECT release FROM events e WHERE e.issue_id = issues.id AND release <> '' ORDER BY number DESC LIMIT 1), '');

-- The groupings of a deleted issue, for as long as it can be taken back: meanwhile
-- its events make a new issue.
CREATE TABLE parked_groupings (
  issue_id   INTEGER NOT NULL REFERENCES issues (id),
  key_hash   BLOB    NOT NULL,
  version    INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (issue_id, key_hash)
) STRICT, WITHOUT ROWID;

-- Who was affected: the users of an issue's own events (whole 0) and, of a head, of
-- all of its members' too (whole 1). Beyond about a thousand a sketch takes the place
-- of the rows. Events from before this table are not in it.
CREATE TABLE issue_users (
  issue_id  INTEGER NOT NULL REFERENCES issues (id),
  whole     INTEGER NOT NULL,
  user_hash BLOB    NOT NULL, -- first 8 bytes of SHA-256
  PRIMARY KEY (issue_id, whole, user_hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE issue_sketches (
  issue_id INTEGER NOT NULL REFERENCES issues (id),
  whole    INTEGER NOT NULL,
  sketch   BLOB    NOT NULL, -- HyperLogLog
  PRIMARY KEY (issue_id, whole)
) STRICT;

-- Events by release and environment, either of them '' where an event names none:
-- the counts of a project sum up to its events.
CREATE TABLE release_counts (
  project_id  INTEGER NOT NULL REFERENCES projects (id),
  release     TEXT    NOT NULL,
  environment TEXT    NOT NULL,
  first_seen  INTEGER NOT NULL,
  last_seen   INTEGER NOT NULL,
  event_count INTEGER NOT NULL, -- ever
  evicted     INTEGER NOT NULL DEFAULT 0, -- of these, no longer stored
  PRIMARY KEY (project_id, release, environment)
) STRICT, WITHOUT ROWID;
INSERT INTO release_counts (project_id, release, environment, first_seen, last_seen, event_count)
SELECT project_id, release, environment, min(occurred_at), max(occurred_at), count(*) FROM events GROUP BY 1, 2, 3;
DROP TABLE environments;
-- Releases are in the order in which they appeared.
ALTER TABLE releases DROP COLUMN last_seen;
ALTER TABLE releases DROP COLUMN event_count;
ALTER TABLE releases RENAME COLUMN first_seen TO created_at;
ALTER TABLE releases ADD COLUMN new_issues INTEGER NOT NULL DEFAULT 0; -- ever made by an event of it
UPDATE releases SET new_issues = (
  SELECT count(*) FROM issues i JOIN events e ON e.issue_id = i.id AND e.number = 1
  WHERE i.project_id = releases.project_id AND e.release = releases.version);

ALTER TABLE projects ADD COLUMN evicted_issues INTEGER NOT NULL DEFAULT 0; -- of issue_count, those that are no longer there
ALTER TABLE projects ADD COLUMN evicted_events INTEGER NOT NULL DEFAULT 0; -- of event_count, likewise

ALTER TABLE history ADD COLUMN user_id INTEGER REFERENCES users (id); -- who did it; NULL: an event or the program did
ALTER TABLE history ADD COLUMN detail TEXT NOT NULL DEFAULT '';      -- JSON, what else is to be said; store.Detail
CREATE INDEX history_by_event ON history (event_id) WHERE event_id IS NOT NULL; -- for removing events

-- The largest ids that were removed: none is given twice.
ALTER TABLE digest_state ADD COLUMN removed_event INTEGER NOT NULL DEFAULT 0;
ALTER TABLE digest_state ADD COLUMN removed_issue INTEGER NOT NULL DEFAULT 0;
