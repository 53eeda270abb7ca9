-- +goose Up

-- What source maps say of an event's frames, where they say something; readers lay it
-- over the body, which stays as it was sent. Written in the event's own transaction, and
-- again when maps arrive later.
CREATE TABLE event_symbols (
  event_id INTEGER PRIMARY KEY REFERENCES events (id),
  encoding INTEGER NOT NULL, -- wire.Encoding: how it is compressed
  body     BLOB    NOT NULL  -- symbolicate.Overlay; empty: the maps could not be read when the event was digested, it is to be looked at again
) STRICT;
CREATE INDEX event_symbols_due ON event_symbols (event_id) WHERE length(body) = 0;

-- One row: up to which uploaded bundle events were looked at again.
CREATE TABLE symbol_state (
  id     INTEGER PRIMARY KEY CHECK (id = 1),
  bundle INTEGER NOT NULL
) STRICT;
INSERT INTO symbol_state (id, bundle) VALUES (1, 0);

-- Events whose grouping changed go to another issue and get its next numbers. The
-- largest number that an issue has given is event_count + moved_events, as none is
-- given twice.
ALTER TABLE issues ADD COLUMN moved_events INTEGER NOT NULL DEFAULT 0; -- events that left for another issue; event_count has them no more
ALTER TABLE issues ADD COLUMN moved_from INTEGER; -- the issue that its first events came from, which may be gone; NULL: its first event was digested into it

-- Where moved events were before, for addresses that people have.
CREATE TABLE event_moves (
  issue_id INTEGER NOT NULL REFERENCES issues (id),
  number   INTEGER NOT NULL,
  event_id INTEGER NOT NULL REFERENCES events (id),
  PRIMARY KEY (issue_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_moves_by_event ON event_moves (event_id); -- for removing events
