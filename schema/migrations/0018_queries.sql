-- +goose Up

-- Statements of SQL that people keep, to run them again on /sql. What one reads depends on
-- who runs it, not on who saved it.
CREATE TABLE saved_queries (
  id         INTEGER PRIMARY KEY,
  user_id    INTEGER NOT NULL REFERENCES users (id), -- who saved it
  team_id    INTEGER          REFERENCES teams (id), -- who is in the team has it too
  everybody  INTEGER NOT NULL, -- 1: all who are signed in have it
  name       TEXT    NOT NULL,
  statement  TEXT    NOT NULL, -- as typed
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX saved_queries_by_user ON saved_queries (user_id);
CREATE INDEX saved_queries_by_team ON saved_queries (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX saved_queries_of_everybody ON saved_queries (id) WHERE everybody = 1; -- few of all
