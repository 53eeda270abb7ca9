package busylab_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"sundew/digester/store"
)

// until runs visit again and again, at least once, until done delivers, and
// counts the codes that it ended with.
func until(t *testing.T, done <-chan error, visit func() error) map[int]int {
	t.Helper()
	codes := make(map[int]int)
	for {
		err := visit()
		codes[codeOf(err)]++
		if codeOf(err) < 0 {
			t.Error(err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return codes
		default:
		}
	}
}

// look opens a database, reads and closes it.
func look(path string, pragmas ...string) error {
	pool, err := sql.Open("sqlite", dsn(path, pragmas...))
	if err != nil {
		return err
	}
	defer pool.Close()
	var n int
	return pool.QueryRow("SELECT count(*) FROM sqlite_schema").Scan(&n)
}

// lookModel does the same through the store.
func lookModel(ctx context.Context, path string) error {
	replica, err := store.OpenReplica(ctx, path)
	if err != nil {
		return err
	}
	return errors.Join(replica.Read(ctx, func(rx *store.Rx) error {
		_, err := rx.Projects()
		return err
	}), replica.Close())
}

// The last connection to close moves the WAL into the database and deletes it,
// under an exclusive lock. Who opens meanwhile gets 5.
func TestLastConnectionCloses(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	for try := range 20 {
		last := open(t, path, "wal_autocheckpoint(0)")
		last.must(ballast, 1000)
		began := time.Now()
		done := start(func() error { last.close(); return nil })
		codes := until(t, done, func() error { return look(path, "busy_timeout(0)") })
		if codes[5] > 0 {
			t.Logf("closing with a WAL of 4 MB took %v; of those who opened meanwhile %d got 5, %d got in (try %d)",
				round(time.Since(began)), codes[5], codes[0], try+1)
			return
		}
	}
	t.Error("nobody got 5 while the last connection closed")
}

// In the model both sides are kind: Close empties the WAL first, beside readers,
// and who opens has patience.
func TestModelOpensWhileLastCloses(t *testing.T) {
	t.Parallel()
	const rounds = 2
	path := filepath.Join(t.TempDir(), "sundew.db")
	looks, longest := 0, time.Duration(0)
	for range rounds {
		db, err := store.Open(t.Context(), store.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		other := open(t, path, patience, "wal_autocheckpoint(0)")
		other.must("CREATE TABLE IF NOT EXISTS ballast (x BLOB NOT NULL)")
		other.must(ballast, 500)
		other.close()
		done := start(func() error { return db.Close(context.WithoutCancel(t.Context())) })
		codes := until(t, done, func() error {
			began := time.Now()
			defer func() { longest = max(longest, time.Since(began)) }()
			return lookModel(t.Context(), path)
		})
		looks += codes[0]
		if len(codes) != 1 {
			t.Errorf("codes %v, want only 0", codes)
		}
	}
	t.Logf("%d readers opened while the store closed, %d times: no error, the longest took %v", looks, rounds, round(longest))
}
