package store_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
	"sundew/schema/event"
	"sundew/schema/quota"
)

// person does what people do, at random, while events come in, some of them twice.
type person struct {
	t       *testing.T
	rng     *rand.Rand
	now     time.Time
	db      *store.DB
	replica *store.Replica
	project event.ProjectID
	seq     uint64
	sent    []*store.Incoming
	flooded bool // a part of the events is over a quota or only counted
}

func newPerson(t *testing.T, seed uint64) *person {
	p := &person{t: t, rng: rand.New(rand.NewPCG(seed, 1)), now: start}
	p.db, p.replica = storetest.Open(t, func() time.Time { return p.now })
	p.project = storetest.MustCreateProject(t, p.db, "Shop", "").ID
	return p
}

// event makes an event of one of a few groups, releases and users.
func (p *person) event() *store.Incoming {
	p.seq++
	in := incoming(p.project, p.seq, fmt.Sprintf([]string{"group %d", "source %d"}[p.rng.IntN(8)/7], p.rng.IntN(8)))
	in.OccurredAt = p.now.Add(-time.Duration(p.rng.IntN(3)) * 30 * time.Minute)
	in.Release = []string{"", "shop@1.0.0", "shop@1.1.0", "shop@2.0.0", "abc", "def"}[p.rng.IntN(6)]
	in.Environment = []string{"", "production", "staging"}[p.rng.IntN(3)]
	in.User = []string{"", "ann", "bob", "cy", "dee", "eve"}[p.rng.IntN(6)]
	if p.flooded {
		in.SpikeAfter = 1 + int64(p.seq%3)
	}
	return in
}

// digest digests a new event, or one again, in the same message or another.
func (p *person) digest() {
	p.t.Helper()
	want := store.Stored
	in := p.event()
	switch again := p.rng.IntN(10); {
	case again == 0 && len(p.sent) > 0:
		p.seq--
		in, want = p.sent[p.rng.IntN(len(p.sent))], store.Redelivered
	case again == 1 && len(p.sent) > 0:
		old := *p.sent[p.rng.IntN(len(p.sent))]
		old.Seq = in.Seq
		in, want = &old, store.Duplicate
	default:
		p.sent = append(p.sent, in)
	}
	got, err := p.db.Digest(p.t.Context(), in)
	if err != nil || got != want && want != store.Duplicate || want == store.Duplicate && got == store.Redelivered {
		p.t.Fatalf("number %d: %d, %v; want %d", in.Seq, got, err, want)
	}
}

// burst digests several new events at once, which a libSQL server gets in one request.
func (p *person) burst() {
	p.t.Helper()
	var ins []*store.Incoming
	for range 2 + p.rng.IntN(8) {
		ins = append(ins, p.event())
	}
	if p.flooded {
		for _, in := range ins {
			if p.rng.IntN(2) == 0 {
				in.Drop = quota.ReasonProject
			}
		}
		ins = append(ins, p.sent[max(0, len(p.sent)-p.rng.IntN(4)):]...) // delivered again
		p.rng.Shuffle(len(ins), func(i, j int) { ins[i], ins[j] = ins[j], ins[i] })
	}
	known := len(p.sent)
	for i, o := range p.db.DigestBatch(p.t.Context(), ins) {
		want := store.Stored
		switch {
		case slices.Contains(p.sent[:known], ins[i]):
			want = store.Redelivered
		case ins[i].Drop != "":
			want = store.Dropped
		}
		p.sent = append(p.sent, ins[i])
		if o.Err != nil || o.Result != want {
			p.t.Fatalf("number %d: %d, %v", ins[i].Seq, o.Result, o.Err)
		}
	}
}

// some are a few issues, which may be merged, deleted or not there at all.
func (p *person) some() []int64 {
	ids := make([]int64, 1+p.rng.IntN(3))
	for i := range ids {
		ids[i] = 1 + p.rng.Int64N(20)
	}
	return ids
}

