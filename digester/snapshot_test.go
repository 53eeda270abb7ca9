package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sundew/digester/dashboard"
	"sundew/digester/store"
)

// TestSnapshots: what is downloaded is a whole database, one at a time, and nothing of
// it stays.
func TestSnapshots(t *testing.T) {
	cfg := Config{Data: t.TempDir()}
	db, err := store.Open(t.Context(), store.Config{Path: cfg.databasePath()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	left := filepath.Join(cfg.Data, ".download-1"+unfinished)
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := newSnapshots(cfg)
	if err != nil {
		t.Fatal(err)
	}
	lies := func() []string {
		all, err := filepath.Glob(filepath.Join(cfg.Data, ".download-*"))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if all := lies(); len(all) != 0 {
		t.Errorf("what was left is still there: %q", all)
	}
	s.now = func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }
	s.disk = func(string) (int64, int64, error) { return 1000, 1000, nil }
	if _, err := s.make(t.Context()); !errors.Is(err, dashboard.ErrNoRoom) {
		t.Errorf("without room: %v", err)
	}
	s.disk = diskFree
	got, err := s.make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.make(t.Context()); !errors.Is(err, dashboard.ErrSnapshotUnderWay) {
		t.Errorf("a second one: %v", err)
	}
	whole, err := io.ReadAll(got)
	if err != nil || int64(len(whole)) != got.Size || got.Name != "sundew-20260304T050607Z.db" {
		t.Errorf("%d bytes of %d, %s, %v", len(whole), got.Size, got.Name, err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := errors.Join(os.WriteFile(copied, whole, 0o600), checkFile(t.Context(), copied)); err != nil {
		t.Error(err)
	}
	if err := got.Close(); err != nil {
		t.Error(err)
	}
	if all := lies(); len(all) != 0 {
		t.Errorf("left: %q", all)
	}
	if got, err = s.make(t.Context()); err != nil {
		t.Fatal(err)
	}
	got.Close()
}
