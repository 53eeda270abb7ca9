package digest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sundew/digester/queue"
	"sundew/digester/queue/local"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/symbolicate"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// fixture is a real queue and a real database with faults between them and the
// digester.
type fixture struct {
	t       *testing.T
	queue   *local.Queue
	replica *store.Replica
	db      *store.DB
	project event.ProjectID
	codec   *wire.Codec
	faults  faults
	quotas  Quotas
	active  func(event.ProjectID, string) bool
}

func newFixture(t *testing.T) *fixture { return newFixtureOf(t, 3) }

// newFixtureOf says after how many deliveries a message is a dead letter.
func newFixtureOf(t *testing.T, maxReceives int) *fixture {
	return newFixtureOn(t, maxReceives, store.Config{})
}

func newFixtureOn(t *testing.T, maxReceives int, cfg store.Config) *fixture {
	db, replica := storetest.OpenWith(t, cfg)
	q, err := local.Open(t.Context(), local.Config{
		Path: filepath.Join(t.TempDir(), "queue.db"), Visibility: 150 * time.Millisecond, MaxReceives: maxReceives,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	p := storetest.MustCreateProject(t, db, "Shop", "")
	return &fixture{t: t, queue: q, replica: replica, db: db, project: p.ID, codec: wire.NewCodec()}
}

// send queues an event with a payload; n makes its id.
func (f *fixture) send(n byte, payload string) {
	f.t.Helper()
	f.sendAt(n, payload, time.Now())
}

func (f *fixture) sendAt(n byte, payload string, at time.Time) {
	f.t.Helper()
	f.sendBy("", n, payload, at)
}

// sendBy is sendAt with a key that the edge did not know.
func (f *fixture) sendBy(key string, n byte, payload string, at time.Time) {
	f.t.Helper()
	body, encoding := f.codec.Compress([]byte(payload))
	m := &wire.Message{Kind: wire.KindEvent, Encoding: encoding, Project: f.project, Key: key, EventID: event.ID{0xe, n}, ReceivedAt: at, Body: body}
	if err := f.queue.Send(f.t.Context(), []*wire.Message{m}); err != nil {
		f.t.Fatal(err)
	}
}

// faults are the failures to inject, by the name of the call: how it fails, and
// whether what was asked is done nevertheless.
type faults struct {
	mu    sync.Mutex
	calls []string
	plan  map[string][]fault // the first fault is used up by the next call

	before map[string]func() // run once, before the first call
}

type fault struct {
	err     error
	applied bool
}

// around runs a call with the next planned fault. Only what succeeded counts as
// a call.
func (f *faults) around(name string, do func() error) error {
	f.mu.Lock()
	if first := f.before[name]; first != nil {
		delete(f.before, name)
		first()
	}
	var next *fault
	if plan := f.plan[name]; len(plan) > 0 {
		next, f.plan[name] = &plan[0], plan[1:]
	}
	f.mu.Unlock()
	if next == nil || next.applied {
		if err := do(); err != nil {
			return err
		}
	}
	if next != nil {
		return next.err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, name)
	return nil
}

// The queue and the store as the digester sees them.
type (
	faultyQueue struct {
		*local.Queue
		f *faults
	}
	faultyStore struct {
		*store.DB
		f *faults
	}
)

func (q faultyQueue) Receive(ctx context.Context, max int, wait time.Duration) (messages []queue.Message, err error) {
	err = q.f.around("receive", func() error {
		messages, err = q.Queue.Receive(ctx, max, wait)
		return err
	})
	if err != nil {
		return nil, err
	}
	return messages, nil
}

func (q faultyQueue) Extend(ctx context.Context, receipts []string, d time.Duration) error {
	return q.f.around("extend", func() error { return q.Queue.Extend(ctx, receipts, d) })
}

func (q faultyQueue) Delete(ctx context.Context, receipts []string) error {
	return q.f.around("delete", func() error { return q.Queue.Delete(ctx, receipts) })
}

// DigestBatch has a call for each message, so that each can fail.
func (s faultyStore) DigestBatch(ctx context.Context, ins []*store.Incoming) []store.Outcome {
	outcomes := make([]store.Outcome, len(ins))
	for i, in := range ins {
		o := &outcomes[i]
		o.Err = s.f.around("digest", func() (err error) {
			o.Result, err = s.DB.Digest(ctx, in)
			return err
		})
		if kind := store.KindOf(o.Err); kind.Holds() || kind == store.KindUnknown {
			for j := range outcomes[i+1:] {
				outcomes[i+1+j].Err = o.Err
			}
			break
		}
	}
	return outcomes
}

func (s faultyStore) Barrier(ctx context.Context) error {
	return s.f.around("barrier", func() error { return s.DB.Barrier(ctx) })
}

// run digests until ok says so, and returns what Run returned.
func (f *fixture) run(ok func(Health) bool) error {
	f.t.Helper()
	d, err := New(Config{Queue: faultyQueue{f.queue, &f.faults}, Store: faultyStore{f.db, &f.faults}, Quotas: f.quotas, Active: f.active, Wait: 50 * time.Millisecond, HoldFor: 150 * time.Millisecond})
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case err := <-ended:
			if ctx.Err() != nil {
				f.t.Errorf("waited in vain; health %+v", d.Health())
			}
			return err
		case <-every.C:
			if ok(d.Health()) {
				cancel()
				return <-ended
			}
		}
	}
}

