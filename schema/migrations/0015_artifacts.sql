-- +goose Up

-- What build tools upload: bundles of minified scripts with their source maps, and debug
-- files. It comes in chunks, is taken apart in the background, and is kept by content:
-- builds that share a file share its row.

-- What is stored for the whole installation; kept by the transactions that add and remove.
CREATE TABLE artifact_totals (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  file_bytes  INTEGER NOT NULL DEFAULT 0, -- sum of artifact_files.bytes
  chunk_bytes INTEGER NOT NULL DEFAULT 0, -- sum of the lengths of chunks.body
  published   INTEGER NOT NULL DEFAULT 0  -- the last artifact_bundles.published that was given
) STRICT;
INSERT INTO artifact_totals (id) VALUES (1);

ALTER TABLE projects ADD COLUMN artifact_bytes INTEGER NOT NULL DEFAULT 0; -- sum of its artifact_bundles.bytes

CREATE TABLE chunks (
  sha1      TEXT    PRIMARY KEY, -- of the plain chunk, lower-case hex
  size      INTEGER NOT NULL,    -- plain, 1 MiB as tools are told, at most 2
  encoding  INTEGER NOT NULL,    -- wire.Encoding
  body      BLOB    NOT NULL,
  wanted_at INTEGER NOT NULL,    -- when it last came or was asked for: what nobody wants goes
  spent     INTEGER NOT NULL     -- 1: something was assembled of it, so it goes sooner
) STRICT;
CREATE INDEX chunks_by_wanted ON chunks (spent, wanted_at);

CREATE TABLE artifact_files (
  id         INTEGER PRIMARY KEY,
  sha256     BLOB    NOT NULL,           -- of the content
  size       INTEGER NOT NULL,           -- of the content
  bytes      INTEGER NOT NULL DEFAULT 0, -- that it takes up: its parts
  complete   INTEGER NOT NULL DEFAULT 0, -- 0: parts of it are still missing; nothing refers to it
  refs       INTEGER NOT NULL DEFAULT 0, -- how many bundle_files have it; those that none has go
  touched_at INTEGER NOT NULL            -- when it was stored, or last found to be stored already
) STRICT;
CREATE UNIQUE INDEX artifact_files_by_content ON artifact_files (sha256) WHERE complete = 1;
CREATE INDEX artifact_files_unused ON artifact_files (touched_at) WHERE refs = 0;

-- Cut, because libSQL servers bound values. Each part is 1 MiB of the content, the last
-- what is left, and compressed alone: so a file is written and read without ever being
-- in memory as a whole. An empty file has none.
CREATE TABLE artifact_parts (
  file_id  INTEGER NOT NULL REFERENCES artifact_files (id),
  part     INTEGER NOT NULL, -- 0, 1, 2 …
  encoding INTEGER NOT NULL, -- wire.Encoding
  body     BLOB    NOT NULL,
  PRIMARY KEY (file_id, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifact_bundles (
  id         INTEGER PRIMARY KEY, -- upload order: of two that have the same, the newer counts
  project_id INTEGER NOT NULL REFERENCES projects (id),
  kind       INTEGER NOT NULL,    -- 0 artifact bundle, 1 a file of a release, as old tools upload them one by one, 2 debug file
  identity   TEXT    NOT NULL,    -- hash of all that makes two uploads the same
  checksum   TEXT    NOT NULL,    -- sha1 of what was uploaded
  name       TEXT    NOT NULL,    -- of a debug file; of kind 1 the URL
  map_reference TEXT NOT NULL DEFAULT '', -- of kind 1: how the upload says the script's map is called
  symbols    TEXT    NOT NULL DEFAULT '', -- of a debug file: its kind, artifact.DebugFile
  cpu        TEXT    NOT NULL DEFAULT '', -- likewise
  release    TEXT    NOT NULL,    -- empty: of none, found by debug ids only
  dist       TEXT    NOT NULL,
  debug_id   TEXT    NOT NULL,    -- 32 hex digits or empty
  state      INTEGER NOT NULL,    -- 0 assembling, 1 ready, 2 failed, 3 removed: its rows are on their way out
  detail     TEXT    NOT NULL,    -- why it failed, or what of it was left out
  size       INTEGER NOT NULL DEFAULT 0, -- of its files' contents together
  bytes      INTEGER NOT NULL DEFAULT 0, -- that its files take up, each as if no other bundle had it
  files      INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  settled_at INTEGER,             -- when it became ready or failed
  used_at    INTEGER NOT NULL,    -- to the day: when it last read a stack, or came
  published  INTEGER              -- in which order bundles became ready; NULL: it is not
) STRICT;
-- Exactly once: the same upload is one bundle, however often it is asked for.
CREATE UNIQUE INDEX artifact_bundles_by_identity ON artifact_bundles (project_id, identity) WHERE state <> 3;
CREATE INDEX artifact_bundles_by_release ON artifact_bundles (project_id, release, dist);
CREATE INDEX artifact_bundles_by_use ON artifact_bundles (used_at) WHERE state IN (1, 2);
CREATE INDEX artifact_bundles_to_do ON artifact_bundles (state, id) WHERE state IN (0, 3);
CREATE UNIQUE INDEX artifact_bundles_published ON artifact_bundles (published) WHERE published IS NOT NULL;

-- Of what a bundle is assembled, until it is: so a process that died goes on, and nobody
-- removes the chunks meanwhile.
CREATE TABLE bundle_chunks (
  bundle_id INTEGER NOT NULL REFERENCES artifact_bundles (id),
  n         INTEGER NOT NULL, -- 0, 1, 2 …
  sha1      TEXT    NOT NULL REFERENCES chunks (sha1),
  PRIMARY KEY (bundle_id, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX bundle_chunks_by_chunk ON bundle_chunks (sha1);

CREATE TABLE bundle_files (
  bundle_id  INTEGER NOT NULL REFERENCES artifact_bundles (id),
  n          INTEGER NOT NULL, -- 0, 1, 2 …
  path       TEXT    NOT NULL, -- in the bundle; never one of a disk
  url        TEXT    NOT NULL, -- as artifact.CleanURL has it, e.g. ~/assets/app.js; empty: none
  type       TEXT    NOT NULL, -- artifact.Type
  debug_id   TEXT    NOT NULL, -- 32 hex digits or empty
  source_map TEXT    NOT NULL, -- the URL of its source map, as url; empty: it names none
  file_id    INTEGER NOT NULL REFERENCES artifact_files (id),
  PRIMARY KEY (bundle_id, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX bundle_files_by_url ON bundle_files (bundle_id, url);
CREATE INDEX bundle_files_by_debug_id ON bundle_files (debug_id, type, bundle_id) WHERE debug_id <> '';
CREATE INDEX bundle_files_by_file ON bundle_files (file_id);
