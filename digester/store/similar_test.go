package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
)

// TestSimilarIssues finds issues by culprit and by how their titles begin, in
// their own project, the one seen last first, whatever their state is.
func TestSimilarIssues(t *testing.T) {
	db, replica := storetest.Open(t, func() time.Time { return start })
	p := storetest.MustCreateProject(t, db, "Shop", "")
	other := storetest.MustCreateProject(t, db, "Worker", "")
	for i, e := range []struct{ title, culprit string }{
		{"KeyError: 'a'", "shop in pay"}, {"KeyError: 'b'", ""}, {"keyError: 'b'", ""}, {"TypeError: x", "shop in pay"}, {"Key%", ""}, {"TypeError: y", ""},
	} {
		in := incoming(p.ID, uint64(i+1), fmt.Sprint("group ", i))
		in.Title, in.Culprit, in.OccurredAt = e.title, e.culprit, start.Add(time.Duration(i)*time.Hour)
		mustDigest(t, db, in, store.Stored)
	}
	in := incoming(other.ID, 100, "other")
	in.Title, in.Culprit = "KeyError: 'a'", "shop in pay"
	mustDigest(t, db, in, store.Stored)
	if err := db.Write(t.Context(), "test", func(tx *store.Tx) error {
		_, err := tx.Resolve([]int64{2}, triage.Resolution{}, 0)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		issue  int64
		prefix string
		want   []int64
	}{{1, "KeyError: ", []int64{4, 2}}, {1, "", []int64{4}}, {2, "", nil}, {2, "KeyError: ", []int64{1}}, {6, "TypeError: ", []int64{4}}, {6, "Key%", []int64{5}}} {
		storetest.MustRead(t, replica, func(rx *store.Rx) error {
			issue, err := rx.Issue(test.issue)
			if err != nil {
				return err
			}
			similar, err := rx.SimilarIssues(issue, test.prefix)
			var got []int64
			for _, s := range similar {
				got = append(got, s.ID)
				if s.Project != "shop" || s.LastSeen.IsZero() || s.Number != s.ID {
					t.Errorf("%+v", s)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("issue %d, %q: %s", test.issue, test.prefix, diff)
			}
			return err
		})
	}
}

func BenchmarkSimilarIssues(b *testing.B) {
	db, replica := storetest.Open(b, func() time.Time { return start })
	p := storetest.MustCreateProject(b, db, "Shop", "")
	for i := range 3000 {
		in := incoming(p.ID, uint64(i+1), fmt.Sprint("group ", i))
		in.Title, in.Culprit = fmt.Sprintf("KeyError: %d of the many words that a title has", i), "shop in pay"
		if _, err := db.Digest(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		storetest.MustRead(b, replica, func(rx *store.Rx) error {
			_, err := rx.SimilarIssues(store.Issue{ID: 1, ProjectID: p.ID, Culprit: "shop in charge"}, "TypeError: ")
			return err
		})
	}
}
