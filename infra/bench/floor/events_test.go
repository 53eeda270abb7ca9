package main

import (
	"testing"

	"sundew/schema/event"
)

// The store must be given what the digester would give it, and every run the
// same.
func TestPreparedEvents(t *testing.T) {
	const n = 350 // more than there are recorded ones
	events, err := preparedEvents(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[event.ID]bool)
	for i, e := range events {
		ids[e.EventID] = true
		if e.Project != project || e.Seq != uint64(i+1) || e.Title == "" || len(e.Body) == 0 {
			t.Fatalf("event %d: project %d, number %d, title %q, %d bytes", i, e.Project, e.Seq, e.Title, len(e.Body))
		}
		if !e.OccurredAt.Equal(e.ReceivedAt) {
			t.Fatalf("event %d happened at %v, received at %v", i, e.OccurredAt, e.ReceivedAt)
		}
	}
	if len(ids) != n {
		t.Errorf("%d ids for %d events", len(ids), n)
	}
}

// Two runs of the store must leave equal databases, or C could never be compared.
func TestDigestIsRepeatable(t *testing.T) {
	w, err := prepare(t.Context(), t.TempDir(), 60, 25)
	if err != nil {
		t.Fatal(err)
	}
	if w.statements < 60*8 {
		t.Errorf("%d statements recorded", w.statements)
	}
	c := &contender{name: "store", run: w.digest}
	for range 2 {
		if err := w.verify(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	w.events[7].Title += "!"
	if _, err := w.digest(t.Context(), w.database); err == nil {
		t.Error("the same events were stored twice")
	}
	if err := w.verify(t.Context(), c); err == nil {
		t.Error("a database with another title counts as equal")
	}
}