// want checks what is stored and what is left in the queue.
func (f *fixture) want(stored, queued, dead int64) {
	f.t.Helper()
	storetest.MustRead(f.t, f.replica, func(rx *store.Rx) error {
		totals, err := rx.Totals()
		if totals.StoredEvents != stored {
			f.t.Errorf("%d events are stored, want %d", totals.StoredEvents, stored)
		}
		return err
	})
	stats, err := f.queue.Stats(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	if got := stats.Waiting + stats.InFlight; got != queued || stats.Dead != dead {
		f.t.Errorf("the queue has %d messages and %d dead letters, want %d and %d", got, stats.Dead, queued, dead)
	}
}

func (f *fixture) queueEmpty() bool {
	stats, err := f.queue.Stats(f.t.Context())
	return err == nil && stats.Waiting+stats.InFlight+stats.Dead == 0
}

func stored(n int64) func(Health) bool { return func(h Health) bool { return h.Stored >= n } }

func TestRun(t *testing.T) {
	f := newFixture(t)
	for n := range byte(20) {
		f.send(n, fmt.Sprintf(`{"message":"it broke","tags":{"n":"%d"}}`, n))
	}
	f.send(3, `{"message":"sent twice"}`)
	if err := f.run(func(h Health) bool { return h.Stored+h.Duplicate == 21 }); err != nil {
		t.Fatal(err)
	}
	f.want(20, 0, 0)
}

// Guarantee 4: a poison message never takes its neighbours with it.
func TestPoison(t *testing.T) {
	f := newFixture(t)
	f.send(1, `{"message":"before"}`)
	f.send(2, `[this is no JSON`)
	m := &wire.Message{Kind: 77, Project: f.project, EventID: event.ID{1}, ReceivedAt: time.Now()}
	if err := f.queue.Send(t.Context(), []*wire.Message{m}); err != nil {
		t.Fatal(err)
	}
	f.send(3, `{"message":"after"}`)
	// The unknown kind is left three times, then it is a dead letter.
	err := f.run(func(h Health) bool {
		stats, err := f.queue.Stats(t.Context())
		return err == nil && stats.Dead == 1
	})
	if err != nil {
		t.Fatal(err)
	}
	f.want(2, 0, 1)
	storetest.MustRead(t, f.replica, func(rx *store.Rx) error {
		outcomes, err := rx.Outcomes()
		for _, o := range outcomes {
			if o.Outcome == "dropped" && (o.Reason != "bad_json" || o.Quantity != 1) {
				t.Errorf("dropped %+v", o)
			}
		}
		return err
	})
}

// A message's key reaches the one who judges it.
func TestKey(t *testing.T) {
	f := newFixture(t)
	var known string
	storetest.MustRead(t, f.replica, func(rx *store.Rx) error {
		p, err := rx.Project(f.project)
		known = p.Keys[0]
		return err
	})
	body, encoding := f.codec.Compress([]byte(`{"message":"it broke"}`))
	for n, key := range []string{"", known, "00000000000000000000000000000000"} {
		m := &wire.Message{
			Kind: wire.KindEvent, Encoding: encoding, Project: f.project, EventID: event.ID{byte(n)}, ReceivedAt: time.Now(), Key: key, Body: body,
		}
		if err := f.queue.Send(t.Context(), []*wire.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.run(func(h Health) bool { return h.Stored == 2 && h.Dropped == 1 }); err != nil {
		t.Fatal(err)
	}
	f.want(2, 0, 0)
}

func TestPanicIsAnError(t *testing.T) {
	f := newFixture(t)
	body, encoding := f.codec.Compress([]byte(`{}`))
	m := &wire.Message{Kind: wire.KindEvent, Encoding: encoding, Body: body}
	if _, err := (&preparer{}).prepareSafely(t.Context(), m.Encode(nil)); err == nil {
		t.Error("a panic went unnoticed")
	}
}

// brokenMaps makes whoever asks it panic.
type brokenMaps struct{}

func (brokenMaps) Find(context.Context, event.ProjectID, []symbolicate.Ref) (map[symbolicate.Ref]symbolicate.Script, error) {
	panic("a map")
}

// An event is not lost because of the maps that somebody uploaded.
func TestPanicOverMaps(t *testing.T) {
	p := newPreparer(Config{Scripts: brokenMaps{}})
	body, encoding := p.codec.Compress([]byte(`{"platform":"javascript","release":"1","exception":{"values":[{"type":"Error","stacktrace":{"frames":[
		{"filename":"https://example.com/app.js","lineno":1,"colno":2}]}}]}}`))
	m := &wire.Message{Kind: wire.KindEvent, Encoding: encoding, Project: 1, EventID: event.ID{1}, ReceivedAt: time.Now(), Body: body}
	ready, err := p.prepareSafely(t.Context(), m.Encode(nil))
	if err != nil {
		t.Fatal(err)
	}
	if ready.in.Title != "Error" || ready.in.Drop != "" {
		t.Errorf("title %q, dropped %q", ready.in.Title, ready.in.Drop)
	}
}

// Every failure of every call, with what was asked done and not done: no event
// is lost, none is counted twice.
func TestFailures(t *testing.T) {
	passing := context.DeadlineExceeded // what a database that does not answer in time looks like
	for _, call := range []string{"receive", "digest", "barrier", "delete"} {
		for _, applied := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s applied=%v", call, applied), func(t *testing.T) {
				f := newFixture(t)
				f.faults.plan = map[string][]fault{call: {{passing, applied}, {passing, applied}}}
				for n := range byte(5) {
					f.send(n, `{"message":"it broke"}`)
				}
				err := f.run(func(Health) bool { return f.queueEmpty() })
				if err != nil {
					t.Fatal(err)
				}
				f.want(5, 0, 0)
			})
		}
	}
}

