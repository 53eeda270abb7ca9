package busylab_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sundew/digester/store"
)

// A commit that changed no page writes nothing to the WAL, and so syncs nothing,
// whatever synchronous says.
func TestFullCommitOfNothing(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	p := open(t, path, "synchronous(full)")
	p.must("UPDATE t SET n = n + 1")
	grown := func(query string) int64 {
		before := walSize(t, path)
		p.must("BEGIN IMMEDIATE")
		p.must(query)
		p.must("COMMIT")
		return walSize(t, path) - before
	}
	something := grown("UPDATE t SET n = n + 1")
	nothing := grown("INSERT OR IGNORE INTO t VALUES (1, 0)")
	if something < 4096 || nothing != 0 {
		t.Errorf("the WAL grew by %d bytes for a change, by %d for none", something, nothing)
	}
	t.Logf("synchronous=FULL: a commit that changed a row made the WAL %d bytes longer, one that changed none %d", something, nothing)
}

// The model's barrier changes a row for that reason.
func TestModelBarrierWrites(t *testing.T) {
	t.Parallel()
	m := openModel(t, 0)
	page := open(t, m.path).number("PRAGMA page_size")
	before := walSize(t, m.path)
	for range commits {
		if err := m.db.Barrier(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	grown := walSize(t, m.path) - before
	if grown < commits*page {
		t.Errorf("%d barriers made the WAL %d bytes longer, want a page each at least", commits, grown)
	}
	t.Logf("%d barriers made the WAL %d bytes longer", commits, grown)
}

// The same, counted where it matters: in calls of fsync.
func TestSyncsCounted(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	full, barrier := syncs(t, strace, roleFull), syncs(t, strace, roleBarrier)
	if full != 0 || barrier < commits {
		t.Errorf("fsyncs of the WAL: %d for %d FULL commits of nothing, want 0; %d for %d barriers, want one each at least", full, commits, barrier, commits)
	}
	t.Logf("fsyncs of the WAL: %d FULL commits of nothing %d, %d barriers %d", commits, full, commits, barrier)
}

// syncs plays a role under strace and counts how often it synced the WAL.
func syncs(t *testing.T, strace, role string) int {
	t.Helper()
	dir := t.TempDir()
	path, calls := filepath.Join(dir, "sundew.db"), filepath.Join(dir, "calls")
	db, err := store.Open(t.Context(), store.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(strace, "-f", "--seccomp-bpf", "-qq", "-y", "-e", "trace=fsync,fdatasync", "-o", calls, os.Args[0])
	cmd.Env = childEnv(role, path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("strace cannot be used here: %v: %s", err, out)
	}
	raw, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(raw, []byte("-wal>)"))
}