// act does one thing.
func (p *person) act(tx *store.Tx) error {
	ids := p.some()
	var err error
	switch p.rng.IntN(13) {
	case 0, 1:
		_, err = tx.Resolve(ids, []triage.Resolution{
			{}, {Kind: triage.ResolvedNext}, {Kind: triage.ResolvedIn, Release: "shop@1.1.0"}, {Kind: triage.ResolvedIn, Release: "def"},
		}[p.rng.IntN(4)], 0)
	case 2:
		_, err = tx.Reopen(ids, 0)
	case 3, 4:
		_, err = tx.Mute(ids, []triage.Mute{
			{Kind: triage.MuteForever}, {Kind: triage.MuteUntil, Until: p.now.Add(time.Hour)}, {Kind: triage.MuteMore, Events: 1 + p.rng.Int64N(5)},
			{Kind: triage.MuteRate, Events: 1 + p.rng.Int64N(9), Period: 10 * time.Minute}, {Kind: triage.MuteWorse},
		}[p.rng.IntN(5)], 0)
	case 5, 6:
		_, err = tx.Merge(ids[0], ids[len(ids)-1:], 0)
	case 7:
		_, err = tx.Unmerge(ids[0], p.some(), 0)
	case 8:
		_, err = tx.DeleteIssues(ids[:1], 0)
	case 9:
		_, err = tx.Restore(ids, 0)
	case 10:
		if _, err = tx.RemoveDeleted(); err == nil {
			_, err = tx.UnmuteDue()
		}
	case 11, 12:
		err = p.regroup(tx, ids[0])
	}
	if err == store.ErrNotFound {
		err = nil
	}
	return err
}

// regroup brings some of the newest events of an issue to groups of the source, of
// which there are fewer than issues; sometimes it does not get to the end.
func (p *person) regroup(tx *store.Tx, issue int64) error {
	found, _, err := tx.Events(issue, 0, 100)
	if err != nil {
		return err
	}
	var events []store.Regrouped
	unmapped := p.rng.IntN(2) * p.rng.IntN(4)
	for _, e := range slices.Backward(found) {
		if e.IssueID == issue {
			r := regrouped(e.ID, fmt.Sprintf("source %d", p.rng.IntN(4)))
			r.Mapped = p.rng.IntN(4) >= unmapped
			events = append(events, r)
		}
	}
	for range 1 + p.rng.IntN(6) {
		if more, err := tx.Regroup(issue, events); err != nil || !more {
			return err
		}
	}
	return nil
}

// Whatever people do and whatever comes in meanwhile, the books balance.
func TestTriageAtRandom(t *testing.T) {
	seeds := []uint64{25, 0, 1, 2, 3, 4, 5} // in the first, an event that is only counted once met an issue that was gone
	if testing.Short() {
		seeds = seeds[:2]
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			p := newPerson(t, seed)
			p.flooded = seed%2 == 1
			for step := range 400 {
				p.now = p.now.Add(time.Duration(p.rng.IntN(60)) * time.Second)
				if kind := p.rng.IntN(12); kind < 7 {
					p.digest()
				} else if kind == 7 {
					p.burst()
				} else if err := p.db.Write(t.Context(), "act", p.act); err != nil {
					t.Fatalf("step %d: %v", step, err)
				}
				if step%20 == 19 {
					storetest.MustCheck(t, p.replica)
				}
				if t.Failed() {
					t.Fatalf("after step %d", step)
				}
			}
		})
	}
}

// numbers are what an issue counts, apart from what people did.
type numbers struct {
	Issue    store.Issue
	Hours    []store.HourCount
	Tags     []store.TagCount
	Events   []store.Event
	Releases store.IssueReleases
}

