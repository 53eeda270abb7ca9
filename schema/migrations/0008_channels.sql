-- +goose Up

-- Where a project's messages about its issues go.
CREATE TABLE channels (
  id           INTEGER PRIMARY KEY,
  project_id   INTEGER NOT NULL REFERENCES projects (id),
  kind         TEXT    NOT NULL, -- notify.ChannelKind
  name         TEXT    NOT NULL,
  config       TEXT    NOT NULL, -- JSON of notify.Config; has secrets
  enabled      INTEGER NOT NULL DEFAULT 1,
  created_at   INTEGER NOT NULL,
  succeeded_at INTEGER,
  failed_at    INTEGER,
  failure      TEXT    NOT NULL DEFAULT '', -- of failed_at
  failures     INTEGER NOT NULL DEFAULT 0,  -- in a row; the pauses grow with it
  held_until   INTEGER,                     -- nothing but tests is sent before
  left_out     INTEGER NOT NULL DEFAULT 0   -- messages that were too many to keep; the next that is sent says so
) STRICT;
CREATE INDEX channels_by_project ON channels (project_id);

-- Messages to send, one row for each recipient. A row is written in the transaction of
-- what it is about, and sent after that is committed.
CREATE TABLE notifications (
  id         INTEGER PRIMARY KEY,
  channel_id INTEGER NOT NULL REFERENCES channels (id),
  recipient  TEXT    NOT NULL, -- a mail address; empty: the channel has one place only
  kind       TEXT    NOT NULL, -- notify.Kind; tests go first
  title      TEXT    NOT NULL, -- for the list
  issue_id   INTEGER,          -- that it is about; it goes with the issue
  message    TEXT    NOT NULL, -- JSON of notify.Message; emptied when it is sent
  left_out   INTEGER NOT NULL DEFAULT 0, -- taken over from the channel
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, -- when it is given up if no attempt went well
  due_at     INTEGER,          -- of the next attempt, or of the end of a lease; NULL: sent or given up
  attempts   INTEGER NOT NULL DEFAULT 0,
  error      TEXT    NOT NULL DEFAULT '', -- of the last attempt
  sent_at    INTEGER
) STRICT;
CREATE INDEX notifications_waiting ON notifications (channel_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX notifications_by_channel ON notifications (channel_id);
CREATE INDEX notifications_by_issue ON notifications (issue_id) WHERE issue_id IS NOT NULL;
