package store

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func pragmas(t *testing.T, q querier, names ...string) map[string]string {
	t.Helper()
	values := make(map[string]string)
	for _, name := range names {
		var v string
		if err := q.QueryRowContext(context.Background(), "PRAGMA "+name).Scan(&v); err != nil {
			t.Fatal(err)
		}
		values[name] = v
	}
	return values
}

// A PRAGMA sent through a pool reaches one connection, so ours are in the
// address of the database and reach every one, those too that replace others.
func TestEveryConnectionIsConfigured(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sundew.db")
	db, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	want := map[string]string{"foreign_keys": "1", "busy_timeout": "250", "synchronous": "1", "journal_mode": "wal"}
	if diff := cmp.Diff(want, pragmas(t, db.writer, "foreign_keys", "busy_timeout", "synchronous", "journal_mode")); diff != "" {
		t.Errorf("the writer's connection: %s", diff)
	}

	replica, err := OpenReplica(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer replica.Close()
	all := func() {
		t.Helper()
		var conns []*sql.Conn
		for range replica.pool.Stats().MaxOpenConnections {
			conn, err := replica.pool.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, conn)
			want := map[string]string{"query_only": "1", "busy_timeout": "5000"}
			if diff := cmp.Diff(want, pragmas(t, pooled{conn}, "query_only", "busy_timeout")); diff != "" {
				t.Errorf("reading connection %d: %s", len(conns), diff)
			}
			if _, err := conn.ExecContext(t.Context(), "UPDATE digest_state SET batch = 0"); KindOf(err) != KindReadOnly {
				t.Errorf("reading connection %d wrote, or failed otherwise: %v", len(conns), err)
			}
		}
		for _, conn := range conns {
			conn.Close()
		}
	}
	all()
	// Long enough for the query to begin: what is interrupted before is not interrupted.
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	err = replica.Read(ctx, func(rx *Rx) error {
		var n int64
		const endless = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n`
		return rx.q.QueryRowContext(rx.ctx, endless).Scan(&n)
	})
	if KindOf(err) != KindInterrupted {
		t.Errorf("an endless query ended with %v, want its deadline exceeded", err)
	}
	all()
}

// Write syncs, and leaves the connection as it was for the transactions that the
// barrier syncs.
func TestWriteIsFull(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "sundew.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	for range 2 { // the first could be right by chance: it is when statements are prepared
		err = db.Write(t.Context(), "test", func(tx *Tx) error {
			if got := pragmas(t, tx.q, "synchronous")["synchronous"]; got != "2" {
				t.Errorf("inside of Write synchronous is %s, want 2 (FULL)", got)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := pragmas(t, db.writer, "synchronous")["synchronous"]; got != "1" {
			t.Errorf("after Write synchronous is %s, want 1 (NORMAL)", got)
		}
	}
}
