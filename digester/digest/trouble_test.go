package digest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sundew/digester/queue/local"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// sqliteError returns an error that SQLite itself made.
func sqliteError(t *testing.T, params, setUp, failing string) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scratch.db")
	for _, open := range []struct{ params, statement string }{{"", setUp}, {params, failing}} {
		db, err := sql.Open("sqlite", "file:"+path+"?"+open.params)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err = db.ExecContext(t.Context(), open.statement); err != nil {
			return err
		}
	}
	t.Fatalf("%q did not fail", failing)
	return nil
}

func full(t *testing.T) error {
	return sqliteError(t, "_pragma=max_page_count(4)", `CREATE TABLE a (b BLOB)`, `INSERT INTO a VALUES (zeroblob(100000))`)
}

func readOnly(t *testing.T) error {
	return sqliteError(t, "mode=ro", `CREATE TABLE a (b BLOB)`, `DELETE FROM a`)
}

// What a database reports that takes no writes, several times in a row, with
// what was asked done and not done: digesting is held, the health says why,
// and then nothing is lost, given up or counted twice.
func TestHeld(t *testing.T) {
	for _, c := range []struct {
		name string
		kind store.Kind
		make func(*testing.T) error
	}{
		{"full", store.KindFull, full},
		{"read-only", store.KindReadOnly, readOnly},
	} {
		for _, call := range []string{"digest", "barrier"} {
			for _, applied := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s applied=%v", c.name, call, applied), func(t *testing.T) {
					t.Parallel()
					f := newFixture(t)
					err := c.make(t)
					f.faults.plan = map[string][]fault{call: slices.Repeat([]fault{{err, applied}}, 3)}
					for n := range byte(5) {
						f.send(n, `{"message":"it broke"}`)
					}
					told := false
					if err := f.run(func(h Health) bool {
						told = told || store.KindOf(h.Problem) == c.kind
						return f.queueEmpty() && h.Problem == nil
					}); err != nil {
						t.Fatal(err)
					}
					if !told {
						t.Error("the health did not tell")
					}
					f.want(5, 0, 0)
				})
			}
		}
	}
}

// A message that the database cannot take is left, and takes nobody with it, also
// while the process is being stopped.
func TestRefusedMessage(t *testing.T) {
	f := newFixture(t)
	refused := sqliteError(t, "", `CREATE TABLE a (b INTEGER PRIMARY KEY) STRICT`, `INSERT INTO a VALUES ('x')`)
	f.faults.plan = map[string][]fault{"digest": {{refused, false}}}
	for n := range byte(3) {
		f.send(n, `{"message":"it broke"}`)
	}
	if err := f.run(func(h Health) bool { return h.Left == 1 && h.Stored == 2 && h.Problem == nil }); err != nil {
		t.Fatal(err)
	}
	if err := f.run(func(Health) bool { return f.queueEmpty() }); err != nil {
		t.Fatal(err)
	}
	f.want(3, 0, 0)
}

// A queue that does not answer for long is reported, asked again, and forgiven.
func TestReceiveFailsForLong(t *testing.T) {
	for _, applied := range []bool{false, true} {
		t.Run(fmt.Sprintf("applied=%v", applied), func(t *testing.T) {
			t.Parallel()
			f := newFixtureOf(t, 100)
			down := errors.New("the queue is down")
			f.faults.plan = map[string][]fault{"receive": slices.Repeat([]fault{{down, applied}}, 5)}
			for n := range byte(5) {
				f.send(n, `{"message":"it broke"}`)
			}
			told := false
			if err := f.run(func(h Health) bool {
				told = told || errors.Is(h.Problem, down)
				return f.queueEmpty() && h.Problem == nil
			}); err != nil {
				t.Fatal(err)
			}
			if !told {
				t.Error("the health did not tell")
			}
			f.want(5, 0, 0)
		})
	}
}

