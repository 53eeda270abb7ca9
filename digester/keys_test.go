package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"sundew/digester/store/storetest"
	"sundew/functions/ingest/edge"
	"sundew/schema/event"
)

// The key snapshot answers without the database wherever it can, and never
// refuses an event because its keys are old.
func TestKeySnapshot(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	s := &keySnapshot{replica: replica}
	if got := s.lookup(1, "any"); got != edge.KeyUndecided {
		t.Errorf("before the first read: %v", got)
	}
	if err := s.refresh(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	const key = "0123456789abcdef0123456789abcdef"
	want := func(when string, project event.ProjectID, key string, want edge.KeyStatus) {
		t.Helper()
		if got := s.Lookup(t.Context(), project, key); got != want {
			t.Errorf("%s: project %d: %v, want %v", when, project, got, want)
		}
	}
	want("before there is a project", 1, key, edge.KeyUnknown)
	storetest.MustCreateProject(t, db, "Shop", key)
	if s.active(1, key) {
		t.Error("a key is known that was not read yet")
	}
	want("a moment after it was made", 1, key, edge.KeyActive)
	if !s.active(1, key) || s.active(2, key) {
		t.Error("of a key that was read, the project is not known")
	}
	want("with another project's number", 2, key, edge.KeyUnknown)
	want("with another key", 1, strings.Repeat("f", 32), edge.KeyUnknown)

	// The database goes away: what was known stays known.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.refresh(ctx, time.Now()); err == nil {
		t.Error("a read that was cut off went unnoticed")
	}
	if got := s.Lookup(ctx, 1, key); got != edge.KeyActive {
		t.Errorf("without a database: %v", got)
	}
}
