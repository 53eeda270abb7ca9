package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	sqlite3 "modernc.org/sqlite/lib"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// gate lets a test hold the committer at its COMMIT.
type gate struct {
	held    atomic.Bool
	commits atomic.Int64
	open    chan struct{}
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

func (g *gate) onCommit() (bool, error) {
	g.commits.Add(1)
	if g.held.Load() {
		<-g.open
	}
	return true, nil
}

// release lets the held commit and all later ones through.
func (g *gate) release() {
	g.held.Store(false)
	close(g.open)
}

func TestGroupCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		q := mustOpen(t, Config{Path: newPath(t), onCommit: g.onCommit})
		mustSend(t, q, "x", "y")
		got := mustReceive(t, q, "x", "y")
		g.commits.Store(0)
		g.held.Store(true)

		var pending sync.WaitGroup
		send := func(text string) { mustSend(t, q, text) }
		pending.Go(func() { send("first") })
		synctest.Wait() // its COMMIT is held: what follows has to wait together
		for i := range 40 {
			pending.Go(func() { send(fmt.Sprint(i)) })
		}
		pending.Go(func() { mustDelete(t, q, got[0]) })
		pending.Go(func() { mustExtend(t, q, time.Minute, got[1]) })
		pending.Go(func() {
			if _, err := q.Receive(t.Context(), 5, 0); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		g.release()
		pending.Wait()
		if n := g.commits.Load(); n != 2 {
			t.Errorf("%d commits, want 2: one alone, one for all that waited", n)
		}
		if s := mustStats(t, q); s.Waiting+s.InFlight != 42 {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestBatchIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		q := mustOpen(t, Config{Path: newPath(t), onCommit: g.onCommit})
		g.held.Store(true)
		var pending sync.WaitGroup
		pending.Go(func() { mustSend(t, q, "first") })
		synctest.Wait()
		half := string(make([]byte, maxBatchBytes/2))
		for range 4 {
			pending.Go(func() { mustSend(t, q, half) })
		}
		synctest.Wait()
		g.release()
		pending.Wait()
		if n := g.commits.Load(); n != 5 { // two halves and their headers are too much for one
			t.Errorf("%d commits, want 5", n)
		}
	})
}

func TestLanesHaveNoGaps(t *testing.T) {
	q := mustOpen(t, Config{Path: newPath(t)})
	const senders, rounds = 12, 20
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range rounds {
				ctx, cancel := context.WithCancel(t.Context())
				if i%3 == 0 {
					go cancel() // some give up at any moment
				}
				project := event.ProjectID(s % 3)
				msgs := []*wire.Message{newMessage(project, "a"), newMessage(project+1, "b"), newMessage(project, "c")}
				if err := q.Send(ctx, msgs); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	checkWhole(t, q)
	var total uint64
	for _, l := range mustStats(t, q).Lanes {
		total += l.High
	}
	if low := uint64(senders * 13 * 3); total < low {
		t.Errorf("%d messages accepted, want at least the %d that nobody cancelled", total, low)
	}
}

func TestCancelledSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		q := mustOpen(t, Config{Path: newPath(t), onCommit: g.onCommit})
		g.held.Store(true)
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 2)
		taken, waiting := newMessage(1, "taken"), newMessage(1, "waiting")
		go func() { results <- q.Send(ctx, []*wire.Message{taken}) }()
		synctest.Wait()
		go func() { results <- q.Send(ctx, []*wire.Message{waiting}) }()
		synctest.Wait()
		cancel()
		for range 2 {
			if err := <-results; !errors.Is(err, context.Canceled) {
				t.Errorf("Send = %v, want context.Canceled", err)
			}
		}
		g.release()
		mustSend(t, q, "after")
		mustReceive(t, q, "taken", "after") // what had not begun was withdrawn
		checkWhole(t, q)
		if taken.Seq != 0 || waiting.Seq != 0 {
			t.Errorf("numbers of unacknowledged messages: %d, %d", taken.Seq, waiting.Seq)
		}
	})
}

func TestCancelledReceiveKeepsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		q := mustOpen(t, Config{Path: newPath(t), onCommit: g.onCommit})
		mustSend(t, q, "a")
		g.held.Store(true)
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan int)
		go func() {
			msgs, err := q.Receive(ctx, 1, time.Minute)
			if err != nil {
				t.Error(err)
			}
			got <- len(msgs)
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		g.release()
		if n := <-got; n != 1 {
			t.Errorf("received %d messages: they are invisible and nobody has them", n)
		}
	})
}

func TestCommitOutcomeUnknown(t *testing.T) {
	for _, applied := range []bool{true, false} {
		t.Run(fmt.Sprintf("applied=%v", applied), func(t *testing.T) {
			broken := errors.New("input/output error")
			var fail atomic.Bool
			path := newPath(t)
			q := mustOpen(t, Config{Path: path, onCommit: func() (bool, error) {
				if fail.Load() {
					return applied, broken
				}
				return true, nil
			}})
			mustSend(t, q, "before")
			fail.Store(true)
			m := newMessage(1, "unknown")
			if err := q.Send(t.Context(), []*wire.Message{m}); !errors.Is(err, ErrStopped) || !errors.Is(err, broken) {
				t.Fatalf("Send = %v, want ErrStopped and its cause", err)
			}
			fail.Store(false)
			checkStopped(t, q)
			mustClose(t, q)

			again := mustOpen(t, Config{Path: path})
			if applied {
				mustReceive(t, again, "before", "unknown")
			} else {
				mustReceive(t, again, "before")
			}
			checkWhole(t, again)
		})
	}
}

