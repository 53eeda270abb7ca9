-- +goose Up

-- People, and what they may do. Secrets (session cookies, links, tokens, recovery
-- codes) are stored as SHA-256 of 32 random bytes: who reads the database, or a
-- copy of it, cannot sign in with what is found there. Roles: 1 viewer, 2 member,
-- 3 admin, 4 owner (digester/access).

CREATE TABLE users (
  id          INTEGER PRIMARY KEY,
  email       TEXT    NOT NULL UNIQUE, -- lower-case
  name        TEXT    NOT NULL,
  role        INTEGER NOT NULL DEFAULT 0, -- in the whole installation; 0: only what teams and projects give
  password    TEXT,                       -- argon2id with its parameters; NULL: signs in by other means
  created_at  INTEGER NOT NULL,
  disabled_at INTEGER                     -- NULL: may sign in
) STRICT;

CREATE TABLE sessions (
  id         INTEGER PRIMARY KEY,
  token_hash BLOB    NOT NULL UNIQUE,
  user_id    INTEGER NOT NULL REFERENCES users (id),
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL, -- to the hour or so
  expires_at INTEGER NOT NULL,
  factors    INTEGER NOT NULL, -- 1: the password was right, a second factor is asked for; 2: signed in
  address    TEXT    NOT NULL, -- of the browser that signed in
  agent      TEXT    NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE teams (
  id         INTEGER PRIMARY KEY,
  slug       TEXT    NOT NULL UNIQUE,
  name       TEXT    NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE team_members (
  team_id INTEGER NOT NULL REFERENCES teams (id),
  user_id INTEGER NOT NULL REFERENCES users (id),
  role    INTEGER NOT NULL, -- in every project of the team
  PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_members_by_user ON team_members (user_id);

-- NULL: seen by the installation's admins and the project's own members only.
ALTER TABLE projects ADD COLUMN team_id INTEGER REFERENCES teams (id);
CREATE INDEX projects_by_team ON projects (team_id) WHERE team_id IS NOT NULL;

CREATE TABLE project_members (
  project_id INTEGER NOT NULL REFERENCES projects (id),
  user_id    INTEGER NOT NULL REFERENCES users (id),
  role       INTEGER NOT NULL, -- adds to what the team gives; the higher one counts
  PRIMARY KEY (project_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX project_members_by_user ON project_members (user_id);

-- What is sent by mail or handed over: it works once.
CREATE TABLE links (
  id         INTEGER PRIMARY KEY,
  token_hash BLOB    NOT NULL UNIQUE,
  kind       TEXT    NOT NULL, -- setup, invitation, password
  email      TEXT    NOT NULL DEFAULT '', -- invitation: whom it is for; empty: who opens it says so
  user_id    INTEGER REFERENCES users (id), -- password: whose
  role       INTEGER NOT NULL DEFAULT 0,    -- invitation: in the installation
  team_id    INTEGER REFERENCES teams (id),
  team_role  INTEGER NOT NULL DEFAULT 0,
  created_by INTEGER REFERENCES users (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER
) STRICT;

-- Accounts elsewhere (OpenID Connect) that sign somebody in.
CREATE TABLE identities (
  issuer     TEXT    NOT NULL,
  subject    TEXT    NOT NULL,
  user_id    INTEGER NOT NULL REFERENCES users (id),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_user ON identities (user_id);

-- A second factor: an authenticator's shared secret. It cannot be a hash.
CREATE TABLE authenticators (
  user_id      INTEGER PRIMARY KEY REFERENCES users (id),
  secret       TEXT    NOT NULL, -- base32
  confirmed_at INTEGER,          -- NULL: shown, no code seen yet
  last_step    INTEGER NOT NULL DEFAULT 0 -- of the last code taken: each works once
) STRICT;

CREATE TABLE passkeys (
  id            INTEGER PRIMARY KEY,
  user_id       INTEGER NOT NULL REFERENCES users (id),
  credential_id BLOB    NOT NULL UNIQUE,
  credential    TEXT    NOT NULL, -- JSON: public key, counter, flags
  name          TEXT    NOT NULL,
  created_at    INTEGER NOT NULL,
  used_at       INTEGER
) STRICT;
CREATE INDEX passkeys_by_user ON passkeys (user_id);

CREATE TABLE recovery_codes (
  user_id   INTEGER NOT NULL REFERENCES users (id),
  code_hash BLOB    NOT NULL,
  used_at   INTEGER,
  PRIMARY KEY (user_id, code_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_tokens (
  id         INTEGER PRIMARY KEY,
  token_hash BLOB    NOT NULL UNIQUE,
  name       TEXT    NOT NULL,
  hint       TEXT    NOT NULL, -- its last four characters, to tell it from others
  user_id    INTEGER REFERENCES users (id),    -- personal: may what this user may, within scopes
  project_id INTEGER REFERENCES projects (id), -- or of one project
  scopes     TEXT    NOT NULL, -- separated by blanks
  created_by INTEGER NOT NULL REFERENCES users (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  used_at    INTEGER, -- to the minute or so
  revoked_at INTEGER,
  CHECK ((user_id IS NULL) <> (project_id IS NULL))
) STRICT;
CREATE INDEX api_tokens_by_user ON api_tokens (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX api_tokens_by_project ON api_tokens (project_id) WHERE project_id IS NOT NULL;

-- Who changed what. Subjects are kept as text, so that entries outlive them.
CREATE TABLE audit (
  id         INTEGER PRIMARY KEY,
  at         INTEGER NOT NULL,
  user_id    INTEGER REFERENCES users (id), -- NULL: nobody was signed in, or the program itself
  token_id   INTEGER REFERENCES api_tokens (id), -- if the change came through one
  action     TEXT    NOT NULL, -- e.g. issue.resolve
  project_id INTEGER,          -- no reference: the project may be gone
  team_id    INTEGER,
  subject    TEXT    NOT NULL, -- e.g. SHOP-42, a mail address
  detail     TEXT    NOT NULL, -- for people
  address    TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_by_project ON audit (project_id, id) WHERE project_id IS NOT NULL;
