package busylab_test

import (
	"testing"
	"time"
)

// A transaction that begins by reading works on a snapshot. When somebody else
// commits, the snapshot is history, and nothing can be written on top of
// history: 517 BUSY_SNAPSHOT, at once, as often as the statement is repeated.
func TestUpgradeFromStaleSnapshot(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	a, b := open(t, path, patience), open(t, path, patience)
	a.must("BEGIN")
	a.number("SELECT n FROM t")
	b.must("UPDATE t SET n = n + 1")

	first := a.refusedAtOnce(517, "UPDATE t SET n = n + 1")
	for range 3 {
		a.refusedAtOnce(517, "UPDATE t SET n = n + 1")
	}
	a.must("ROLLBACK")
	a.must("BEGIN")
	a.number("SELECT n FROM t")
	a.must("UPDATE t SET n = n + 1")
	a.must("COMMIT")
	if n := a.number("SELECT n FROM t"); n != 2 {
		t.Errorf("n = %d, want 2", n)
	}
	t.Logf("busy_timeout 4 s: 517 after %v, again after each of 3 repetitions; a new transaction works", round(first))
}

// In the model the lock comes before the first read, so nobody can commit in
// between.
func TestModelNeverUpgradesStale(t *testing.T) {
	t.Parallel()
	m := openModel(t, 0)
	other := open(t, m.path, "busy_timeout(0)")
	runs := 0
	err := m.db.Write(t.Context(), "test", readThenWrite("Shop", func() {
		runs++
		if _, err := other.exec("UPDATE digest_state SET batch = batch + 1"); codeOf(err) != 5 {
			t.Errorf("between read and write another connection wrote, or failed otherwise: %v", err)
		}
	}))
	if err != nil || runs != 1 || m.projects(t) != 1 {
		t.Errorf("error %v, %d runs, %d projects; want one run, one project", err, runs, m.projects(t))
	}
	t.Logf("a commit between read and write is refused with 5; the transaction ran %d time", runs)
}

// The snapshot is current, but somebody holds the lock. SQLite does not wait:
// if the holder commits, waiting was in vain. 5 at once, whatever the timeout.
func TestUpgradeWhileLocked(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	a, b := open(t, path, patience), open(t, path, patience)
	a.must("BEGIN")
	a.number("SELECT n FROM t")
	b.must("BEGIN IMMEDIATE")

	took := a.refusedAtOnce(5, "UPDATE t SET n = n + 1")
	b.must("ROLLBACK")
	a.must("UPDATE t SET n = n + 1") // nothing was committed: the snapshot is still current
	a.must("COMMIT")
	t.Logf("busy_timeout 4 s: 5 after %v; the holder rolled back, so the statement worked when repeated", round(took))
}

// In the model the waiting is done by BEGIN IMMEDIATE, before anything is read:
// there it is not in vain.
func TestModelWaitsBeforeReading(t *testing.T) {
	t.Parallel()
	m := openModel(t, 0)
	other := open(t, m.path, patience)
	other.must("BEGIN IMMEDIATE")
	other.must("UPDATE digest_state SET batch = batch + 1")

	runs, began := 0, time.Now()
	done := start(func() error {
		return m.db.Write(t.Context(), "test", readThenWrite("Shop", func() { runs++ }))
	})
	mustWait(t, "Write", done, blocked)
	other.must("COMMIT")
	if err := <-done; err != nil || runs != 1 {
		t.Errorf("error %v after %d runs, want none after one", err, runs)
	}
	t.Logf("the lock was held for %v; the transaction waited for it %v and ran %d time", blocked, round(time.Since(began)), runs)
}
