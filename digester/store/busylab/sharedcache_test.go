package busylab_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"sundew/digester/store"
)

// Connections with cache=shared share one cache and lock tables in it. That is
// SQLITE_LOCKED, which busy_timeout does not know. The driver waits for it by
// itself in Exec and Query, not in BeginTx, and nothing can end that wait but
// the holder: no timeout, no context.
func TestSharedCache(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	address := dsn(path, patience) + "&cache=shared&_txlock=immediate"
	a, b := openDSN(t, address), openDSN(t, address)
	a.must("BEGIN IMMEDIATE")
	a.must("UPDATE t SET n = n + 1")

	began := time.Now()
	_, err := b.conn.BeginTx(t.Context(), nil)
	took := time.Since(began)
	if codeOf(err) != 262 || took > atOnce {
		t.Fatalf("BeginTx: %v after %v, want 262 at once", err, took)
	}

	ctx, cancel := context.WithCancel(t.Context())
	began = time.Now()
	done := start(func() error {
		return b.conn.QueryRowContext(ctx, "SELECT n FROM t").Scan(new(int))
	})
	mustWait(t, "SELECT", done, blocked)
	cancel()
	mustWait(t, "SELECT without its context", done, blocked)
	a.must("COMMIT")
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("SELECT: %v, want it cancelled", err)
	}
	t.Logf("BEGIN IMMEDIATE: 262 after %v; a SELECT that was cancelled after %v waited %v, until the writer was done",
		round(took), blocked, round(time.Since(began)))
}

// Two that wait for each other: whoever asks second is told so, with 6.
func TestSharedCacheDeadlock(t *testing.T) {
	t.Parallel()
	address := dsn(newFile(t), patience) + "&cache=shared"
	a, b := openDSN(t, address), openDSN(t, address)
	b.must("BEGIN")
	b.number("SELECT count(*) FROM ballast") // b may read ballast
	a.must("BEGIN IMMEDIATE")
	a.must("UPDATE t SET n = n + 1") // a may write t

	began := time.Now()
	reads := start(func() error { return b.conn.QueryRowContext(t.Context(), "SELECT n FROM t").Scan(new(int)) })
	writes := start(func() error { _, err := a.exec("DELETE FROM ballast"); return err })
	var (
		err   error
		loser *peer
		first <-chan error
	)
	select {
	case err = <-reads:
		loser, first = b, writes
	case err = <-writes:
		loser, first = a, reads
	}
	took := time.Since(began)
	if codeOf(err) != 6 || took > atOnce {
		t.Errorf("the second of the two ended with %v after %v, want 6 at once", err, took)
	}
	loser.must("ROLLBACK")
	if err := <-first; err != nil {
		t.Error(err)
	}
	t.Logf("one waits for the other, the other wants to wait too: 6 after %v; after its ROLLBACK the first goes on", round(took))
}

// In the model no cache is shared: a reader beside an unfinished write neither
// waits nor sees it.
func TestModelReadsBesideWriter(t *testing.T) {
	t.Parallel()
	m := openModel(t, 0)
	var took time.Duration
	err := m.db.Write(t.Context(), "test", func(tx *store.Tx) error {
		if _, err := tx.CreateProject("Shop"); err != nil {
			return err
		}
		began := time.Now()
		if n := m.projects(t); n != 0 {
			t.Errorf("the reader saw %d projects that are not committed", n)
		}
		took = time.Since(began)
		return nil
	})
	if err != nil || took > atOnce {
		t.Errorf("error %v, the reader took %v", err, took)
	}
	t.Logf("a Read inside of an unfinished Write took %v", round(took))
}
