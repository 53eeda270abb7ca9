package busylab_test

import (
	"path/filepath"
	"testing"
	"time"

	"sundew/digester/store"
)

// The deadlock of the rollback journal. One holds SHARED and wants RESERVED, the
// other holds PENDING and wants every SHARED to go away: no waiting helps.
func TestRollbackJournalDeadlock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lab.db")
	one := open(t, path, "journal_mode(delete)", "busy_timeout(100)")
	one.must("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)")
	one.must("INSERT INTO t VALUES (1, 0)")
	two, third := open(t, path, patience), open(t, path, "busy_timeout(0)")

	one.must("BEGIN")
	one.number("SELECT n FROM t") // SHARED
	two.must("BEGIN")
	two.number("SELECT n FROM t")                           // SHARED
	one.must("UPDATE t SET n = n + 1")                      // RESERVED
	third.must("SELECT n FROM t")                           // a reader can still come
	commit := one.refused(5, "COMMIT")                      // PENDING, wants EXCLUSIVE
	third.refused(5, "SELECT n FROM t")                     // now it cannot
	write := two.refusedAtOnce(5, "UPDATE t SET n = n + 1") // SHARED, wants RESERVED

	two.must("ROLLBACK")
	one.must("COMMIT") // the transaction was still there
	if n := third.number("SELECT n FROM t"); n != 1 {
		t.Errorf("n = %d, want 1", n)
	}
	t.Logf("the writer's COMMIT: 5 after its busy_timeout, %v; the reader's write: 5 after %v; a new reader: 5; after the reader's ROLLBACK the COMMIT worked",
		round(commit), round(write))
}

// In the model the same steps are no deadlock: in WAL mode a commit does not
// wait for readers.
func TestModelCommitsBesideReader(t *testing.T) {
	t.Parallel()
	m := openModel(t, 0)
	var took time.Duration
	err := m.replica.Read(t.Context(), func(rx *store.Rx) error {
		before, err := rx.Projects()
		if err != nil {
			return err
		}
		began := time.Now()
		if err := m.db.Write(t.Context(), "test", readThenWrite("Shop", func() {})); err != nil {
			return err
		}
		took = time.Since(began)
		again, err := rx.Projects()
		if len(before) != 0 || len(again) != 0 {
			t.Errorf("the reader saw %d projects, then %d; want none both times", len(before), len(again))
		}
		return err
	})
	if err != nil || m.projects(t) != 1 {
		t.Errorf("error %v, %d projects", err, m.projects(t))
	}
	t.Logf("a whole Write beside an open Read took %v; the reader still sees its own moment", round(took))
}
