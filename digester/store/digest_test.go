package store_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
	"sundew/schema/event"
	"sundew/schema/quota"
	"sundew/schema/wire"
)

var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// incoming returns a prepared event: number seq of its lane, with an event id of
// its own, in the group of that name.
func incoming(project event.ProjectID, seq uint64, group string) *store.Incoming {
	in := &store.Incoming{
		Instance: wire.InstanceID{1}, Seq: seq, Project: project, ReceivedAt: start, OccurredAt: start, Category: "error",
		Level: event.LevelError, Platform: "go", Title: "Error: " + group, Culprit: "main", Release: "shop@1.0", Environment: "production",
		Tags: []event.Pair{{Key: "environment", Value: "production"}, {Key: "level", Value: "error"}}, GroupRules: 1,
		Kind: wire.KindEvent, Encoding: wire.EncodingIdentity, Meta: []byte(`{}`), Body: []byte(`{"message":"x"}`),
	}
	in.EventID[0] = 0xee
	binary.BigEndian.PutUint64(in.EventID[8:], seq)
	copy(in.Group[:], group)
	return in
}

func mustDigest(t testing.TB, db *store.DB, in *store.Incoming, want store.Result) {
	t.Helper()
	got, err := db.Digest(t.Context(), in)
	if err != nil {
		t.Fatalf("digesting number %d: %v", in.Seq, err)
	}
	if got != want {
		t.Fatalf("digesting number %d: result %d, want %d", in.Seq, got, want)
	}
}

func TestDigestCounts(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p := storetest.MustCreateProject(t, db, "Shop", "")
	for seq := uint64(1); seq <= 5; seq++ {
		in := incoming(p.ID, seq, "a")
		in.OccurredAt = start.Add(time.Duration(seq) * time.Hour)
		mustDigest(t, db, in, store.Stored)
	}
	mustDigest(t, db, incoming(p.ID, 6, "b"), store.Stored)

	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		found, err := rx.Find(store.Search{Projects: []event.ProjectID{p.ID}, Sort: store.SortEvents, Limit: 10})
		issues := found.Issues
		if err != nil || found.More || len(issues) != 2 {
			t.Fatalf("found %v, err %v", found, err)
		}
		if got := issues[0]; got.Events != 5 || !got.FirstSeen.Equal(start.Add(time.Hour)) || !got.LastSeen.Equal(start.Add(5*time.Hour)) || got.Number != 1 {
			t.Errorf("issue %+v", got)
		}
		tags, err := rx.IssueTags(issues[0].ID, 5)
		if err != nil {
			return err
		}
		var lines []string
		for _, tag := range tags {
			lines = append(lines, fmt.Sprintf("%s=%s %d", tag.Key, tag.Value, tag.Count))
		}
		if diff := cmp.Diff([]string{"environment=production 5", "level=error 5"}, lines); diff != "" {
			t.Error(diff)
		}
		place, err := rx.EventPlace(issues[0].ID, 3)
		if diff := cmp.Diff(store.EventPlace{
			First: store.EventRef{Issue: 1, Number: 1}, Previous: store.EventRef{Issue: 1, Number: 2},
			Next: store.EventRef{Issue: 1, Number: 4}, Last: store.EventRef{Issue: 1, Number: 5},
		}, place); diff != "" || err != nil {
			t.Error(diff, err)
		}
		hours, err := rx.IssueHours([]int64{issues[0].ID}, start.Add(3*time.Hour))
		if len(hours[issues[0].ID]) != 3 || err != nil {
			t.Errorf("hours %v, err %v", hours, err)
		}
		body, err := rx.EventBody(issues[0].ID)
		if string(body.JSON) != `{"message":"x"}` || err != nil {
			t.Errorf("body %q, err %v", body.JSON, err)
		}
		return nil
	})
}