func (p *person) numbers() map[int64]numbers {
	all := make(map[int64]numbers)
	storetest.MustRead(p.t, p.replica, func(rx *store.Rx) error {
		for id := int64(1); ; id++ {
			issue, err := rx.Issue(id)
			if err == store.ErrNotFound {
				return nil
			}
			if err != nil {
				return err
			}
			n := numbers{Issue: issue}
			hours, err := rx.IssueHours([]int64{id}, start.Add(-24*time.Hour))
			if err != nil {
				return err
			}
			n.Hours = hours[id]
			if n.Tags, err = rx.IssueTags(id, 10); err != nil {
				return err
			}
			if n.Releases, err = rx.IssueReleases(id); err != nil {
				return err
			}
			if n.Events, _, err = rx.Events(id, 0, 100); err != nil {
				return err
			}
			all[id] = n
		}
	})
	return all
}

// Merging and taking it back, with events before, meanwhile and after, leaves the
// numbers as if nobody had ever merged.
func TestUnmergeIsExact(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			merging, never := newPerson(t, seed), newPerson(t, seed)
			act := func(fn func(tx *store.Tx) ([]int64, error)) {
				t.Helper()
				if err := merging.db.Write(t.Context(), "act", func(tx *store.Tx) error {
					_, err := fn(tx)
					return err
				}); err != nil {
					t.Fatal(err)
				}
			}
			events := func() {
				for range 60 {
					merging.now, never.now = merging.now.Add(time.Second), never.now.Add(time.Second)
					merging.digest()
					never.digest()
				}
			}
			events()
			act(func(tx *store.Tx) ([]int64, error) { return tx.Merge(2, []int64{1, 3}, 0) })
			act(func(tx *store.Tx) ([]int64, error) { return tx.Merge(4, []int64{2, 5}, 0) })
			events()
			together(t, merging.numbers(), never.numbers(), 4, 1, 2, 3, 5)
			storetest.MustCheck(t, merging.replica)
			act(func(tx *store.Tx) ([]int64, error) { return tx.Unmerge(4, []int64{1, 2}, 0) })
			events()
			together(t, merging.numbers(), never.numbers(), 4, 3, 5)
			act(func(tx *store.Tx) ([]int64, error) { return tx.Unmerge(4, []int64{3, 5}, 0) })
			events()
			if diff := cmp.Diff(never.numbers(), merging.numbers()); diff != "" {
				t.Errorf("(-never merged +unmerged):\n%s", diff)
			}
		})
	}
}

// together checks the numbers of a head against those of its parts in a database
// where nobody merged them.
func together(t *testing.T, merged, apart map[int64]numbers, head int64, members ...int64) {
	t.Helper()
	got, users := merged[head], make(map[string]bool)
	var events []store.Event
	hours := make(map[time.Time]int64)
	tags := make(map[string]int64)
	for _, id := range append(members, head) {
		events = append(events, apart[id].Events...)
		for _, h := range apart[id].Hours {
			hours[h.Hour] += h.Count
		}
		for _, tag := range apart[id].Tags {
			tags[tag.Key+"="+tag.Value] += tag.Count
		}
	}
	slices.SortFunc(events, func(a, b store.Event) int { return int(b.ID - a.ID) })
	for _, e := range events {
		if e.User != "" {
			users[e.User] = true
		}
	}
	if got.Issue.Events != int64(len(events)) || got.Issue.Users != int64(len(users)) {
		t.Errorf("%d events of %d users, want %d of %d", got.Issue.Events, got.Issue.Users, len(events), len(users))
	}
	if diff := cmp.Diff(events[:min(len(events), 100)], got.Events); diff != "" {
		t.Errorf("events:\n%s", diff)
	}
	gotHours, gotTags := make(map[time.Time]int64), make(map[string]int64)
	for _, h := range got.Hours {
		gotHours[h.Hour] = h.Count
	}
	for _, tag := range got.Tags {
		gotTags[tag.Key+"="+tag.Value] = tag.Count
	}
	if !maps.Equal(hours, gotHours) || !maps.Equal(tags, gotTags) {
		t.Errorf("hours %v, want %v; tags %v, want %v", gotHours, hours, gotTags, tags)
	}
}
