package busylab_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A pool is many connections, and a PRAGMA reaches the one that runs it.
func TestPragmaReachesOneConnection(t *testing.T) {
	t.Parallel()
	const size = 3
	pool, err := sql.Open("sqlite", dsn(newFile(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec("PRAGMA foreign_keys = 1; PRAGMA busy_timeout = 5000; PRAGMA synchronous = 1"); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]int)
	for range size {
		conn, err := pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		p := &peer{t: t, conn: conn}
		seen[fmt.Sprintf("%d %d %d", p.number("PRAGMA foreign_keys"), p.number("PRAGMA busy_timeout"), p.number("PRAGMA synchronous"))]++
	}
	if seen["1 5000 1"] != 1 || seen["0 0 2"] != size-1 {
		t.Errorf("foreign_keys, busy_timeout, synchronous: %v; want one connection with, %d without", seen, size-1)
	}
	t.Logf("foreign_keys, busy_timeout and synchronous set through a pool of %d: %d connection has them", size, seen["1 5000 1"])
}

// PRAGMA synchronous takes effect when it is prepared. A statement that was
// prepared long ago does nothing when it is run first; it is prepared anew, and
// so works, every time after that.
func TestPragmaSynchronousPrepared(t *testing.T) {
	t.Parallel()
	p := open(t, newFile(t), "synchronous(normal)")
	full := p.prepare("PRAGMA synchronous = FULL")
	prepared := p.number("PRAGMA synchronous")
	p.must("PRAGMA synchronous = NORMAL")

	var got []int64
	for range 3 {
		if _, err := full.Exec(); err != nil {
			t.Fatal(err)
		}
		got = append(got, p.number("PRAGMA synchronous"))
		p.must("PRAGMA synchronous = NORMAL")
	}
	if diff := cmp.Diff([]int64{1, 2, 2}, got); diff != "" || prepared != 2 {
		t.Errorf("synchronous after preparing FULL: %d, want 2; after running it three times: %s", prepared, diff)
	}
	p.must("BEGIN")
	p.refused(1, "PRAGMA synchronous = FULL")
	p.must("ROLLBACK")
	t.Logf("synchronous after preparing FULL: %d; back to 1; after running the prepared statement: %v; inside a transaction: error 1", prepared, got)
}

func (p *peer) prepare(query string) *sql.Stmt {
	p.t.Helper()
	s, err := p.conn.PrepareContext(context.Background(), query)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { s.Close() })
	return s
}
