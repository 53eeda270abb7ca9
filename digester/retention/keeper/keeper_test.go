package keeper_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/retention"
	"sundew/digester/retention/keeper"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// shop is a project into which events come, and its keeper.
type shop struct {
	t       *testing.T
	now     time.Time
	db      *store.DB
	replica *store.Replica
	project event.ProjectID
	seq     uint64
	removed map[string]int64
}

func newShop(t *testing.T) *shop {
	s := &shop{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), removed: make(map[string]int64)}
	s.db, s.replica = storetest.Open(t, func() time.Time { return s.now })
	s.project = storetest.MustCreateProject(t, s.db, "Shop", "").ID
	return s
}

func (s *shop) message(group string) *store.Incoming {
	s.seq++
	in := &store.Incoming{
		Instance: wire.InstanceID{1}, Seq: s.seq, Project: s.project, ReceivedAt: s.now, OccurredAt: s.now, Category: "error",
		Level: event.LevelError, Platform: "go", Title: "Error: " + group, Culprit: "main", Release: fmt.Sprint("shop@", s.seq%3), Environment: "production",
		User: fmt.Sprint("id:", s.seq%7), Tags: []event.Pair{{Key: "minute", Value: s.now.Format(time.DateTime)}}, GroupRules: 1,
		Kind: wire.KindEvent, Encoding: wire.EncodingIdentity, Meta: []byte(`{}`), Body: []byte(`{"message":"x"}`),
	}
	binary.BigEndian.PutUint64(in.EventID[8:], s.seq)
	copy(in.Group[:], group)
	return in
}

func (s *shop) digest(ins ...*store.Incoming) {
	s.t.Helper()
	for i, o := range s.db.DigestBatch(s.t.Context(), ins) {
		if o.Err != nil || o.Result != store.Stored {
			s.t.Fatalf("message %d: %d, %v", i, o.Result, o.Err)
		}
	}
}

// sees digests n events of a group.
func (s *shop) sees(group string, n int) {
	s.t.Helper()
	var ins []*store.Incoming
	for range n {
		ins = append(ins, s.message(group))
	}
	s.digest(ins...)
}

func (s *shop) keeper(p retention.Policy) *keeper.Keeper {
	return keeper.New(keeper.Config{
		Replica: s.replica, DB: s.db, Default: p, Now: func() time.Time { return s.now },
		Removed: func(why string, n int64) { s.removed[why] += n },
	})
}

func (s *shop) keep(p retention.Policy) {
	s.t.Helper()
	if err := s.keeper(p).Round(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// stored returns the numbers of the events that are stored of each issue, and how many
// it says it had.
func (s *shop) stored() (numbers map[int64][]int64, counts map[int64]int64) {
	s.t.Helper()
	numbers, counts = make(map[int64][]int64), make(map[int64]int64)
	storetest.MustRead(s.t, s.replica, func(rx *store.Rx) error {
		stocks, err := rx.IssueStocks(s.project, 1<<40, 1000)
		for _, i := range stocks {
			all, err := rx.StoredEvents(i.ID, 1<<30)
			if err != nil {
				return err
			}
			numbers[i.ID], counts[i.ID] = nil, i.Count
			for _, e := range all {
				numbers[i.ID] = append(numbers[i.ID], e.Number)
			}
		}
		return err
	})
	return numbers, counts
}

func total(numbers map[int64][]int64) (n int) {
	for _, some := range numbers {
		n += len(some)
	}
	return n
}

// Whatever came in, afterwards there is no more than the limit, every issue has its
// first and last event, none lost something that had less than others keep, and the
// counts are what they were. The checker looks at the rest.
func TestRandomIssuesWithinTheLimit(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s, rng := newShop(t), rand.New(rand.NewPCG(seed, 1))
			limit := int64(100 + rng.IntN(100))
			for range 4 {
				for group := range 12 {
					s.sees(fmt.Sprint("group ", group), rng.IntN(1<<rng.IntN(8)))
				}
				before, had := s.stored()
				s.keep(retention.Policy{Events: limit})
				after, has := s.stored()
				if diff := cmp.Diff(had, has); diff != "" {
					t.Errorf("counts changed: %s", diff)
				}
				if n := total(after); int64(n) > limit || total(before) > int(limit) && n < int(limit-limit/20) {
					t.Errorf("of %d stay %d, the limit is %d", total(before), n, limit)
				}
				compareStock(t, before, after)
			}
		})
	}
}

