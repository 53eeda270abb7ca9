-- +goose Up

-- What was imported from another server, so that importing again makes nothing twice.
-- An issue that somebody deletes here stays in it: it is not to come back.
CREATE TABLE imported_projects (
  source      TEXT    NOT NULL, -- address and organization
  remote      TEXT    NOT NULL, -- the project's id there
  project_id  INTEGER NOT NULL REFERENCES projects (id),
  imported_at INTEGER NOT NULL,
  PRIMARY KEY (source, remote)
) STRICT, WITHOUT ROWID;
CREATE TABLE imported_issues (
  project_id  INTEGER NOT NULL REFERENCES projects (id),
  source      TEXT    NOT NULL,
  remote      TEXT    NOT NULL, -- the issue's id there
  imported_at INTEGER NOT NULL,
  PRIMARY KEY (project_id, source, remote)
) STRICT, WITHOUT ROWID;
