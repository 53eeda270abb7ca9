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