func compareStock(t *testing.T, before, after map[int64][]int64) {
	t.Helper()
	largest := 0
	for _, left := range after {
		largest = max(largest, len(left))
	}
	for issue, had := range before {
		left := after[issue]
		if len(had) == 0 {
			continue
		}
		if len(left) == 0 || left[0] != had[0] || left[len(left)-1] != had[len(had)-1] {
			t.Errorf("issue %d had events %d to %d, of which stay %v", issue, had[0], had[len(had)-1], left)
		}
		if len(left) < len(had) && len(left) < largest-1 {
			t.Errorf("issue %d went from %d to %d, while another one keeps %d", issue, len(had), len(left), largest)
		}
	}
}

// A project of which nothing can be removed does not keep the others full.
func TestOneProjectFails(t *testing.T) {
	s := &shop{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), removed: make(map[string]int64)}
	s.db, s.replica = storetest.OpenFile(t, store.Config{Now: func() time.Time { return s.now }})
	for range 3 {
		s.project = storetest.MustCreateProject(t, s.db, "Shop", "").ID
		s.sees(fmt.Sprint("group ", s.project), 300)
	}
	storetest.MustSpoil(t, s.replica, `CREATE TRIGGER refuse BEFORE DELETE ON events WHEN OLD.project_id = 1 BEGIN SELECT RAISE(ABORT, 'refused'); END`)
	err := s.keeper(retention.Policy{Events: 100}).Round(t.Context())
	if store.KindOf(err) != store.KindConstraint {
		t.Errorf("the round says %v", err)
	}
	for project, want := range map[event.ProjectID]int{1: 300, 2: 95, 3: 95} {
		s.project = project
		if numbers, _ := s.stored(); total(numbers) != want {
			t.Errorf("project %d has %d, want %d", project, total(numbers), want)
		}
	}
}

// A project says otherwise than the installation, and back.
func TestProjectsOwnLimit(t *testing.T) {
	s := newShop(t)
	s.sees("a", 300)
	set := func(v retention.Setting) error {
		return s.db.Write(t.Context(), "test", func(tx *store.Tx) error { return tx.SetRetention(s.project, v) })
	}
	if err := set(retention.Setting{Events: new(int64(0))}); err != nil {
		t.Fatal(err)
	}
	s.keep(retention.Policy{Events: 100})
	if numbers, _ := s.stored(); total(numbers) != 300 {
		t.Errorf("the project keeps everything and has %d", total(numbers))
	}
	if err := set(retention.Setting{}); err != nil {
		t.Fatal(err)
	}
	s.keep(retention.Policy{Events: 100})
	if numbers, _ := s.stored(); total(numbers) != 95 || s.removed["count"] != 205 {
		t.Errorf("the project has %d, removed %v", total(numbers), s.removed)
	}
	for _, v := range []retention.Setting{{Days: new(int64(-1))}, {Days: new(int64(1 << 40))}, {Events: new(int64(1))}} {
		if err := set(v); err == nil {
			t.Errorf("%v can be set", v)
		}
	}
}

