-- +goose Up

-- Releases that tools make before there is an event of them, and what they say of them.
ALTER TABLE releases ADD COLUMN made INTEGER NOT NULL DEFAULT 0; -- 1: by a tool or a person, so that it is there without events
ALTER TABLE releases ADD COLUMN url TEXT NOT NULL DEFAULT '';    -- where people read about it; may be empty
ALTER TABLE releases ADD COLUMN ref TEXT NOT NULL DEFAULT '';    -- e.g. the commit it was built from; may be empty
ALTER TABLE releases ADD COLUMN started_at INTEGER;              -- when its build began, if a tool said so
ALTER TABLE releases ADD COLUMN released_at INTEGER;             -- when it was finalized; NULL: it is not
ALTER TABLE releases ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;

-- What changed in a release. Each list is replaced as a whole.
CREATE TABLE release_commits (
  release_id   INTEGER NOT NULL REFERENCES releases (id),
  position     INTEGER NOT NULL, -- 0: the newest
  hash         TEXT    NOT NULL,
  repository   TEXT    NOT NULL, -- e.g. shop/web, as the tool found it; may be empty
  author_name  TEXT    NOT NULL,
  author_email TEXT    NOT NULL,
  message      TEXT    NOT NULL,
  at           INTEGER,          -- when it was committed, if known
  files        TEXT    NOT NULL, -- JSON: [{"path", "type"}], perhaps cut
  PRIMARY KEY (release_id, position)
) STRICT, WITHOUT ROWID;

-- Where a release's repositories stood.
CREATE TABLE release_refs (
  release_id INTEGER NOT NULL REFERENCES releases (id),
  repository TEXT    NOT NULL,
  hash       TEXT    NOT NULL,
  previous   TEXT    NOT NULL, -- commit of the release before; may be empty
  PRIMARY KEY (release_id, repository)
) STRICT, WITHOUT ROWID;

ALTER TABLE deploys ADD COLUMN url TEXT NOT NULL DEFAULT ''; -- where it runs; may be empty
