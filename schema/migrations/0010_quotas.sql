-- +goose Up

-- How much may be reported, as people set it. Project 0: all projects together. A
-- project without a row has no limits of its own.
CREATE TABLE quotas (
  project_id INTEGER PRIMARY KEY, -- no reference, because of 0
  limits     TEXT    NOT NULL,    -- JSON, quota.Limits: of each class (events, attachments, feedback) those of 5 minutes, an hour, 30 days; 0: none
  spike      INTEGER              -- events a minute of one issue that are all stored, beyond which a sample is; 0: all are; NULL: the usual number
) STRICT;

-- What was accepted in the windows of these limits, by when it was accepted. Written
-- behind the edge every few seconds: what a process that starts knows of the time
-- before, and what pages show. The books are elsewhere (outcomes).
CREATE TABLE quota_uses (
  project_id INTEGER PRIMARY KEY, -- likewise
  record     TEXT    NOT NULL,    -- JSON, quota.Record
  accepted   INTEGER NOT NULL,    -- messages that the local queue had ever accepted when this was written: those beyond it are not in the record
  updated_at INTEGER NOT NULL
) STRICT;