// Exactly once, in effect: the same message again changes nothing, the same
// event in another message only the duplicate counter.
func TestDigestTwice(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p := storetest.MustCreateProject(t, db, "Shop", "")
	mustDigest(t, db, incoming(p.ID, 1, "a"), store.Stored)
	mustDigest(t, db, incoming(p.ID, 1, "a"), store.Redelivered)

	again := incoming(p.ID, 2, "a")
	again.EventID = incoming(p.ID, 1, "a").EventID
	mustDigest(t, db, again, store.Duplicate)
	mustDigest(t, db, again, store.Redelivered)

	// The repetition of an event must not even make the issue it would belong to.
	other := incoming(p.ID, 3, "another group")
	other.EventID = incoming(p.ID, 1, "a").EventID
	mustDigest(t, db, other, store.Duplicate)

	mustDigest(t, db, incoming(p.ID, 4, "a"), store.Stored)
	wantBooks(t, replica, "stored: 2", "duplicate: 2")
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		totals, err := rx.Totals()
		if totals.StoredEvents != 2 || totals.Issues != 1 {
			t.Errorf("totals %+v", totals)
		}
		return err
	})
}

func wantBooks(t *testing.T, replica *store.Replica, want ...string) {
	t.Helper()
	sums := make(map[string]int64)
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		outcomes, err := rx.Outcomes()
		for _, o := range outcomes {
			sums[strings.TrimSuffix(o.Outcome+" "+o.Reason, " ")] += o.Quantity
		}
		return err
	})
	wanted := make(map[string]int64)
	for _, w := range want {
		key, n, _ := strings.Cut(w, ": ")
		fmt.Sscan(n, new(int64))
		var v int64
		fmt.Sscan(n, &v)
		wanted[key] = v
	}
	if diff := cmp.Diff(wanted, sums); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
}

func TestDigestDrops(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p := storetest.MustCreateProject(t, db, "Shop", "")
	bad := incoming(p.ID, 1, "a")
	bad.Drop, bad.Detail = "bad_json", "not an object"
	mustDigest(t, db, bad, store.Dropped)
	mustDigest(t, db, bad, store.Redelivered)
	mustDigest(t, db, incoming(p.ID+1, 1, "a"), store.Dropped)
	wantBooks(t, replica, "dropped bad_json: 1", "dropped unknown_project: 1")
}

// Numbers may come in any order and more than once; the ledger knows which are
// missing.
func TestLedgerGaps(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p := storetest.MustCreateProject(t, db, "Shop", "")
	wantMissing := func(high, missing, redelivered int64) {
		t.Helper()
		storetest.MustRead(t, replica, func(rx *store.Rx) error {
			lanes, err := rx.Lanes()
			if err != nil {
				return err
			}
			if l := lanes[0]; l.High != high || l.Missing != missing || l.Redelivered != redelivered {
				t.Errorf("lane %+v, want high %d, missing %d, redelivered %d", l, high, missing, redelivered)
			}
			return nil
		})
	}
	for _, step := range []struct {
		seq                        uint64
		want                       store.Result
		high, missing, redelivered int64
	}{
		{3, store.Stored, 3, 2, 0},
		{10, store.Stored, 10, 8, 0},
		{6, store.Stored, 10, 7, 0},
		{6, store.Redelivered, 10, 7, 1},
		{4, store.Stored, 10, 6, 1},
		{9, store.Stored, 10, 5, 1},
		{1, store.Stored, 10, 4, 1},
		{2, store.Stored, 10, 3, 1},
		{2, store.Redelivered, 10, 3, 2},
		{5, store.Stored, 10, 2, 2},
		{7, store.Stored, 10, 1, 2},
		{8, store.Stored, 10, 0, 2},
		{11, store.Stored, 11, 0, 2},
	} {
		mustDigest(t, db, incoming(p.ID, step.seq, "a"), step.want)
		wantMissing(step.high, step.missing, step.redelivered)
	}
}

