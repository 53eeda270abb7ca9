package busylab_test

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"modernc.org/sqlite"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

const (
	// patience is the busy_timeout of connections that could wait. Failures "at
	// once" come in less than half of it, however loaded the machine is.
	patience = "busy_timeout(4000)"
	atOnce   = 2 * time.Second

	// blocked is how long somebody has to make no progress to be called waiting.
	blocked = 50 * time.Millisecond
)

// peer is one connection of plain database/sql: the rest of the world.
type peer struct {
	t    *testing.T
	pool *sql.DB
	conn *sql.Conn
}

// newFile returns the path of a new database in WAL mode with one row in table
// t, and closes it again.
func newFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lab.db")
	p := open(t, path, "journal_mode(wal)")
	p.must("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)")
	p.must("INSERT INTO t VALUES (1, 0)")
	p.must("CREATE TABLE ballast (x BLOB NOT NULL)")
	p.close()
	return path
}

// open connects to a database with these pragmas.
func open(t *testing.T, path string, pragmas ...string) *peer {
	t.Helper()
	return openDSN(t, dsn(path, pragmas...))
}

func dsn(path string, pragmas ...string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + url.Values{"_pragma": pragmas}.Encode()
}

// openDSN connects to an address that says more than pragmas.
func openDSN(t *testing.T, address string) *peer {
	t.Helper()
	pool, err := sql.Open("sqlite", address)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, pool: pool}
	t.Cleanup(p.close)
	if p.conn, err = pool.Conn(t.Context()); err != nil {
		t.Fatalf("connecting: %v", err)
	}
	return p
}

func (p *peer) close() {
	if p.conn != nil {
		_ = p.conn.Close()
		p.conn = nil
	}
	if err := p.pool.Close(); err != nil {
		p.t.Error(err)
	}
}

// exec runs a statement to its end and returns how long it took.
func (p *peer) exec(query string, args ...any) (time.Duration, error) {
	began := time.Now()
	_, err := p.conn.ExecContext(context.Background(), query, args...)
	return time.Since(began), err
}

// must runs a statement that has to work.
func (p *peer) must(query string, args ...any) time.Duration {
	p.t.Helper()
	took, err := p.exec(query, args...)
	if err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
	return took
}

// refused runs a statement that has to fail with this extended code.
func (p *peer) refused(code int, query string, args ...any) time.Duration {
	p.t.Helper()
	took, err := p.exec(query, args...)
	if got := codeOf(err); got != code {
		p.t.Fatalf("%s: code %d (%v), want %d", query, got, err, code)
	}
	return took
}

// refusedAtOnce is refused for a connection that would have had patience.
func (p *peer) refusedAtOnce(code int, query string, args ...any) time.Duration {
	p.t.Helper()
	took := p.refused(code, query, args...)
	if took > atOnce {
		p.t.Fatalf("%s: failed after %v, want at once", query, took)
	}
	return took
}

// number returns the one number that a query gives.
func (p *peer) number(query string, args ...any) int64 {
	p.t.Helper()
	var n int64
	if err := p.conn.QueryRowContext(context.Background(), query, args...).Scan(&n); err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// ballast inserts so many rows of about one page each.
const ballast = `
	WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
	INSERT INTO ballast SELECT zeroblob(4000) FROM n`

// codeOf returns SQLite's extended result code: 0 for success, -1 for an error
// that is not SQLite's.
func codeOf(err error) int {
	if err == nil {
		return 0
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return -1
	}
	return e.Code()
}

// model is Sundew's store on a file of its own, closed and checked at the end. Its
// replica is opened as by another process: the writer cannot ask it to wait.
type model struct {
	path    string
	db      *store.DB
	replica *store.Replica
}

// openModel opens a new one, and checks and closes it when the test ends. walLimit,
// in bytes, is from where its WAL counts as large; 0 is the product's.
func openModel(t *testing.T, walLimit int64) *model {
	t.Helper()
	m := &model{path: filepath.Join(t.TempDir(), "sundew.db")}
	var err error
	if m.db, err = store.Open(t.Context(), store.Config{Path: m.path, WALLimit: walLimit}); err != nil {
		t.Fatal(err)
	}
	if m.replica, err = store.OpenReplica(t.Context(), m.path); err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		storetest.MustCheck(t, m.replica)
		if err := errors.Join(m.replica.Close(), m.db.Close(ctx)); err != nil {
			t.Error(err)
		}
	})
	return m
}

// readThenWrite is the transaction of most scenarios: it reads, lets something
// happen in between, and writes.
func readThenWrite(name string, between func()) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		if _, err := tx.Projects(); err != nil {
			return err
		}
		between()
		_, err := tx.CreateProject(name)
		return err
	}
}

// projects counts the projects that a new read transaction sees.
func (m *model) projects(t *testing.T) int {
	t.Helper()
	n := 0
	storetest.MustRead(t, m.replica, func(rx *store.Rx) error {
		all, err := rx.Projects()
		n = len(all)
		return err
	})
	return n
}

// start runs fn and returns where its error will arrive.
func start(fn func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	return done
}

// mustWait fails the test unless the work is still not done after so long.
func mustWait(t *testing.T, what string, done <-chan error, long time.Duration) {
	t.Helper()
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case err := <-done:
		t.Fatalf("%s did not wait, it ended with %v", what, err)
	case <-timer.C:
	}
}

// round shortens a duration for the log.
func round(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}