// A commit whose outcome is unknown ends the process; the next one finds out.
func TestCommitUnknown(t *testing.T) {
	for _, applied := range []bool{false, true} {
		t.Run(fmt.Sprintf("applied=%v", applied), func(t *testing.T) {
			f := newFixture(t)
			f.faults.plan = map[string][]fault{"digest": {{store.ErrCommitUnknown, applied}}}
			for n := range byte(3) {
				f.send(n, `{"message":"it broke"}`)
			}
			if err := f.run(func(Health) bool { return false }); !errors.Is(err, store.ErrCommitUnknown) {
				t.Fatalf("Run returned %v", err)
			}
			err := f.run(func(Health) bool { return f.queueEmpty() })
			if err != nil {
				t.Fatal(err)
			}
			f.want(3, 0, 0)
		})
	}
}

// Guarantee 2: nothing is deleted that a barrier has not covered.
func TestBarrierBeforeDelete(t *testing.T) {
	f := newFixture(t)
	f.faults.plan = map[string][]fault{"barrier": {{context.DeadlineExceeded, false}}}
	for n := range byte(10) {
		f.send(n, `{"message":"it broke"}`)
	}
	if err := f.run(stored(10)); err != nil {
		t.Fatal(err)
	}
	covered := true
	for _, call := range f.faults.calls {
		switch call {
		case "digest":
			covered = false
		case "barrier":
			covered = true
		case "delete":
			if !covered {
				t.Fatalf("deleted before the barrier: %v", f.faults.calls)
			}
		}
	}
}

func TestOccurredAt(t *testing.T) {
	received := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name                string
		claimed, sent, want time.Time
	}{
		{"no time", time.Time{}, time.Time{}, received},
		{"a second ago", received.Add(-time.Second), time.Time{}, received.Add(-time.Second)},
		{"clocks agree", received.Add(-time.Hour), received.Add(-time.Second), received.Add(-time.Hour)},
		{"the client's clock is a day behind", received.Add(-25 * time.Hour), received.Add(-24 * time.Hour), received.Add(-time.Hour)},
		{"the client's clock is a year ahead", received.AddDate(1, 0, 0), received.AddDate(1, 0, 0).Add(time.Minute), received.Add(-time.Minute)},
		{"the future", received.Add(time.Hour), time.Time{}, received},
		{"long ago", received.AddDate(-1, 0, 0), time.Time{}, received},
	} {
		if got := occurredAt(c.claimed, c.sent, received); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