// A batch that takes long and cannot be kept invisible is delivered again while
// it is worked on: every event is stored once all the same.
func TestExtendFails(t *testing.T) {
	for _, applied := range []bool{false, true} {
		t.Run(fmt.Sprintf("applied=%v", applied), func(t *testing.T) {
			t.Parallel()
			f := newFixtureOf(t, 100)
			down := errors.New("the queue is down")
			slow := slices.Repeat([]fault{{full(t), false}}, 3) // 0.7 s, several times the visibility
			f.faults.plan = map[string][]fault{"extend": slices.Repeat([]fault{{down, applied}}, 1000), "barrier": slow}
			for n := range byte(5) {
				f.send(n, `{"message":"it broke"}`)
			}
			if err := f.run(func(h Health) bool {
				return f.queueEmpty() && h.Stored == 5 && (applied || h.Redelivered > 0)
			}); err != nil {
				t.Fatal(err)
			}
			f.want(5, 0, 0)
		})
	}
}

// memoryStore stores nothing and notes when it was asked to.
type memoryStore struct{ at chan time.Time }

func (s memoryStore) DigestBatch(_ context.Context, ins []*store.Incoming) []store.Outcome {
	outcomes := make([]store.Outcome, len(ins))
	for i := range outcomes {
		s.at <- time.Now()
		outcomes[i].Result = store.Stored
	}
	return outcomes
}

func (s memoryStore) Barrier(context.Context) error { return nil }

// A batch closes when nothing more is there: a lone event is committed at the
// very moment in which it is sent, by a clock that stands still while anything
// is being done.
func TestLoneEventDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, err := local.Open(t.Context(), local.Config{Path: filepath.Join(t.TempDir(), "queue.db")})
		if err != nil {
			t.Fatal(err)
		}
		s := memoryStore{at: make(chan time.Time, 1)}
		d, err := New(Config{Queue: q, Store: s, BatchSize: 256, Wait: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		for n := range byte(3) {
			synctest.Wait() // the digester waits for messages
			sent := time.Now()
			m := &wire.Message{Kind: wire.KindEvent, Project: 1, EventID: event.ID{n}, ReceivedAt: sent, Body: []byte(`{}`)}
			if err := q.Send(t.Context(), []*wire.Message{m}); err != nil {
				t.Fatal(err)
			}
			if waited := (<-s.at).Sub(sent); waited > 0 {
				t.Errorf("event %d waited %v for others", n, waited)
			}
		}
		stop()
		if err := errors.Join(<-ended, q.Close(context.WithoutCancel(t.Context()))); err != nil {
			t.Error(err)
		}
	})
}

// putOffQueue notes for how long messages are put off.
type putOffQueue struct {
	*local.Queue
	mu    sync.Mutex
	waits []time.Duration
}

func (q *putOffQueue) Extend(ctx context.Context, receipts []string, d time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waits = append(q.waits, d)
	return q.Queue.Extend(ctx, receipts, d)
}

// A message that is left comes back after a pause that grows.
func TestLeftIsPutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, err := local.Open(t.Context(), local.Config{Path: filepath.Join(t.TempDir(), "queue.db"), MaxReceives: 4})
		if err != nil {
			t.Fatal(err)
		}
		q := &putOffQueue{Queue: inner}
		d, err := New(Config{Queue: q, Store: memoryStore{at: make(chan time.Time, 1)}, Wait: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		m := &wire.Message{Kind: 77, Project: 1, ReceivedAt: time.Now()}
		if err := q.Send(t.Context(), []*wire.Message{m}); err != nil {
			t.Fatal(err)
		}
		<-time.After(10 * time.Minute)
		stop()
		if err := errors.Join(<-ended, q.Close(context.WithoutCancel(t.Context()))); err != nil {
			t.Error(err)
		}
		if want := []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute}; !slices.Equal(q.waits, want) {
			t.Errorf("put off for %v, want %v", q.waits, want)
		}
		if d.Health().Left != 4 {
			t.Errorf("left %d times", d.Health().Left)
		}
	})
}
