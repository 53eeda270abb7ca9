-- +goose Up

-- Mail to send. A row is written in the transaction of what it is about, and sent
-- after that is committed. What a link's address has in it that signs somebody in is
-- made when the mail is sent (digester/store/outbox.go), so that it never lies here.
CREATE TABLE outbox (
  id         INTEGER PRIMARY KEY,
  recipient  TEXT    NOT NULL, -- a mail address
  subject    TEXT    NOT NULL,
  text       TEXT    NOT NULL, -- emptied when there is nothing left to do
  link_id    INTEGER REFERENCES links (id) ON DELETE SET NULL, -- whose address follows the text
  linked     INTEGER NOT NULL, -- 1: not worth sending without the link
  after      TEXT    NOT NULL, -- what follows the address
  created_at INTEGER NOT NULL,
  due_at     INTEGER,          -- of the next attempt; NULL: sent or given up
  attempts   INTEGER NOT NULL DEFAULT 0,
  error      TEXT    NOT NULL DEFAULT '', -- of the last attempt
  sent_at    INTEGER
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_by_link ON outbox (link_id) WHERE link_id IS NOT NULL;

-- Few of all links are invitations that can still be used.
CREATE INDEX links_invitations ON links (id) WHERE kind = 'invitation' AND used_at IS NULL;

CREATE INDEX audit_by_user ON audit (user_id, id) WHERE user_id IS NOT NULL;