// An event that something refers to outlives those that are like it: one that
// reopened an issue, and one that somebody wrote about.
func TestNotedEventsStay(t *testing.T) {
	s := newShop(t)
	s.sees("a", 50)
	if err := s.db.Write(t.Context(), "test", func(tx *store.Tx) error {
		_, err := tx.Resolve([]int64{1}, triage.Resolution{}, 0)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s.sees("a", 50) // the 51st reopens it
	about := s.message("a")
	s.digest(about)
	s.sees("a", 400)
	feedback := s.message("")
	feedback.Category, feedback.Feedback = store.CategoryFeedback, &store.Feedback{FeedbackID: event.ID{9}, Feedback: event.Feedback{About: about.EventID, Message: "it broke"}}
	s.digest(feedback)
	s.keep(retention.Policy{Events: 100})
	numbers, _ := s.stored()
	for _, n := range []int64{1, 51, 101, 501} {
		if !slices.Contains(numbers[1], n) {
			t.Errorf("event %d is gone; there are %v", n, numbers[1])
		}
	}
}

// By age everything goes, first events too, with what is known from them only; an issue
// is left until it is as old again.
func TestAge(t *testing.T) {
	s := newShop(t)
	s.sees("old", 30)
	s.sees("both", 10)
	file := s.message("")
	file.Category, file.Attachment, file.EventID = store.CategoryAttachment, &store.Attachment{Name: "log.txt", SHA256: [32]byte{1}}, event.ID{7}
	feedback := s.message("")
	feedback.Category, feedback.Feedback = store.CategoryFeedback, &store.Feedback{FeedbackID: event.ID{9}, Feedback: event.Feedback{Message: "it broke"}}
	s.digest(file, feedback)
	policy := retention.Policy{Days: 30}
	s.now = s.now.AddDate(0, 0, 20)
	s.sees("both", 1)
	s.keep(policy)
	if numbers, _ := s.stored(); total(numbers) != 41 {
		t.Errorf("of 41 events stay %d", total(numbers))
	}
	s.now = s.now.AddDate(0, 0, 11)
	s.keep(policy)
	numbers, counts := s.stored()
	if diff := cmp.Diff(map[int64][]int64{1: nil, 2: {11}}, numbers); diff != "" || counts[1] != 30 || s.removed["age"] != 40 {
		t.Errorf("counts %v, removed %v, %s", counts, s.removed, diff)
	}
	storetest.MustRead(t, s.replica, func(rx *store.Rx) error {
		tags, err := rx.IssueTags(2, 10)
		if len(tags) != 1 || tags[0].Count != 1 {
			t.Errorf("tags: %v", tags)
		}
		if left, _, err := rx.ProjectFeedback(s.project, 0, 10); len(left) > 0 || err != nil {
			t.Errorf("feedback: %v, %v", left, err)
		}
		if left, err := rx.Attachments(s.project, event.ID{7}); len(left) > 0 || err != nil {
			t.Errorf("files: %v, %v", left, err)
		}
		return err
	})
	s.now = s.now.AddDate(0, 0, 30)
	s.keep(policy)
	states := make(map[int64]store.IssueState)
	storetest.MustRead(t, s.replica, func(rx *store.Rx) error {
		stocks, err := rx.IssueStocks(s.project, 1<<40, 10)
		for _, i := range stocks {
			states[i.ID] = i.State
		}
		return err
	})
	if want := map[int64]store.IssueState{1: store.StateDeleted, 2: store.StateOpen}; !maps.Equal(want, states) {
		t.Errorf("states: %v", states)
	}
}

// Events that come while others are removed are counted like all others, and what is
// interrupted the next round finishes.
func TestInterruptedWhileDigesting(t *testing.T) {
	s := newShop(t)
	for range 10 {
		s.sees("a", 100)
		s.sees("b", 20)
	}
	k := s.keeper(retention.Policy{Events: 200})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rounds := make(chan error, 1)
	go func() { rounds <- k.Round(ctx) }()
	for n := range 100 {
		s.sees("a", 2)
		if n == 50 {
			cancel()
			<-rounds
			go func() { rounds <- k.Round(t.Context()) }()
		}
	}
	if err := <-rounds; err != nil {
		t.Fatal(err)
	}
	s.keep(retention.Policy{Events: 200})
	numbers, counts := s.stored()
	if total(numbers) > 200 || counts[1] != 1200 || counts[2] != 200 {
		t.Errorf("stored %d; counts %v", total(numbers), counts)
	}
}
