-- +goose Up

-- What people are told of. What a rule says is in package digester/alert.
CREATE TABLE alert_rules (
  id            INTEGER PRIMARY KEY,
  project_id    INTEGER NOT NULL REFERENCES projects (id),
  name          TEXT    NOT NULL,
  enabled       INTEGER NOT NULL DEFAULT 1,
  on_new        INTEGER NOT NULL,
  on_regression INTEGER NOT NULL,
  on_unmuted    INTEGER NOT NULL,
  events        INTEGER NOT NULL DEFAULT 0, -- of an issue within events_period; 0: the rule does not count them
  events_period INTEGER NOT NULL DEFAULT 0, -- ms
  users         INTEGER NOT NULL DEFAULT 0,
  users_period  INTEGER NOT NULL DEFAULT 0,
  filter        TEXT    NOT NULL DEFAULT '{}', -- JSON of alert.Filter
  pause         INTEGER NOT NULL,              -- ms between two messages about one issue for the same reason
  all_channels  INTEGER NOT NULL,              -- 1: also those to come; 0: those of alert_rule_channels
  created_at    INTEGER NOT NULL,
  fired         INTEGER NOT NULL DEFAULT 0,    -- how often somebody was told, or will be in a summary
  fired_at      INTEGER
) STRICT;
CREATE INDEX alert_rules_by_project ON alert_rules (project_id);
CREATE INDEX alert_rules_counting ON alert_rules (project_id) WHERE enabled = 1 AND events + users > 0; -- few of all

CREATE TABLE alert_rule_channels (
  rule_id    INTEGER NOT NULL REFERENCES alert_rules (id) ON DELETE CASCADE,
  channel_id INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
  PRIMARY KEY (rule_id, channel_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_rule_channels_by_channel ON alert_rule_channels (channel_id);

-- What happened and a rule may be about. The digest of the event writes the row, if the
-- project has a rule for it; what comes of it is decided afterwards, and the row becomes
-- a line of the log. Rows of which no rule wanted to know are removed at once, others
-- after a while.
CREATE TABLE alerts (
  id          INTEGER PRIMARY KEY,
  project_id  INTEGER NOT NULL REFERENCES projects (id),
  issue_id    INTEGER NOT NULL REFERENCES issues (id),
  kind        TEXT    NOT NULL, -- notify.Kind
  rule_id     INTEGER NOT NULL DEFAULT 0, -- of kinds that count: whose number was reached
  number      INTEGER NOT NULL DEFAULT 0, -- of these: how many there were
  event_id    INTEGER,                    -- the event that led to it, as long as it is there; NULL: none did
  at          INTEGER NOT NULL,
  level       INTEGER NOT NULL,           -- this and what follows: of the event
  environment TEXT    NOT NULL,
  release     TEXT    NOT NULL,
  tags        TEXT    NOT NULL,           -- JSON of []event.Pair
  state       INTEGER NOT NULL DEFAULT 0  -- store.AlertState; 0: to be decided
) STRICT;
CREATE INDEX alerts_pending ON alerts (id) WHERE state = 0;
CREATE INDEX alerts_by_project ON alerts (project_id);
CREATE INDEX alerts_by_issue ON alerts (issue_id, kind); -- when was it last spoken of?

-- Where somebody is told of it, and which rule wanted that.
CREATE TABLE alert_sends (
  alert_id           INTEGER NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
  channel_id         INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
  rule_id            INTEGER NOT NULL, -- which may be deleted since
  -- The rows of notifications that tell of it, one for each recipient; 0: the channel had
  -- too many waiting; NULL: it was collected for a summary.
  first_notification INTEGER,
  last_notification  INTEGER,
  PRIMARY KEY (alert_id, channel_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_sends_by_channel ON alert_sends (channel_id);

-- How fast each channel is told, and what is collected for its next summary
-- (alert.Pace, alert.Sum). What is collected is counted here and not again when the
-- summary is due: by then there may be very many rows.
CREATE TABLE alert_paces (
  channel_id INTEGER PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
  filled     INTEGER NOT NULL,
  step       INTEGER NOT NULL,
  summary_at INTEGER NOT NULL,
  told       INTEGER NOT NULL, -- collected alerts up to this id have been in a summary
  since      INTEGER,          -- of the first that is collected
  new        INTEGER NOT NULL,
  regression INTEGER NOT NULL,
  unmuted    INTEGER NOT NULL,
  volume     INTEGER NOT NULL,
  users      INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_paces_due ON alert_paces (summary_at) WHERE step > 0;

-- One row. Events up to seen_event were looked at for rules that count.
CREATE TABLE alert_state (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  seen_event INTEGER NOT NULL,
  filled     INTEGER NOT NULL -- alert.Budget of all channels
) STRICT;
INSERT INTO alert_state (id, seen_event, filled) VALUES (1, 0, 0);

-- alert.Default, which new projects get too. It sends to all channels: as long as a
-- project has none, nothing.
INSERT INTO alert_rules (project_id, name, on_new, on_regression, on_unmuted, pause, all_channels, created_at)
SELECT id, 'New and returning issues', 1, 1, 1, 1800000, 1, created_at FROM projects WHERE emptied_at IS NULL;
