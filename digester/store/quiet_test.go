package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
	"sundew/schema/event"
)

// seen digests an event of the issue named group that happened at a time.
func seen(t *testing.T, db *store.DB, project event.ProjectID, seq uint64, group string, at time.Time) {
	t.Helper()
	in := incoming(project, seq, group)
	in.OccurredAt = at
	mustDigest(t, db, in, store.Stored)
}

// TestResolveQuiet: what happened to an issue between the read that found it and
// the write that would resolve it decides, whatever it was.
func TestResolveQuiet(t *testing.T) {
	now := start.Add(60 * 24 * time.Hour)
	db, replica := storetest.Open(t, func() time.Time { return now })
	p := storetest.MustCreateProject(t, db, "Shop", "")
	other := storetest.MustCreateProject(t, db, "Worker", "")
	before := start.Add(10 * 24 * time.Hour)
	old := before.Add(-time.Millisecond)
	for seq, group := range []string{"quiet", "again", "late", "resolved", "reopened"} {
		seen(t, db, p.ID, uint64(seq+1), group, old)
	}
	seen(t, db, p.ID, 6, "not yet", before)
	seen(t, db, other.ID, 7, "other", old)

	quietIDs := func(project event.ProjectID) (ids []int64, quiet []store.QuietIssue) {
		t.Helper()
		storetest.MustRead(t, replica, func(rx *store.Rx) (err error) {
			if quiet, err = rx.QuietIssues(project, before); err != nil {
				return err
			}
			for _, cut := range []time.Time{time.UnixMilli(0), old.Add(-time.Minute), old, before.Add(-time.Hour), before} {
				early, err1 := rx.CountQuiet(project, time.UnixMilli(0), cut)
				late, err2 := rx.CountQuiet(project, cut, before)
				if err := errors.Join(err1, err2); err != nil || early+late != int64(len(quiet)) {
					t.Errorf("%d quiet before %v and %d after, want %d in all; %v", early, cut, late, len(quiet), err)
				}
			}
			return nil
		})
		for _, q := range quiet {
			ids = append(ids, q.ID)
		}
		return ids, quiet
	}
	ids, quiet := quietIDs(p.ID)
	if diff := cmp.Diff([]int64{1, 2, 3, 4, 5}, ids); diff != "" {
		t.Fatalf("quiet issues (-want +got):\n%s", diff)
	}

	// Meanwhile: an event, an event that happened long ago, a person resolves one,
	// another is resolved and comes back.
	seen(t, db, p.ID, 8, "again", now)
	seen(t, db, p.ID, 9, "late", old.Add(-time.Hour))
	set := func(issue int64) {
		t.Helper()
		if err := db.Write(t.Context(), "test", func(tx *store.Tx) error {
			_, err := tx.Resolve([]int64{issue}, triage.Resolution{}, 0)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	set(4)
	set(5)
	seen(t, db, p.ID, 10, "reopened", now)

	var resolved int
	if err := db.Write(t.Context(), "test", func(tx *store.Tx) (err error) {
		resolved, err = tx.ResolveQuiet(quiet, before, 0)
		return err
	}); err != nil || resolved != 1 {
		t.Errorf("%d were resolved, %v", resolved, err)
	}
	states := map[int64]string{}
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		for id := int64(1); id <= 7; id++ {
			issue, err := rx.Issue(id)
			if err != nil {
				return err
			}
			states[id] = issue.State.String()
			entries, err := rx.History(id)
			if err != nil {
				return err
			}
			for _, e := range entries {
				states[id] += " " + e.Kind
			}
		}
		return nil
	})
	want := map[int64]string{
		1: "resolved created resolved", 2: "open created", 3: "open created", 4: "resolved created resolved",
		5: "open created resolved regressed", 6: "open created", 7: "open created",
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// The digester finds the issue changed under it, and reopens it.
	seen(t, db, p.ID, 11, "quiet", now)
	if ids, _ := quietIDs(p.ID); len(ids) != 1 || ids[0] != 3 {
		t.Errorf("quiet afterwards: %v", ids)
	}
}
