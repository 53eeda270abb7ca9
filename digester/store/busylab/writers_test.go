package busylab_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sundew/digester/store"
)

// Two writers, both with BEGIN IMMEDIATE: the second gets 5 at its first
// statement, or waits if it was told to.
func TestTwoWriters(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	holder, hasty, patient := open(t, path), open(t, path, "busy_timeout(0)"), open(t, path, patience)
	holder.must("BEGIN IMMEDIATE")
	took := hasty.refused(5, "BEGIN IMMEDIATE")

	began := time.Now()
	done := start(func() error {
		_, err := patient.exec("BEGIN IMMEDIATE")
		return err
	})
	mustWait(t, "BEGIN IMMEDIATE", done, blocked)
	holder.must("COMMIT")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	t.Logf("without busy_timeout: 5 after %v; with it: waited %v for a lock held %v", round(took), round(time.Since(began)), blocked)
}

const (
	competitors = 4
	shots       = 30
)

// compete lets competitors write shots times each, as fast as they can, and
// returns how often the slowest had written when the first was done.
func compete(t *testing.T, write func(who int) error) int64 {
	t.Helper()
	var (
		done  [competitors]atomic.Int64
		once  sync.Once
		worst int64
		all   sync.WaitGroup
		ready sync.WaitGroup
	)
	ready.Add(competitors)
	for who := range competitors {
		all.Go(func() {
			ready.Done()
			ready.Wait()
			for range shots {
				if err := write(who); err != nil {
					t.Errorf("competitor %d: %v", who, err)
					return
				}
				done[who].Add(1)
			}
			once.Do(func() {
				var counts []int64
				for i := range done {
					counts = append(counts, done[i].Load())
				}
				worst = slices.Min(counts)
			})
		})
	}
	all.Wait()
	return worst
}

// SQLite's busy handler polls; it is no queue. In the model writers of one
// process queue, and get the lock in the order in which they came.
func TestModelQueueIsFair(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	var peers [competitors]*peer
	for i := range peers {
		peers[i] = open(t, path, "busy_timeout(60000)", "synchronous(normal)")
	}
	polling := compete(t, func(who int) error {
		_, err := peers[who].exec("BEGIN IMMEDIATE; UPDATE t SET n = n + 1; COMMIT")
		return err
	})
	m := openModel(t, 0)
	queued := compete(t, func(int) error { return m.db.Barrier(t.Context()) })
	if queued < shots/2 {
		t.Errorf("when the first of %d writers had written %d times, the slowest had %d times", competitors, shots, queued)
	}
	t.Logf("when the first of %d writers had written %d times, the slowest had written %d times by polling, %d times by queueing",
		competitors, shots, polling, queued)
}

// Another process holds the lock for longer than SQLite's busy_timeout. The
// whole transaction begins anew, as often as it takes.
func TestModelOutlastsAnotherProcess(t *testing.T) {
	t.Parallel()
	const long = 400 * time.Millisecond // the store's busy_timeout is 250 ms
	m := openModel(t, 0)
	other := startChild(t, roleHold, m.path)

	runs, began := 0, time.Now()
	done := start(func() error {
		return m.db.Write(t.Context(), "test", readThenWrite("Shop", func() { runs++ }))
	})
	mustWait(t, "Write", done, long)
	if n := m.projects(t); n != 0 {
		t.Errorf("a reader beside it saw %d projects, want none", n)
	}
	other.release()
	if err := <-done; err != nil || runs != 1 || m.projects(t) != 1 {
		t.Errorf("error %v, %d runs, %d projects; want one run, one project", err, runs, m.projects(t))
	}
	t.Logf("busy_timeout 250 ms, another process held the lock for %v: Write succeeded after %v", long, round(time.Since(began)))
}

// An error 5 inside of a transaction runs all of it again: what the first run
// wrote is rolled back.
func TestModelRunsTheWholeTransactionAgain(t *testing.T) {
	t.Parallel()
	m := openModel(t, 0)
	other := open(t, m.path, "busy_timeout(0)")
	runs := 0
	err := m.db.Write(t.Context(), "test", func(tx *store.Tx) error {
		runs++
		if _, err := tx.CreateProject("Shop"); err != nil || runs > 1 {
			return err
		}
		_, busy := other.exec("BEGIN IMMEDIATE")
		if codeOf(busy) != 5 {
			t.Errorf("beside a Write: %v, want 5", busy)
		}
		return busy
	})
	if err != nil || runs != 2 || m.projects(t) != 1 {
		t.Errorf("error %v, %d runs, %d projects; want two runs, one project", err, runs, m.projects(t))
	}
	t.Logf("the first run inserted a project and ended with 5; after %d runs there is %d project", runs, m.projects(t))
}

// A context does not end SQLite's own wait. And when the lock comes after all, the
// driver still returns the context's error: with the transaction begun.
func TestContextDoesNotEndBusyWait(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	holder, waiter := open(t, path), open(t, path, patience)
	holder.must("BEGIN IMMEDIATE")
	ctx, cancel := context.WithCancel(t.Context())
	began := time.Now()
	done := start(func() error {
		_, err := waiter.conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		return err
	})
	mustWait(t, "BEGIN IMMEDIATE", done, blocked)
	cancel()
	mustWait(t, "BEGIN IMMEDIATE without its context", done, 4*blocked)
	holder.must("COMMIT")
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("BEGIN IMMEDIATE: %v, want it cancelled", err)
	}
	took := time.Since(began)
	holder.refused(5, "BEGIN IMMEDIATE")
	waiter.must("ROLLBACK")
	t.Logf("cancelled after %v, BEGIN IMMEDIATE came back after %v, when the holder was done; it said that it was cancelled, and held the lock",
		blocked, round(took))
}

// In the model SQLite's own wait is short, and the context is looked at between
// two of them. BEGIN itself knows no context, so it either has the lock or not.
func TestModelWriteKeepsItsDeadline(t *testing.T) {
	t.Parallel()
	m := openModel(t, 0)
	other := open(t, m.path, patience)
	other.must("BEGIN IMMEDIATE")
	ctx, cancel := context.WithCancel(t.Context())
	done := start(func() error {
		return m.db.Write(ctx, "test", readThenWrite("Shop", func() { t.Error("the transaction ran beside another") }))
	})
	mustWait(t, "Write", done, blocked)
	cancel()
	began := time.Now()
	err := <-done
	took := time.Since(began)
	if k := store.KindOf(err); k != store.KindBusy && k != store.KindInterrupted || took > atOnce {
		t.Errorf("Write ended with %v, %v after it was cancelled; want 5 at once", err, took)
	}
	other.must("COMMIT")
	if err := m.db.Barrier(t.Context()); err != nil {
		t.Error(err)
	}
	t.Logf("the lock not released: Write gave up %v after it was cancelled", round(took))
}
