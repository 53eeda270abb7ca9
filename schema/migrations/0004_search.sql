-- +goose Up

-- From a tag to its issues. Case does not matter to who searches.
CREATE INDEX issue_tags_by_value ON issue_tags (key, value COLLATE NOCASE);

-- Lists by when issues were made: an index ends with the row's id.
CREATE INDEX issues_by_id ON issues (project_id, state);
CREATE INDEX issues_by_assignee ON issues (assignee_user_id) WHERE assignee_user_id IS NOT NULL;
CREATE INDEX issues_by_assigned_team ON issues (assignee_team_id) WHERE assignee_team_id IS NOT NULL;
CREATE INDEX history_regressed ON history (at) WHERE kind = 'regressed';

-- Title, message, culprit and frames of one event of each issue, in lower case, by
-- which text is found; rowid is the issue's id. Pieces of three characters, because
-- what people look for is part of an identifier as often as a word. What is in very
-- many texts is found quicker without the index, in the texts themselves.
CREATE VIRTUAL TABLE issue_texts USING fts5 (text, columnsize = 0, tokenize = 'trigram case_sensitive 1');

-- Issues whose text has to be indexed (again), by an event of theirs. A digest
-- writes a row when an issue is new and when its count doubled; the index is
-- written behind it, in transactions of its own.
CREATE TABLE issue_texts_due (
  issue_id INTEGER PRIMARY KEY REFERENCES issues (id),
  event_id INTEGER NOT NULL -- events.id, which may be gone
) STRICT;
INSERT INTO issue_texts_due (issue_id, event_id)
SELECT i.id, e.id FROM issues i JOIN events e ON e.issue_id = i.id AND e.number = i.event_count;

CREATE TABLE saved_searches (
  id         INTEGER PRIMARY KEY,
  user_id    INTEGER NOT NULL REFERENCES users (id),    -- who saved it
  project_id INTEGER          REFERENCES projects (id), -- whose issues it lists,
  team_id    INTEGER          REFERENCES teams (id),    -- or those of a team; neither: all that the person sees
  shared     INTEGER NOT NULL, -- 1: whoever sees the project, or is in the team, has it
  name       TEXT    NOT NULL,
  query      TEXT    NOT NULL, -- as typed (digester/search)
  sort       TEXT    NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX saved_searches_by_user ON saved_searches (user_id);
CREATE INDEX saved_searches_by_project ON saved_searches (project_id) WHERE project_id IS NOT NULL;
CREATE INDEX saved_searches_by_team ON saved_searches (team_id) WHERE team_id IS NOT NULL;
