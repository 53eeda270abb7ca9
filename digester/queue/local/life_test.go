package local

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/queue"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// received is what a Receive in the background came back with, and when.
type received struct {
	msgs  []queue.Message
	err   error
	after time.Duration
}

func receiveInBackground(ctx context.Context, q *Queue, wait time.Duration) <-chan received {
	result := make(chan received, 1)
	start := time.Now()
	go func() {
		msgs, err := q.Receive(ctx, 10, wait)
		result <- received{msgs, err, time.Since(start)}
	}()
	return result
}

func TestLongPoll(t *testing.T) {
	tests := map[string]struct {
		prepare func(t *testing.T, q *Queue) []queue.Message
		act     func(t *testing.T, q *Queue, got []queue.Message) // five seconds into the wait
		want    []string
		after   time.Duration
	}{
		"nothing comes": {
			after: 20 * time.Second,
		},
		"a message is sent": {
			act:   func(t *testing.T, q *Queue, _ []queue.Message) { mustSend(t, q, "a") },
			want:  []string{"a"},
			after: 5 * time.Second,
		},
		"a message becomes visible": {
			prepare: func(t *testing.T, q *Queue) []queue.Message {
				mustSend(t, q, "a")
				return mustReceive(t, q, "a")
			},
			want:  []string{"a"},
			after: 10 * time.Second,
		},
		"a message is given back": {
			prepare: func(t *testing.T, q *Queue) []queue.Message {
				mustSend(t, q, "a")
				return mustReceive(t, q, "a")
			},
			act:   func(t *testing.T, q *Queue, got []queue.Message) { mustExtend(t, q, 0, got...) },
			want:  []string{"a"},
			after: 5 * time.Second,
		},
		"a message becomes visible earlier": {
			prepare: func(t *testing.T, q *Queue) []queue.Message {
				mustSend(t, q, "a")
				return mustReceive(t, q, "a")
			},
			act:   func(t *testing.T, q *Queue, got []queue.Message) { mustExtend(t, q, 2*time.Second, got...) },
			want:  []string{"a"},
			after: 7 * time.Second,
		},
		"a message is deleted": {
			prepare: func(t *testing.T, q *Queue) []queue.Message {
				mustSend(t, q, "a")
				return mustReceive(t, q, "a")
			},
			act:   func(t *testing.T, q *Queue, got []queue.Message) { mustDelete(t, q, got...) },
			after: 20 * time.Second,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := mustOpen(t, Config{Path: newPath(t), Visibility: 10 * time.Second})
				var got []queue.Message
				if test.prepare != nil {
					got = test.prepare(t, q)
				}
				result := receiveInBackground(t.Context(), q, 20*time.Second)
				if test.act != nil {
					<-time.After(5 * time.Second)
					test.act(t, q, got)
				}
				r := <-result
				if diff := cmp.Diff(test.want, texts(t, r.msgs)); diff != "" || r.err != nil {
					t.Errorf("error %v, received (-want +got):\n%s", r.err, diff)
				}
				if r.after != test.after {
					t.Errorf("returned after %v, want %v", r.after, test.after)
				}
			})
		})
	}
}

func TestLongPollOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := mustOpen(t, Config{Path: newPath(t), Visibility: 10 * time.Second})
		first := receiveInBackground(t.Context(), q, 20*time.Second)
		second := receiveInBackground(t.Context(), q, 20*time.Second)
		synctest.Wait()
		mustSend(t, q, "a")
		one, two := <-first, <-second
		if one.after > two.after {
			one, two = two, one
		}
		if len(one.msgs) != 1 || one.after != 0 || len(two.msgs) != 1 || two.after != 10*time.Second || two.msgs[0].Receives != 2 {
			t.Errorf("received %+v at first, %+v then", one, two)
		}
	})
}

func TestLongPollEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := mustOpen(t, Config{Path: newPath(t)})
		ctx, cancel := context.WithCancel(t.Context())
		cancelled := receiveInBackground(ctx, q, time.Hour)
		closed := receiveInBackground(t.Context(), q, time.Hour)
		synctest.Wait()
		cancel()
		if r := <-cancelled; !errors.Is(r.err, context.Canceled) {
			t.Errorf("after cancel: %+v", r)
		}
		mustClose(t, q)
		if r := <-closed; !errors.Is(r.err, ErrClosed) || r.after != 0 {
			t.Errorf("after close: %+v", r)
		}
	})
}

func TestCloseFinishesPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		path := newPath(t)
		q := mustOpen(t, Config{Path: path, onCommit: g.onCommit})
		g.held.Store(true)
		var pending sync.WaitGroup
		for _, text := range []string{"a", "b", "c"} {
			pending.Go(func() { mustSend(t, q, text) })
			synctest.Wait()
		}
		pending.Go(func() { mustClose(t, q) })
		synctest.Wait()
		if err := q.Send(t.Context(), []*wire.Message{newMessage(1, "late")}); !errors.Is(err, ErrClosed) {
			t.Errorf("Send while closing = %v, want ErrClosed", err)
		}
		g.release()
		pending.Wait()
		if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
			t.Errorf("WAL of %d bytes after Close", wal.Size())
		}
		mustReceive(t, mustOpen(t, Config{Path: path}), "a", "b", "c")
	})
}

func TestCloseGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		q := mustOpen(t, Config{Path: newPath(t), onCommit: g.onCommit})
		g.held.Store(true)
		var pending sync.WaitGroup
		pending.Go(func() { mustSend(t, q, "a") })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := q.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close = %v, want DeadlineExceeded", err)
		}
		g.release()
		pending.Wait()
		<-q.done
		if err := q.release(); err != nil {
			t.Error(err)
		}
	})
}

func TestReopen(t *testing.T) {
	c := newClock()
	path := newPath(t)
	first := wire.InstanceID{1}
	q := mustOpen(t, Config{Path: path, Instance: first, MaxReceives: 2, Now: c.Now})
	mustSend(t, q, "deleted", "in flight", "dead")
	got := mustReceive(t, q, "deleted", "in flight", "dead")
	mustDelete(t, q, got[0])
	mustExtend(t, q, 0, got[2])
	mustExtend(t, q, 0, mustReceive(t, q, "dead")...)
	mustReceive(t, q)
	wantCounts(t, q, 0, 1, 1)
	mustClose(t, q)
	if err := q.Close(t.Context()); err != nil {
		t.Errorf("second Close: %v", err)
	}

	// Another run: what was in flight is visible, and keeps its count.
	q = mustOpen(t, Config{Path: path, Instance: wire.InstanceID{2}, MaxReceives: 2, Now: c.Now})
	mustSend(t, q, "new")
	again := mustReceive(t, q, "in flight", "new")
	if again[0].Receives != 2 || again[1].Receives != 1 {
		t.Errorf("receives %d, %d; want 2, 1", again[0].Receives, again[1].Receives)
	}
	wantCounts(t, q, 0, 2, 1)
	wantLanes := []Lane{{first, 1, 3}, {wire.InstanceID{2}, 1, 1}}
	if diff := cmp.Diff(wantLanes, mustStats(t, q).Lanes); diff != "" {
		t.Errorf("lanes (-want +got):\n%s", diff)
	}
	wantRefs := []Ref{{first, 1, 2, false}, {wire.InstanceID{2}, 1, 1, false}, {first, 1, 3, true}}
	if diff := cmp.Diff(wantRefs, mustList(t, q)); diff != "" {
		t.Errorf("undecided (-want +got):\n%s", diff)
	}
	mustDelete(t, q, again...)
	mustClose(t, q)

	// The same instance again goes on counting, and ids are still not reused.
	q = mustOpen(t, Config{Path: path, Instance: first, Now: c.Now})
	m := newMessage(1, "fourth")
	if err := q.Send(t.Context(), []*wire.Message{m}); err != nil || m.Seq != 4 {
		t.Errorf("Send = %v, number %d; want 4", err, m.Seq)
	}
	mustDelete(t, q, again...)
	mustReceive(t, q, "fourth")
}

func TestOneOwner(t *testing.T) {
	path := newPath(t)
	q := mustOpen(t, Config{Path: path})
	if _, err := Open(t.Context(), Config{Path: path}); !errors.Is(err, ErrInUse) {
		t.Errorf("second Open = %v, want ErrInUse", err)
	}
	mustClose(t, q)
	mustOpen(t, Config{Path: path})
}

