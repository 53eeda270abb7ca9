package busylab_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sundew/digester/store"
)

const (
	crashRows = 1000 // committed before the crash, about 4 MB of WAL
	newcomers = 8
)

// crash returns the path of a Sundew database whose only process was killed in
// the middle of a transaction. WAL and wal-index are as it left them.
func crash(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sundew.db")
	db, err := store.Open(t.Context(), store.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	startChild(t, roleCrash, path).kill()
	return path
}

// wreck copies a crashed database, which can be recovered only once.
func wreck(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		raw, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)+suffix), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, filepath.Base(path))
}

// rush runs fn at once in that many goroutines, and counts the codes.
func rush(t *testing.T, fn func(i int) error) map[int]int {
	t.Helper()
	var all, ready sync.WaitGroup
	ready.Add(newcomers)
	errs := make([]error, newcomers)
	for i := range newcomers {
		all.Go(func() {
			ready.Done()
			ready.Wait()
			errs[i] = fn(i)
		})
	}
	all.Wait()
	codes := make(map[int]int)
	for _, err := range errs {
		codes[codeOf(err)]++
		if codeOf(err) < 0 {
			t.Error(err)
		}
	}
	return codes
}

// After a crash the first connection rebuilds the wal-index from the WAL. Who
// comes meanwhile gets 261 BUSY_RECOVERY.
func TestRecovery(t *testing.T) {
	t.Parallel()
	path := crash(t)
	total := make(map[int]int)
	for try := range 20 {
		here := wreck(t, path)
		for code, n := range rush(t, func(int) error { return look(here, "busy_timeout(0)") }) {
			total[code] += n
		}
		if rows := open(t, here, patience).number("SELECT count(*) FROM ballast"); rows != crashRows {
			t.Fatalf("%d rows after recovery, want the %d committed ones", rows, crashRows)
		}
		if total[261] > 0 {
			t.Logf("killed with 4 MB of WAL; %d connections at once, busy_timeout 0: %d got 261, %d got 5, %d got in (try %d); nothing committed is lost",
				newcomers, total[261], total[5], total[0], try+1)
			return
		}
	}
	t.Errorf("nobody got 261: codes %v", total)
}

// In the model everybody has patience, so recovery is a short wait.
func TestModelRecovery(t *testing.T) {
	t.Parallel()
	path := crash(t)
	const rounds = 2
	longest := time.Duration(0)
	for range rounds {
		here := wreck(t, path)
		var mu sync.Mutex
		codes := rush(t, func(i int) error {
			began := time.Now()
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				longest = max(longest, time.Since(began))
			}()
			if i > 0 {
				return lookModel(t.Context(), here)
			}
			db, err := store.Open(t.Context(), store.Config{Path: here})
			if err != nil {
				return err
			}
			defer db.Close(context.WithoutCancel(t.Context()))
			return db.Barrier(t.Context())
		})
		if len(codes) != 1 || codes[0] != newcomers {
			t.Errorf("codes %v, want only 0", codes)
		}
	}
	t.Logf("the same with one store.Open and %d replicas, %d times: no error, the longest wait %v", newcomers-1, rounds, round(longest))
}
