package store_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
)

// A day of mixed load by the clock of the test: events, people's clicks, and
// readers that overlap, so that there never is a moment without one, the worst
// that readers can do. The WAL stays below its bound nevertheless.
func TestWALOverADay(t *testing.T) {
	now := start
	const (
		limit   = 4 << 20
		bound   = 3*limit + 2<<20 // what one batch adds
		events  = 5760            // one each fifteen seconds
		readers = 4
		held    = 240 // transactions, by each snapshot
	)
	db, replica := storetest.OpenWith(t, store.Config{Now: func() time.Time { return now }, WALLimit: limit})
	p := storetest.MustCreateProject(t, db, "Shop", "")
	var largest int64
	var cut int
	snapshots := make([]*snapshot, readers)
	for i := range events {
		now = now.Add(15 * time.Second)
		in := incoming(p.ID, uint64(i+1), fmt.Sprintf("group %d", i%40))
		in.OccurredAt, in.ReceivedAt = now, now
		mustDigest(t, db, in, store.Stored)
		if i%20 == 19 {
			if err := db.Barrier(t.Context()); err != nil {
				t.Fatal(err)
			}
			largest = max(largest, walSize(t, replica))
		}
		if i%240 == 239 { // a click an hour
			err := db.Write(t.Context(), "click", func(tx *store.Tx) error {
				_, err := tx.Resolve([]int64{int64(i%40) + 1}, triage.Resolution{}, 0)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if i%(held/readers) == 0 {
			r := i / (held / readers) % readers
			cut += snapshots[r].end(t)
			snapshots[r] = hold(t, replica)
		}
	}
	for _, s := range snapshots {
		cut += s.end(t)
	}
	if largest > bound {
		t.Errorf("the WAL grew to %d MB", largest>>20)
	}
	t.Logf("%d events, WAL at most %.1f MB, %d of %d reads cut off", events, float64(largest)/(1<<20), cut, events*readers/held)
}

// The WAL is moved once for many batches, not at each barrier: a page that many
// events change is written to the database once.
func TestCheckpointsAreRare(t *testing.T) {
	moved := 0
	db, replica := storetest.OpenFile(t, store.Config{Observe: func(stage store.Stage, _ string, _ time.Duration) {
		if stage == store.StageCheckpoint {
			moved++
		}
	}})
	p := storetest.MustCreateProject(t, db, "Shop", "")
	var largest int64
	for seq := uint64(1); seq <= 2400; seq++ {
		mustDigest(t, db, incoming(p.ID, seq, fmt.Sprintf("group %d", seq%300)), store.Stored)
		if seq%20 == 0 {
			if err := db.Barrier(t.Context()); err != nil {
				t.Fatal(err)
			}
			largest = max(largest, walSize(t, replica))
		}
	}
	if moved < 4 || moved > 6 || largest > 32<<20 {
		t.Errorf("the WAL was moved %d times and grew to %d MB", moved, largest>>20)
	}
}

// snapshot is a read under way.
type snapshot struct {
	release chan struct{}
	ended   chan error
}

// hold begins a read that keeps its snapshot until it is ended, or cut off.
func hold(t *testing.T, replica *store.Replica) *snapshot {
	s := &snapshot{make(chan struct{}), make(chan error, 1)}
	began := make(chan struct{})
	go func() {
		s.ended <- replica.Read(t.Context(), func(rx *store.Rx) error {
			_, err := rx.Totals()
			close(began)
			select {
			case <-s.release:
			case <-rx.Context().Done():
				_, err = rx.Totals()
			}
			return err
		})
	}()
	<-began
	return s
}

// end ends the read and returns 1 if it was cut off.
func (s *snapshot) end(t *testing.T) int {
	if s == nil {
		return 0
	}
	close(s.release)
	err := <-s.ended
	if errors.Is(err, store.ErrCut) {
		return 1
	}
	if err != nil {
		t.Error(err)
	}
	return 0
}

func walSize(t *testing.T, replica *store.Replica) int64 {
	t.Helper()
	info, err := os.Stat(replica.Path() + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
