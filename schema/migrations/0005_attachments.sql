-- +goose Up

-- Files that clients send with events and feedback, and what people wrote. Both name
-- the event by the SDK's id, because they are messages of their own and may come
-- before it, or without it.

-- The bound of a project's attachments is kept like every other number: by the
-- transaction that adds or removes one.
ALTER TABLE projects ADD COLUMN attachment_bytes INTEGER NOT NULL DEFAULT 0; -- sum of attachments.bytes
ALTER TABLE projects ADD COLUMN attachments_evicted INTEGER NOT NULL DEFAULT 0; -- removed because newer ones needed the room

CREATE TABLE attachments (
  id           INTEGER PRIMARY KEY, -- digest order: the oldest go first
  project_id   INTEGER NOT NULL REFERENCES projects (id),
  event_id     BLOB    NOT NULL, -- the SDK's, of an event or of feedback
  name         TEXT    NOT NULL, -- as the client sent it: never a path, never trusted
  content_type TEXT    NOT NULL, -- what the client says it is
  type         TEXT    NOT NULL, -- the protocol's attachment_type, mostly empty
  size         INTEGER NOT NULL, -- of the file
  bytes        INTEGER NOT NULL, -- that it is charged with: its parts, and something for its rows
  encoding     INTEGER NOT NULL, -- wire.Encoding: how it is compressed, if that helped
  sha256       BLOB    NOT NULL, -- of the file
  received_at  INTEGER NOT NULL,
  digested_at  INTEGER NOT NULL,
  -- Exactly once: the same file sent again is a duplicate. The event comes first
  -- so that the index also answers "which files has event …?".
  UNIQUE (event_id, project_id, name, sha256)
) STRICT;
CREATE INDEX attachments_by_project ON attachments (project_id);

-- Apart, so that lists touch small pages only, and cut, because libSQL servers take no
-- values of more than 4 MB. An empty file has no part.
CREATE TABLE attachment_parts (
  attachment_id INTEGER NOT NULL REFERENCES attachments (id),
  part          INTEGER NOT NULL, -- 0, 1, 2 …
  body          BLOB    NOT NULL,
  PRIMARY KEY (attachment_id, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE feedback (
  id          INTEGER PRIMARY KEY, -- digest order
  project_id  INTEGER NOT NULL REFERENCES projects (id),
  feedback_id BLOB    NOT NULL, -- the SDK's; of an old user report, which has none, a hash of all that it says
  event_id    BLOB,             -- the SDK's, of the event that it is about; NULL: of none
  name        TEXT    NOT NULL,
  email       TEXT    NOT NULL,
  message     TEXT    NOT NULL,
  url         TEXT    NOT NULL, -- of the page that it was written on
  received_at INTEGER NOT NULL,
  digested_at INTEGER NOT NULL,
  UNIQUE (feedback_id, project_id)
) STRICT;
CREATE INDEX feedback_by_project ON feedback (project_id);
CREATE INDEX feedback_by_event ON feedback (event_id, project_id) WHERE event_id IS NOT NULL;
