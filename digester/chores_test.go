package main

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// What is due is done in one round, and nothing before.
func TestChores(t *testing.T) {
	begin := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	var passed atomic.Int64
	now := func() time.Time { return begin.Add(time.Duration(passed.Load())) }
	db, replica := storetest.Open(t, now)
	p := storetest.MustCreateProject(t, db, "Shop", "")
	for seq := range uint64(300) {
		in := &store.Incoming{
			Instance: wire.InstanceID{1}, Seq: seq + 1, Project: p.ID, EventID: event.ID{byte(seq), byte(seq >> 8), 1}, ReceivedAt: begin, OccurredAt: begin,
			Category: "error", Group: [16]byte{byte(seq % 2)}, Meta: []byte(`{}`), Body: []byte(`{}`), Kind: wire.KindEvent, Title: "x",
		}
		if result, err := db.Digest(t.Context(), in); result != store.Stored || err != nil {
			t.Fatalf("event %d: %d, %v", seq, result, err)
		}
	}
	if err := db.Write(t.Context(), "test", func(tx *store.Tx) error {
		if _, err := tx.DeleteIssues([]int64{1}, 0); err != nil {
			return err
		}
		_, err := tx.Mute([]int64{2}, triage.Mute{Kind: triage.MuteUntil, Until: begin.Add(5 * time.Minute)}, 0)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	c := chores{db: db, replica: replica, now: now, log: zerolog.Nop()}
	for _, step := range []struct {
		after time.Duration
		state store.IssueState
		there bool
	}{{0, store.StateMuted, true}, {6 * time.Minute, store.StateOpen, true}, {11 * time.Minute, store.StateOpen, false}} {
		passed.Store(int64(step.after))
		if err := c.round(t.Context()); err != nil {
			t.Fatal(err)
		}
		storetest.MustRead(t, replica, func(rx *store.Rx) error {
			projects, err := rx.IssueProjects([]int64{1, 2})
			if _, there := projects[1]; there != step.there || err != nil {
				t.Errorf("after %s: the deleted issue is there: %v, %v", step.after, there, err)
			}
			muted, err := rx.Issue(2)
			if muted.State != step.state {
				t.Errorf("after %s: %s", step.after, muted.State)
			}
			return err
		})
	}
}
