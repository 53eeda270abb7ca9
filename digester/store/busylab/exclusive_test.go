package busylab_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// A connection in exclusive locking mode keeps its lock after the transaction:
// nobody else gets in until it closes, not even to read.
func TestExclusiveLockingMode(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	greedy := open(t, path, "locking_mode(exclusive)")
	greedy.must("UPDATE t SET n = n + 1")

	other := open(t, path, "busy_timeout(100)")
	read := other.refused(5, "SELECT n FROM t")
	other.refused(5, "BEGIN IMMEDIATE")
	greedy.close()
	other.must("UPDATE t SET n = n + 1")
	t.Logf("no transaction is open, yet a read fails with 5 after its busy_timeout, %v; it works when the connection is closed", round(read))
}

// Sundew never locks exclusively, and because it keeps its connection open,
// nobody else can while it runs.
func TestModelCannotBeLockedOut(t *testing.T) {
	t.Parallel()
	m := openModel(t, 0)
	greedy := open(t, m.path, "locking_mode(exclusive)", "busy_timeout(100)")
	took := greedy.refused(5, "UPDATE digest_state SET batch = batch + 1")
	if err := m.db.Write(t.Context(), "test", readThenWrite("Shop", func() {})); err != nil {
		t.Error(err)
	}
	if n := m.projects(t); n != 1 {
		t.Errorf("%d projects, want 1", n)
	}
	t.Logf("while the store is open, exclusive mode is refused with 5 after its busy_timeout, %v; Write and Read go on", round(took))
}

// Whoever was there first is waited for.
func TestModelWaitsForExclusive(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sundew.db")
	db, err := store.Open(t.Context(), store.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	greedy := open(t, path, "locking_mode(exclusive)")
	greedy.must("UPDATE digest_state SET batch = batch + 1")

	began := time.Now()
	done := start(func() (err error) {
		db, err = store.Open(t.Context(), store.Config{Path: path})
		return err
	})
	mustWait(t, "Open", done, blocked)
	greedy.close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	replica, err := store.OpenReplica(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	storetest.MustCheck(t, replica)
	if err := errors.Join(replica.Close(), db.Close(context.Background())); err != nil {
		t.Error(err)
	}
	t.Logf("Open waited %v for a connection in exclusive mode to close", round(took))
}
