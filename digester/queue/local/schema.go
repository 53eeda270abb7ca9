package local

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// formatVersion is kept in the file as PRAGMA user_version. There are no
// migrations as in sundew/schema: the file belongs to one program, a change of
// its format is a matter of this page, and goose's own table and connection
// handling would outweigh the four statements they would run.
const formatVersion = 1

// visibleNow is the visible_at of a message that anybody may receive. Any past
// time would do; this one does not depend on the clock and takes as many bytes in
// a record as a real time (6), so that hiding a message overwrites its row in
// place.
const visibleNow int64 = 1 << 31

// tables: a delivery changes a row of messages, some 30 bytes, a hundred to a
// page. The body lies apart and is written once. A dead letter's body stays where
// it is. Ids are given out by the queue and never used twice (lanes.last_id
// remembers them), so an old receipt cannot name another message.
const tables = `
CREATE TABLE lanes (
  id       INTEGER PRIMARY KEY,
  instance BLOB    NOT NULL, -- wire.InstanceID
  project  INTEGER NOT NULL,
  high     INTEGER NOT NULL, -- numbers 1 to high were accepted
  last_id  INTEGER NOT NULL, -- id of the message numbered high
  UNIQUE (instance, project)
) STRICT;
CREATE TABLE messages (
  id         INTEGER PRIMARY KEY, -- order of arrival
  lane_id    INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  visible_at INTEGER NOT NULL,    -- Unix milliseconds
  receives   INTEGER NOT NULL,
  sent_at    INTEGER NOT NULL     -- when the edge received it: the hour of the books
) STRICT;
CREATE TABLE bodies (
  id   INTEGER PRIMARY KEY, -- of messages or dead
  body BLOB    NOT NULL     -- as wire.Encode made it
) STRICT;
CREATE TABLE dead (
  id       INTEGER PRIMARY KEY, -- as it was in messages
  lane_id  INTEGER NOT NULL,
  seq      INTEGER NOT NULL,
  receives INTEGER NOT NULL,
  sent_at  INTEGER NOT NULL,
  dead_at  INTEGER NOT NULL
) STRICT;
PRAGMA user_version = 1;
`

// writerDSN is the address of the writing connection. FULL: COMMIT returns after
// the WAL is synced. Pages of 8, 16 or 32 KB and checkpoints every 2,000 or 8,000
// pages made no difference that could be measured.
func writerDSN(path string) string {
	return dsn(path, url.Values{"_pragma": {
		"busy_timeout(5000)", // a sqlite3 shell may hold the lock
		"page_size(4096)",
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"wal_autocheckpoint(2000)",
		"journal_size_limit(67108864)",
		"cache_size(-16384)",
	}})
}

// readerDSN is the address of connections that cannot write, nor make the file.
func readerDSN(path string) string {
	return dsn(path, url.Values{
		"mode":    {"ro"},
		"_pragma": {"busy_timeout(5000)", "query_only(1)"},
	})
}

func dsn(path string, params url.Values) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + params.Encode()
}

// createTables makes the tables of a new file and refuses one of another format.
func createTables(ctx context.Context, conn *sql.Conn) error {
	version, err := fileVersion(ctx, conn)
	if err != nil || version == formatVersion {
		return err
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE;"+tables+"COMMIT;"); err != nil {
		return fmt.Errorf("creating tables: %w", err)
	}
	return nil
}

// rowQuerier is a connection or a pool of them.
type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// fileVersion returns the format of the file, zero for a new one.
func fileVersion(ctx context.Context, db rowQuerier) (int, error) {
	var version int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return 0, fmt.Errorf("reading the format: %w", err)
	}
	if version != 0 && version != formatVersion {
		return 0, fmt.Errorf("%w: %d", ErrFormat, version)
	}
	return version, nil
}

// statements are the committer's, prepared once on its connection.
type statements struct {
	begin, commit, rollback    *sql.Stmt
	insertMessage, insertBody  *sql.Stmt
	saveLane                   *sql.Stmt
	visible, hide, due         *sql.Stmt
	extend                     *sql.Stmt
	bury, unearth              *sql.Stmt
	deleteMessages, deleteDead *sql.Stmt
	deleteBodies               *sql.Stmt
}

// texts pairs each statement with its SQL. The outer join of visible is there to
// fix its order: messages by id until there are enough, each with its body. It
// steps over what is in flight, 0.1 ms for a thousand messages.
func (s *statements) texts() map[**sql.Stmt]string {
	return map[**sql.Stmt]string{
		&s.begin:    `BEGIN IMMEDIATE`,
		&s.commit:   `COMMIT`,
		&s.rollback: `ROLLBACK`,
		&s.insertMessage: `
			INSERT INTO messages (id, lane_id, seq, visible_at, receives, sent_at)
			VALUES (?, ?, ?, ?, 0, ?)`,
		&s.insertBody: `INSERT INTO bodies (id, body) VALUES (?, ?)`,
		&s.saveLane: `
			INSERT INTO lanes (id, instance, project, high, last_id)
			VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET
			  high = excluded.high,
			  last_id = excluded.last_id`,
		&s.visible: `
			SELECT
			  m.id,
			  m.receives,
			  m.sent_at,
			  b.body
			FROM messages m
			LEFT JOIN bodies b ON b.id = m.id
			WHERE m.visible_at <= ?
			ORDER BY m.id
			LIMIT ?`,
		&s.hide: `
			UPDATE messages
			SET visible_at = ?, receives = receives + 1
			WHERE id BETWEEN ? AND ? AND visible_at <= ?`,
		&s.due: `SELECT min(visible_at) FROM messages`,
		&s.extend: `
			UPDATE messages
			SET visible_at = ?
			WHERE id BETWEEN ? AND ? AND receives = ?`,
		&s.bury: `
			INSERT INTO dead (id, lane_id, seq, receives, sent_at, dead_at)
			SELECT id, lane_id, seq, receives, sent_at, ? FROM messages WHERE id = ?`,
		&s.unearth: `
			INSERT INTO messages (id, lane_id, seq, visible_at, receives, sent_at)
			SELECT id, lane_id, seq, ?, 0, sent_at FROM dead WHERE id = ?`,
		&s.deleteMessages: `DELETE FROM messages WHERE id BETWEEN ? AND ?`,
		&s.deleteDead:     `DELETE FROM dead WHERE id BETWEEN ? AND ?`,
		&s.deleteBodies:   `DELETE FROM bodies WHERE id BETWEEN ? AND ?`,
	}
}

// prepare makes them.
func (s *statements) prepare(ctx context.Context, conn *sql.Conn) error {
	for stmt, text := range s.texts() {
		var err error
		if *stmt, err = conn.PrepareContext(ctx, text); err != nil {
			return fmt.Errorf("preparing: %w", err)
		}
	}
	return nil
}

// close ends them. SQLite keeps a connection, and with it the WAL's file, until
// its last statement is gone.
func (s *statements) close() (errs []error) {
	for stmt := range s.texts() {
		if *stmt != nil {
			errs = append(errs, (*stmt).Close())
		}
	}
	return errs
}
