//go:build sqld

package hrana_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"runtime"
	"testing"
	"time"

	"sundew/digester/store/hrana"
	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
)

// TestDriver: transactions of database/sql, a pool that survives the server's
// restart, and no goroutine left in the end.
func TestDriver(t *testing.T) {
	s := sqldtest.Start(t, sqld.Config{})
	client := dial(t, s.URL())
	before := runtime.NumGoroutine()
	pool := sql.OpenDB(client.Connector())
	exec := func(q interface {
		Exec(string, ...any) (sql.Result, error)
	}, text string, args ...any) {
		t.Helper()
		if _, err := q.Exec(text, args...); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	count := func() (n int) {
		t.Helper()
		if err := pool.QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	exec(pool, "CREATE TABLE t (a)")
	for _, keep := range []bool{true, false} {
		tx, err := pool.Begin()
		if err != nil {
			t.Fatal(err)
		}
		exec(tx, "INSERT INTO t VALUES (?)", "x")
		if end := map[bool]func() error{true: tx.Commit, false: tx.Rollback}[keep]; end() != nil {
			t.Errorf("keep %v: the transaction did not end", keep)
		}
	}
	if n := count(); n != 1 {
		t.Errorf("%d rows", n)
	}
	lost, err := pool.Begin()
	if err != nil {
		t.Fatal(err)
	}
	exec(lost, "INSERT INTO t VALUES (2)")
	if err := errors.Join(s.Kill(), s.Restart(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := lost.Commit(); hrana.KindOf(err) != hrana.KindExpired {
		t.Errorf("COMMIT after a restart: %v", err)
	}
	if n := count(); n != 1 {
		t.Errorf("%d rows after the restart", n)
	}
	for range 20 {
		c, err := client.Connector().Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.(driver.Pinger).Ping(t.Context()), c.Close()); err != nil {
			t.Error(err)
		}
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	client.Close()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