func checkStopped(t *testing.T, q *Queue) {
	t.Helper()
	if err := q.Send(t.Context(), []*wire.Message{newMessage(1, "late")}); !errors.Is(err, ErrStopped) {
		t.Errorf("Send after stop = %v", err)
	}
	if _, err := q.Receive(t.Context(), 1, time.Hour); !errors.Is(err, ErrStopped) {
		t.Errorf("Receive after stop = %v", err)
	}
	if err := q.Delete(t.Context(), []string{"1.1"}); !errors.Is(err, ErrStopped) {
		t.Errorf("Delete after stop = %v", err)
	}
	if _, err := q.Stats(t.Context()); err != nil {
		t.Errorf("Stats after stop = %v, want it readable", err)
	}
}

// TestStopReachesAllWaiting: those whose operations had not begun when the queue
// stopped, and those who wait for messages, learn of it.
func TestStopReachesAllWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fail atomic.Bool
		entered := make(chan struct{})
		q := mustOpen(t, Config{Path: newPath(t), onCommit: func() (bool, error) {
			if fail.Load() {
				<-entered
				return false, errors.New("input/output error")
			}
			return true, nil
		}})
		results := make(chan error, 3)
		go func() {
			_, err := q.Receive(t.Context(), 1, time.Hour)
			results <- err
		}()
		synctest.Wait()
		fail.Store(true)
		for _, text := range []string{"first", "second"} {
			go func() { results <- q.Send(t.Context(), []*wire.Message{newMessage(1, text)}) }()
			synctest.Wait()
		}
		close(entered)
		for range 3 {
			if err := <-results; !errors.Is(err, ErrStopped) {
				t.Errorf("got %v, want ErrStopped", err)
			}
		}
	})
}

// codedError looks like the driver's errors, which cannot be made by hand.
type codedError int

func (e codedError) Error() string { return fmt.Sprintf("SQLite error %d", int(e)) }
func (e codedError) Code() int     { return int(e) }

// TestNoRoomAtCommit: a send fails, whole, and leaves no number behind.
func TestNoRoomAtCommit(t *testing.T) {
	for _, code := range []codedError{sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE} {
		t.Run(code.Error(), func(t *testing.T) { testNoRoomAtCommit(t, code) })
	}
}

func testNoRoomAtCommit(t *testing.T, code codedError) {
	var full atomic.Bool
	var log bytes.Buffer
	q := mustOpen(t, Config{Path: newPath(t), Log: zerolog.New(&log), onCommit: func() (bool, error) {
		if full.Load() {
			return false, code
		}
		return true, nil
	}})
	mustSend(t, q, "a")
	full.Store(true)
	msgs := []*wire.Message{newMessage(1, "b"), newMessage(2, "c")}
	err := q.Send(t.Context(), msgs)
	if err == nil || errors.Is(err, ErrStopped) {
		t.Fatalf("Send = %v, want an error that is not ErrStopped", err)
	}
	if err := q.Send(t.Context(), msgs); err == nil {
		t.Error("second Send succeeded")
	}
	if err := q.Refusing(); !isCode(err, int(code)&0xff) {
		t.Errorf("refusing because of %v", err)
	}
	checkWhole(t, q)
	full.Store(false)
	for range 2 {
		if err := q.Send(t.Context(), msgs); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Refusing(); err != nil {
		t.Errorf("still refusing because of %v", err)
	}
	mustClose(t, q)
	if lines := strings.Count(log.String(), "\n"); lines != 2 {
		t.Errorf("want one line when room ended and one when it came back, not:\n%s", &log)
	}
	q = mustOpen(t, Config{Path: q.cfg.Path})
	if msgs[0].Seq != 3 || msgs[1].Seq != 2 {
		t.Errorf("numbers %d, %d; want 3, 2", msgs[0].Seq, msgs[1].Seq)
	}
	mustReceive(t, q, "a", "b", "c", "b", "c")
	checkWhole(t, q)
}

// TestNoRoomLetsDeletesThrough: when the disk is full, deleting is what makes
// room, so it must not fail with the sends it shares a transaction with.
func TestNoRoomLetsDeletesThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		c := newClock()
		q := mustOpen(t, Config{Path: newPath(t), MaxReceives: 1, Now: c.Now, onCommit: g.onCommit})
		big := string(make([]byte, 200<<10))
		mustSend(t, q, big, "poison", "small")
		got, err := q.Receive(t.Context(), 2, 0)
		if err != nil || len(got) != 2 {
			t.Fatalf("received %d, %v", len(got), err)
		}
		c.advance(time.Hour)
		limitPages(t, q, 80)

		g.held.Store(true)
		var pending sync.WaitGroup
		inOrder := func(f func()) {
			pending.Go(f)
			synctest.Wait()
		}
		inOrder(func() { mustExtend(t, q, time.Minute, got[0]) })
		inOrder(func() { mustReceive(t, q, "small") }) // and sets poison aside
		inOrder(func() {
			if n, err := q.Redrive(t.Context(), []string{"2"}); n != 1 || err != nil {
				t.Errorf("Redrive = %d, %v; want 1", n, err)
			}
		})
		inOrder(func() {
			if err := q.Send(t.Context(), []*wire.Message{newMessage(1, big)}); !isCode(err, sqlite3.SQLITE_FULL) {
				t.Errorf("Send = %v, want SQLITE_FULL", err)
			}
		})
		inOrder(func() { mustDelete(t, q, got[0]) })
		g.release()
		pending.Wait()

		mustSend(t, q, big) // there is room again
		wantCounts(t, q, 2, 1, 0)
		checkWholeBut(t, q, 1)
	})
}

// limitPages makes the file as full as a disk would.
func limitPages(t *testing.T, q *Queue, pages int) {
	t.Helper()
	if _, err := q.conn.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count=%d", pages)); err != nil {
		t.Fatal(err)
	}
}