func TestResolveAndRegress(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p := storetest.MustCreateProject(t, db, "Shop", "")
	mustDigest(t, db, incoming(p.ID, 1, "a"), store.Stored)
	setState := func(state store.IssueState, want bool) {
		t.Helper()
		err := db.Write(t.Context(), "test", func(tx *store.Tx) error {
			act := func() ([]int64, error) { return tx.Reopen([]int64{1}, 0) }
			if state == store.StateResolved {
				act = func() ([]int64, error) { return tx.Resolve([]int64{1}, triage.Resolution{}, 0) }
			}
			changed, err := act()
			if (len(changed) > 0) != want {
				t.Errorf("changed %v, want %v", changed, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	setState(store.StateResolved, true)
	setState(store.StateResolved, false)
	mustDigest(t, db, incoming(p.ID, 2, "a"), store.Stored) // the digester remembers the issue as open
	mustDigest(t, db, incoming(p.ID, 3, "a"), store.Stored)
	setState(store.StateResolved, true)
	setState(store.StateOpen, true)
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		issue, err := rx.Issue(1)
		if err != nil || issue.State != store.StateOpen || issue.Events != 3 || !issue.ResolvedAt.IsZero() {
			t.Errorf("issue %+v, err %v", issue, err)
		}
		history, err := rx.History(1)
		var kinds []string
		for _, h := range history {
			kinds = append(kinds, h.Kind)
		}
		if diff := cmp.Diff([]string{"created", "resolved", "regressed", "resolved", "reopened"}, kinds); diff != "" {
			t.Error(diff)
		}
		return err
	})
}

// A page list must be the same whether the coarse index or the exact value
// orders it, and pages must not overlap.
func TestIssuePages(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p := storetest.MustCreateProject(t, db, "Shop", "")
	seq := uint64(0)
	for i := range 30 {
		for range i%7 + 1 {
			seq++
			in := incoming(p.ID, seq, fmt.Sprintf("group %d", i))
			in.OccurredAt = start.Add(time.Duration(i*i%31) * 10 * time.Second)
			mustDigest(t, db, in, store.Stored)
		}
	}
	for _, sort := range []store.IssueSort{store.SortLastSeen, store.SortEvents} {
		var all []store.Issue
		for offset := 0; ; offset += 7 {
			storetest.MustRead(t, replica, func(rx *store.Rx) error {
				page, err := rx.Find(store.Search{Projects: []event.ProjectID{p.ID}, Sort: sort, Offset: offset, Limit: 7})
				if page.More != (offset+7 < 30) {
					t.Errorf("offset %d: more %v", offset, page.More)
				}
				all = append(all, page.Issues...)
				return err
			})
			if offset+7 >= 30 {
				break
			}
		}
		seen := make(map[int64]bool)
		for i, issue := range all {
			seen[issue.ID] = true
			if i > 0 && sort == store.SortLastSeen && issue.LastSeen.After(all[i-1].LastSeen) {
				t.Errorf("place %d: %v after %v", i, issue.LastSeen, all[i-1].LastSeen)
			}
			if i > 0 && sort == store.SortEvents && issue.Events > all[i-1].Events {
				t.Errorf("place %d: %d events after %d", i, issue.Events, all[i-1].Events)
			}
		}
		if len(seen) != 30 {
			t.Errorf("%d issues on all pages, want 30", len(seen))
		}
	}
}

func BenchmarkDigest(b *testing.B) { benchmarkDigest(b, 0, "") }

// BenchmarkDigestSpike is the same with events of which nearly all are only counted.
func BenchmarkDigestSpike(b *testing.B) { benchmarkDigest(b, 1, "") }

// BenchmarkDigestOverQuota is the same with events that are dropped, by batches.
func BenchmarkDigestOverQuota(b *testing.B) { benchmarkDigest(b, 0, quota.ReasonProject) }

func benchmarkDigest(b *testing.B, spike int64, drop string) {
	db, _ := storetest.Open(b, nil)
	p := storetest.MustCreateProject(b, db, "Shop", "")
	tags := make([]event.Pair, 10)
	for i := range tags {
		tags[i] = event.Pair{Key: fmt.Sprintf("key%d", i), Value: "value"}
	}
	body := []byte(strings.Repeat("0123456789abcdef", 128))
	b.ResetTimer()
	var batch []*store.Incoming
	for i := range b.N {
		in := incoming(p.ID, uint64(i+1), fmt.Sprintf("group %d", i%100))
		binary.BigEndian.PutUint64(in.EventID[:], uint64(i)*0x9e3779b97f4a7c15)
		in.Tags, in.Body, in.SpikeAfter, in.Drop = tags, body, spike, drop
		batch = append(batch, in)
		if i%100 == 99 || i == b.N-1 {
			for _, o := range db.DigestBatch(b.Context(), batch) {
				if o.Err != nil {
					b.Fatal(o.Err)
				}
			}
			batch = batch[:0]
			if err := db.Barrier(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
