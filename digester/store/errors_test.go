package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// scratch opens a database with a few tables, a connection of its own each time.
func scratch(t *testing.T, path, params string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?"+params)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func mustExec(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func newScratch(t *testing.T) (path string, db *sql.DB) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "scratch.db")
	db = scratch(t, path, "_pragma=busy_timeout(0)&_pragma=foreign_keys(1)")
	mustExec(t, db, `PRAGMA journal_mode = WAL`)
	mustExec(t, db, `
		CREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
		CREATE TABLE b (a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED);
		CREATE TABLE pages (data BLOB);
		INSERT INTO a VALUES (1, 'one'), (2, 'two');`)
	return path, db
}

func execError(t *testing.T, db *sql.DB, query string) error {
	t.Helper()
	_, err := db.ExecContext(t.Context(), query)
	return err
}

// provoked makes SQLite itself fail, in every way that can be arranged.
var provoked = []struct {
	name string
	kind Kind
	make func(t *testing.T) error
}{
	{"busy", KindBusy, func(t *testing.T) error {
		path, db := newScratch(t)
		mustExec(t, db, `BEGIN IMMEDIATE`)
		return execError(t, scratch(t, path, "_pragma=busy_timeout(0)"), `BEGIN IMMEDIATE`)
	}},
	{"stale snapshot", KindStale, func(t *testing.T) error {
		path, db := newScratch(t)
		mustExec(t, db, `BEGIN; SELECT * FROM a;`)
		mustExec(t, scratch(t, path, ""), `DELETE FROM a WHERE id = 2`)
		return execError(t, db, `DELETE FROM a WHERE id = 1`)
	}},
	{"locked", KindLocked, func(t *testing.T) error {
		_, db := newScratch(t)
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		rows, err := conn.QueryContext(t.Context(), `SELECT * FROM a`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		rows.Next()
		_, err = conn.ExecContext(t.Context(), `DROP TABLE a`)
		return err
	}},
	{"unique", KindConstraint, func(t *testing.T) error {
		_, db := newScratch(t)
		return execError(t, db, `INSERT INTO a VALUES (3, 'one')`)
	}},
	{"foreign key at commit", KindConstraint, func(t *testing.T) error {
		_, db := newScratch(t)
		mustExec(t, db, `BEGIN IMMEDIATE; INSERT INTO b VALUES (77);`)
		err := execError(t, db, `COMMIT`)
		mustExec(t, db, `ROLLBACK`) // it was left open
		return err
	}},
	{"mismatch", KindValue, func(t *testing.T) error {
		_, db := newScratch(t)
		return execError(t, db, `INSERT INTO a VALUES ('no number', 'x')`)
	}},
	{"too big", KindValue, func(t *testing.T) error {
		_, db := newScratch(t)
		return execError(t, db, `INSERT INTO pages VALUES (zeroblob(2147483647))`)
	}},
	{"full", KindFull, func(t *testing.T) error {
		_, db := newScratch(t)
		mustExec(t, db, `PRAGMA max_page_count = 10`)
		return execError(t, db, `INSERT INTO pages VALUES (zeroblob(1000000))`)
	}},
	{"read-only", KindReadOnly, func(t *testing.T) error {
		path, _ := newScratch(t)
		return execError(t, scratch(t, path, "mode=ro"), `DELETE FROM a`)
	}},
	{"query only", KindReadOnly, func(t *testing.T) error {
		path, _ := newScratch(t)
		return execError(t, scratch(t, path, "_pragma=query_only(1)"), `DELETE FROM a`)
	}},
	{"corrupt", KindCorrupt, func(t *testing.T) error {
		path, db := newScratch(t)
		mustExec(t, db, `PRAGMA journal_mode = DELETE`)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		damage(t, path, 4096)
		return scratch(t, path, "").QueryRowContext(t.Context(), `SELECT count(name) FROM a`).Scan(new(int))
	}},
	{"not a database", KindCorrupt, func(t *testing.T) error {
		path := filepath.Join(t.TempDir(), "text.db")
		if err := os.WriteFile(path, make([]byte, 8192), 0o600); err != nil {
			t.Fatal(err)
		}
		damage(t, path, 0)
		return execError(t, scratch(t, path, ""), `SELECT * FROM sqlite_schema`)
	}},
	{"cannot open", KindIO, func(t *testing.T) error {
		return execError(t, scratch(t, filepath.Join(t.TempDir(), "missing", "x.db"), ""), `SELECT 1`)
	}},
	{"interrupted", KindInterrupted, func(t *testing.T) error {
		_, db := newScratch(t)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		return db.QueryRowContext(ctx, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n`).Scan(new(int))
	}},
	{"no such table", KindInternal, func(t *testing.T) error {
		_, db := newScratch(t)
		return execError(t, db, `DELETE FROM missing`)
	}},
}

// damage overwrites a database from an offset on.
func damage(t *testing.T, path string, from int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, info.Size()-from)
	for i := range noise {
		noise[i] = 0x5a
	}
	if _, err := f.WriteAt(noise, from); err != nil {
		t.Fatal(err)
	}
}

func TestKindOf(t *testing.T) {
	for _, c := range provoked {
		t.Run(c.name, func(t *testing.T) {
			err := c.make(t)
			if err == nil {
				t.Fatal("it did not fail")
			}
			if got := KindOf(fmt.Errorf("wrapped: %w", err)); got != c.kind {
				t.Errorf("%v is of kind %d, want %d", err, got, c.kind)
			}
		})
	}
	for _, c := range []struct {
		err  error
		kind Kind
	}{
		{nil, KindOther},
		{errors.New("x"), KindOther},
		{context.Canceled, KindInterrupted},
		{commitError(errors.New("connection lost")), KindUnknown},
	} {
		if got := KindOf(c.err); got != c.kind {
			t.Errorf("%v is of kind %d, want %d", c.err, got, c.kind)
		}
	}
}

// What SQLite cannot be made to report here: by code.
func TestKindOfCode(t *testing.T) {
	for code, want := range map[int]Kind{
		sqlite3.SQLITE_BUSY_RECOVERY:      KindRecovery,
		sqlite3.SQLITE_BUSY_TIMEOUT:       KindTimeout,
		sqlite3.SQLITE_BUSY_SNAPSHOT:      KindStale,
		sqlite3.SQLITE_PROTOCOL:           KindBusy,
		sqlite3.SQLITE_LOCKED_SHAREDCACHE: KindLocked,
		sqlite3.SQLITE_IOERR_WRITE:        KindIO,
		sqlite3.SQLITE_IOERR_FSYNC:        KindIO,
		sqlite3.SQLITE_IOERR_DATA:         KindCorrupt,
		sqlite3.SQLITE_IOERR_CORRUPTFS:    KindCorrupt,
		sqlite3.SQLITE_CORRUPT_INDEX:      KindCorrupt,
		sqlite3.SQLITE_READONLY_DBMOVED:   KindReadOnly,
		sqlite3.SQLITE_PERM:               KindReadOnly,
		sqlite3.SQLITE_RANGE:              KindValue,
		sqlite3.SQLITE_INTERRUPT:          KindInterrupted,
		sqlite3.SQLITE_NOMEM:              KindInternal,
		200:                               KindInternal,
	} {
		if got := kindOfCode(code); got != want {
			t.Errorf("code %d is of kind %d, want %d", code, got, want)
		}
	}
}

// Every kind leads to exactly one thing.
func TestKindLeadsTo(t *testing.T) {
	for k := KindOther; k <= KindUnknown; k++ {
		wantAgain := k >= KindBusy && k <= KindLocked
		wantHolds := wantAgain || k >= KindFull && k <= KindAway
		if k.Again() != wantAgain || k.Holds() != wantHolds {
			t.Errorf("kind %d: again %v, holds %v; want %v, %v", k, k.Again(), k.Holds(), wantAgain, wantHolds)
		}
	}
}

// Of what a COMMIT can report, only what has no code and a failed fsync leave
// its outcome open.
func TestCommitError(t *testing.T) {
	for _, c := range provoked {
		err := c.make(t)
		var coded *sqlite.Error
		if known := errors.As(err, &coded); errors.Is(commitError(err), ErrCommitUnknown) == known {
			t.Errorf("%s: %v", c.name, commitError(err))
		}
	}
}
