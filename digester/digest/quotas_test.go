package digest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
	"sundew/schema/quota"
)

// everySecond drops every second event by its id, and keeps in mind which messages
// count.
type everySecond struct {
	mu     sync.Mutex
	counts map[event.ID]int // guarded by mu
}

func (q *everySecond) Admit(in *store.Incoming) (reason, detail string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.counts[in.EventID]++
	if in.EventID[1]%2 == 1 {
		return quota.ReasonProject, "an odd one"
	}
	return "", ""
}

func (q *everySecond) Forget(in *store.Incoming) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.counts[in.EventID]--
}

func (q *everySecond) Spike(event.ProjectID) int64 { return 5 }

// What is over a quota is dropped, of the rest what is a spike's is sampled, and a
// message counts once, whatever goes wrong and however often it is delivered.
func TestQuotas(t *testing.T) {
	refused := sqliteError(t, "", `CREATE TABLE a (b INTEGER PRIMARY KEY) STRICT`, `INSERT INTO a VALUES ('x')`)
	at := time.Now() // all in the same minute
	for name, plan := range map[string]map[string][]fault{
		"all goes well":      nil,
		"some are left":      {"digest": {{refused, false}, {refused, false}}},
		"delivered again":    {"delete": {{errors.New("the queue is down"), false}}},
		"the database waits": {"digest": {{full(t), false}, {full(t), false}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.faults.plan = plan
			count := &everySecond{counts: make(map[event.ID]int)}
			f.quotas = count
			for n := range byte(20) {
				f.sendAt(n, `{"message":"it broke"}`, at)
			}
			if err := f.run(func(h Health) bool { return f.queueEmpty() && h.Stored == 10 && h.Dropped == 10 }); err != nil {
				t.Fatal(err)
			}
			f.want(10, 0, 0)
			for id, n := range count.counts {
				if n != 1 {
					t.Errorf("event %s counts %d times", id, n)
				}
			}
			if len(count.counts) != 20 {
				t.Errorf("%d messages were asked for", len(count.counts))
			}
			storetest.MustRead(t, f.replica, func(rx *store.Rx) error {
				kept, err := rx.StoredCount(1)
				if kept != 6 { // the first five, and the eighth
					t.Errorf("%d are kept", kept)
				}
				return err
			})
			storetest.MustCheck(t, f.replica)
		})
	}
}

// What was accepted before the edge knew any keys counts towards quotas if its key turns
// out to be good, and is sampled as any other.
func TestQuotasOfUnknownKeys(t *testing.T) {
	const known, late = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	f := newFixture(t)
	f.project = storetest.MustCreateProject(t, f.db, "Shop", known).ID
	other := storetest.MustCreateProject(t, f.db, "Other", late).ID
	count := &everySecond{counts: make(map[event.ID]int)}
	f.quotas = count
	f.active = func(project event.ProjectID, key string) bool { return project == f.project && key == known }
	at := time.Now()
	for n := range byte(20) {
		f.sendBy(known, n, `{"message":"it broke"}`, at)
	}
	shop := f.project
	f.project = other
	for n := range byte(20) { // only the database knows this key yet
		f.sendBy(late, 100+n, `{"message":"it broke"}`, at)
	}
	f.project = shop
	if err := f.run(func(h Health) bool { return f.queueEmpty() && h.Stored+h.Dropped == 40 }); err != nil {
		t.Fatal(err)
	}
	if len(count.counts) != 20 {
		t.Errorf("%d messages count towards quotas, want the 20 of the key that is known", len(count.counts))
	}
	storetest.MustRead(t, f.replica, func(rx *store.Rx) error {
		for project, want := range map[event.ProjectID][2]int64{shop: {10, 6}, other: {20, 7}} {
			counted, stored, err := rx.KeptOf(project)
			if err != nil {
				return err
			}
			if got := [2]int64{counted, stored}; got != want {
				t.Errorf("of project %d %v are counted and stored, want %v", project, got, want)
			}
		}
		return nil
	})
	storetest.MustCheck(t, f.replica)
}
