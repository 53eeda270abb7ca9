package store

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// The whole WAL is written again, with what was in it, and a missing one is none.
func TestRewriteWAL(t *testing.T) {
	db, _, _ := openTrouble(t)
	for seq := range uint64(60) {
		if _, err := db.Digest(t.Context(), someIncoming(1, seq+1, make([]byte, 30_000))); err != nil {
			t.Fatal(err)
		}
	}
	wal := db.path + "-wal"
	before, err := os.ReadFile(wal)
	if err != nil || len(before) < 1<<20 {
		t.Fatalf("a WAL of %d bytes, %v", len(before), err)
	}
	old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(wal, old, old); err != nil {
		t.Fatal(err)
	}
	if err := db.rewriteWAL(t.Context()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(wal); err != nil || !info.ModTime().After(old) {
		t.Error("the WAL was not written", err)
	}
	if after, err := os.ReadFile(wal); err != nil || !bytes.Equal(after, before) {
		t.Error("the WAL was changed", err)
	}
	if err := rewrite(wal + "-missing"); err != nil {
		t.Error(err)
	}
}
