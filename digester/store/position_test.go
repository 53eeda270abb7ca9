package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// Each write and each barrier is a position, one that is rolled back is none.
func TestPosition(t *testing.T) {
	now := start
	db, replica := storetest.Open(t, func() time.Time { return now })
	at := func() store.Position {
		t.Helper()
		p, err := replica.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := at()
	storetest.MustCreateProject(t, db, "Shop", "")
	now = now.Add(time.Minute)
	var position int64
	err := db.Write(t.Context(), "test", func(tx *store.Tx) error {
		position = tx.Position()
		return nil
	})
	if got := at(); err != nil || got.Number != first.Number+2 || got.Number != position || !got.At.Equal(now) {
		t.Errorf("after two writes: %+v, the second said %d, before %+v; %v", got, position, first, err)
	}
	failed := errors.New("failed")
	if err := db.Write(t.Context(), "test", func(*store.Tx) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("a write that fails: %v", err)
	}
	if err := db.Barrier(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := at(); got.Number != position+1 {
		t.Errorf("after a failure and a barrier: %d, want %d", got.Number, position+1)
	}
}

// What runs exclusively runs while no read is under way, not even one whose
// context is over, and reads wait for it.
func TestExclusively(t *testing.T) {
	_, replica := storetest.OpenFile(t, store.Config{})
	alone, err := store.OpenReplica(t.Context(), replica.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer alone.Close()
	reading, cancel := context.WithCancel(t.Context())
	inside, leave, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		_ = alone.Read(reading, func(*store.Rx) error {
			close(inside)
			<-leave
			return nil
		})
	}()
	<-inside
	cancel()
	soon, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if err := alone.Exclusively(soon, func() error { t.Error("ran beside a read"); return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("beside a read: %v", err)
	}
	close(leave)
	<-left
	err = alone.Exclusively(t.Context(), func() error {
		soon, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer stop()
		if _, err := alone.Position(soon); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a read beside it: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := alone.Position(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A store whose WAL is somebody else's leaves it alone, asks when there is enough
// of it, and asks again when it was told later or an error.
func TestCheckpointElsewhere(t *testing.T) {
	asked, later, failure := 0, true, error(nil)
	db, replica := storetest.OpenWith(t, store.Config{Checkpoint: func(context.Context) (bool, error) {
		asked++
		return later, failure
	}})
	p := storetest.MustCreateProject(t, db, "Shop", "")
	seq := uint64(0)
	write := func(n int) {
		t.Helper()
		for range n {
			seq++
			mustDigest(t, db, incoming(p.ID, seq, "a"), store.Stored)
		}
		if err := db.Barrier(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	write(100)
	if asked != 0 {
		t.Errorf("asked %d times after 100 transactions", asked)
	}
	write(450)
	if asked != 1 {
		t.Errorf("asked %d times after 550 transactions", asked)
	}
	later, failure = false, errors.New("failed")
	write(1)
	failure = nil
	write(1)
	write(1)
	if asked != 3 {
		t.Errorf("asked %d times: after later and an error again, after success not", asked)
	}
	if walSize(t, replica) == 0 {
		t.Error("the WAL was emptied")
	}
}
