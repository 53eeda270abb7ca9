package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// nowhere is a project that does not exist.
const nowhere event.ProjectID = 77

// digestHours digests, for a project: in the first hour two events and a drop, in
// the second a repetition, in the third what clients lost; the numbers 4 and 5 are
// left out, and so is the hour before.
func digestHours(t *testing.T, db *store.DB, project event.ProjectID) {
	t.Helper()
	at := func(in *store.Incoming, hours int) *store.Incoming {
		in.ReceivedAt = start.Add(time.Duration(hours)*time.Hour + 59*time.Minute)
		return in
	}
	stored, duplicate := store.Stored, store.Duplicate
	if project == nowhere {
		stored, duplicate = store.Dropped, store.Dropped
	}
	mustDigest(t, db, at(incoming(project, 1, "a"), 0), stored)
	mustDigest(t, db, at(incoming(project, 2, "b"), 0), stored)
	bad := at(incoming(project, 3, "a"), 0)
	bad.Drop, bad.Detail = "bad_json", "unexpected end"
	mustDigest(t, db, bad, store.Dropped)
	again := at(incoming(project, 6, "a"), 1)
	again.EventID = incoming(project, 1, "a").EventID
	mustDigest(t, db, again, duplicate)
	counts := &store.Incoming{Instance: wire.InstanceID{1}, Seq: uint64(project), EventID: event.ID{9}, IsCounts: true, Counts: []wire.Count{
		{Project: project, Category: "error", Outcome: wire.OutcomeClient, Reason: "sample_rate", Quantity: 7, Hour: start.Add(2 * time.Hour)},
		{Project: project, Category: "error", Outcome: wire.OutcomeClient, Reason: "sample_rate", Quantity: 2, Hour: start.Add(-time.Hour)},
	}}
	mustDigest(t, db, counts, store.Stored)
}

func TestBooksOfHours(t *testing.T) {
	db, replica := storetest.Open(t, func() time.Time { return start.Add(3 * time.Hour) })
	shop := storetest.MustCreateProject(t, db, "Shop", "")
	digestHours(t, db, shop.ID)
	digestHours(t, db, nowhere)

	var books store.Books
	storetest.MustRead(t, replica, func(rx *store.Rx) (err error) {
		books, err = rx.Books(start.Add(30 * time.Minute)) // the whole hour counts
		return err
	})
	var got []string
	for _, h := range books.Hours {
		got = append(got, fmt.Sprintf("%d %s %s %s:%s %d", h.Project, h.Hour.Format("15"), h.Outcome, h.Category, h.Reason, h.Quantity))
	}
	want := []string{
		"1 12 dropped error:bad_json 1",
		"1 12 stored error: 2",
		"1 13 duplicate error: 1",
		"1 14 client_lost error:sample_rate 7",
		"77 12 dropped error:bad_json 1",
		"77 12 dropped error:unknown_project 2",
		"77 13 dropped error:unknown_project 1",
		"77 14 client_lost error:sample_rate 7",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hours (-want +got):\n%s", diff)
	}
	wantGaps := []store.Gap{
		{Instance: wire.InstanceID{1}, Project: shop.ID, From: 4, To: 5, Since: start.Add(3 * time.Hour)},
		{Instance: wire.InstanceID{1}, Project: 0, From: 2, To: 76, Since: start.Add(3 * time.Hour)},
		{Instance: wire.InstanceID{1}, Project: nowhere, From: 4, To: 5, Since: start.Add(3 * time.Hour)},
	}
	if diff := cmp.Diff(wantGaps, books.Gaps); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if len(books.Lanes) != 3 || books.Totals.StoredEvents != 2 || len(books.Outcomes) == 0 {
		t.Errorf("books %+v", books)
	}
}

func TestRejects(t *testing.T) {
	db, replica := storetest.Open(t, func() time.Time { return start.Add(3 * time.Hour) })
	shop := storetest.MustCreateProject(t, db, "Shop", "")
	digestHours(t, db, shop.ID)
	digestHours(t, db, nowhere)
	for _, c := range []struct {
		project event.ProjectID
		limit   int
		want    []string // the newest first
	}{
		{0, 10, []string{"77 unknown_project 6", "77 bad_json 3", "77 unknown_project 2", "77 unknown_project 1", "1 bad_json 3"}},
		{0, 2, []string{"77 unknown_project 6", "77 bad_json 3"}},
		{shop.ID, 10, []string{"1 bad_json 3"}},
		{5, 10, nil},
	} {
		storetest.MustRead(t, replica, func(rx *store.Rx) error {
			rejects, err := rx.Rejects(c.project, c.limit)
			var got []string
			for _, r := range rejects {
				seq := r.EventID[15]
				if r.Reason == store.DropUnknownProject && seq == 1 && r.ReceivedAt.Hour() == 13 {
					seq = 6 // the repetition has the first one's id
				}
				got = append(got, fmt.Sprintf("%d %s %d", r.Project, r.Reason, seq))
				if r.Detail == "" || !r.DigestedAt.Equal(start.Add(3*time.Hour)) {
					t.Errorf("reject %+v", r)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("project %d, limit %d (-want +got):\n%s", c.project, c.limit, diff)
			}
			return err
		})
	}
}