func TestUnknownFormat(t *testing.T) {
	path := newPath(t)
	mustClose(t, mustOpen(t, Config{Path: path}))
	db, err := sql.Open("sqlite", writerDSN(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `PRAGMA user_version = 2`); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Path: path}); !errors.Is(err, ErrFormat) {
		t.Errorf("Open = %v, want ErrFormat", err)
	}
	if _, err := Inspect(t.Context(), path); !errors.Is(err, ErrFormat) {
		t.Errorf("Inspect = %v, want ErrFormat", err)
	}
}

func TestPathIsNotAnAddress(t *testing.T) {
	dir := t.TempDir() + "/a b?c#d%20e"
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	mustSend(t, mustOpen(t, Config{Path: dir + "/queue.db"}), "a")
	if _, err := os.Stat(dir + "/queue.db"); err != nil {
		t.Error(err)
	}
}

func TestInspect(t *testing.T) {
	path := newPath(t)
	q := mustOpen(t, Config{Path: path})
	var senders sync.WaitGroup
	for s := range 4 {
		senders.Go(func() {
			for range 25 {
				if err := q.Send(t.Context(), []*wire.Message{newMessage(event.ProjectID(s), "x")}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	i, err := Inspect(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	for range 20 { // each look is one moment: as many messages as the lanes say
		s, err := i.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var accepted uint64
		for _, l := range s.Lanes {
			accepted += l.High
		}
		if uint64(s.Waiting) != accepted {
			t.Errorf("%d waiting, %d accepted", s.Waiting, accepted)
		}
	}
	senders.Wait()
	mine := mustList(t, q)
	if diff := cmp.Diff(mine, mustList(t, i)); diff != "" || len(mine) != 100 {
		t.Errorf("%d undecided (-owner +inspector):\n%s", len(mine), diff)
	}
	if _, err := i.db.ExecContext(t.Context(), `DELETE FROM messages`); err == nil {
		t.Error("an inspector can write")
	}
}

// TestInventoryRuns: numbers are joined if they follow each other within an hour,
// and only then.
func TestInventoryRuns(t *testing.T) {
	c := newClock()
	first := wire.InstanceID{1}
	q := mustOpen(t, Config{Path: newPath(t), Instance: first, Now: c.Now})
	hour := c.now
	receive := func(project event.ProjectID, at time.Time) {
		m := newMessage(project, "x")
		m.ReceivedAt = at
		if err := q.Send(t.Context(), []*wire.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		receive(1, hour)
		receive(2, hour)
	}
	receive(1, hour.Add(-time.Minute)) // its body took a minute to arrive
	receive(1, time.Time{})
	msgs, err := q.Receive(t.Context(), 3, 0)
	if err != nil {
		t.Fatal(err)
	}
	mustDelete(t, q, msgs[2]) // number 2 of project 1
	inv, err := q.Inventory(t.Context())
	want := []Run{
		{first, 1, hour, 1, 1, false},
		{first, 2, hour, 1, 4, false},
		{first, 1, hour, 3, 4, false},
		{first, 1, hour.Add(-time.Hour), 5, 5, false},
		{first, 1, hour, 6, 6, false},
	}
	if diff := cmp.Diff(want, inv.Runs); diff != "" || err != nil {
		t.Errorf("runs: %v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff(mustStats(t, q).Lanes, inv.Lanes); diff != "" || !inv.Oldest.Equal(hour.Add(-time.Minute)) {
		t.Errorf("oldest %v, lanes (-stats +inventory):\n%s", inv.Oldest, diff)
	}
}

func TestInspectNothing(t *testing.T) {
	missing := newPath(t)
	empty := newPath(t)
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{missing, empty} {
		i, err := Inspect(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		stats, err := i.Stats(t.Context())
		if diff := cmp.Diff(Stats{}, stats); diff != "" || err != nil {
			t.Errorf("stats: %v (-want +got):\n%s", err, diff)
		}
		if refs := mustList(t, i); len(refs) != 0 {
			t.Errorf("undecided: %v", refs)
		}
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(missing); !os.IsNotExist(err) {
		t.Errorf("inspecting made the file: %v", err)
	}
}

// TestDurabilitySettings: they stand in an address, where a slip goes unnoticed.
func TestDurabilitySettings(t *testing.T) {
	q := mustOpen(t, Config{Path: newPath(t)})
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "busy_timeout": "5000", "journal_size_limit": "67108864"} {
		var got string
		if err := q.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", pragma, got, err, want)
		}
	}
}
