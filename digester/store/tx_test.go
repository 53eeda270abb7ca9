package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

func nothing[T any](T) error { return nil }

// Transactions do not nest, whatever is inside of what.
func TestNested(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	for name, inner := range map[string]func(outer store.Rx) error{
		"a write": func(outer store.Rx) error { return db.Write(outer.Context(), "inner", nothing[*store.Tx]) },
		"a read":  func(outer store.Rx) error { return replica.Read(outer.Context(), nothing[*store.Rx]) },
	} {
		if err := db.Write(t.Context(), "outer", func(tx *store.Tx) error { return inner(tx.Rx) }); !errors.Is(err, store.ErrNested) {
			t.Errorf("%s in a write: %v", name, err)
		}
		if err := replica.Read(t.Context(), func(rx *store.Rx) error { return inner(*rx) }); !errors.Is(err, store.ErrNested) {
			t.Errorf("%s in a read: %v", name, err)
		}
	}
}

// An error rolls everything back and runs no hook; the next transaction finds
// nothing of it.
func TestRollback(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	failure := errors.New("no")
	hooks := 0
	for _, fail := range []error{failure, nil} {
		err := db.Write(t.Context(), "test", func(tx *store.Tx) error {
			tx.OnCommit(func() { hooks++ })
			if _, err := tx.CreateProject("Shop"); err != nil {
				return err
			}
			return fail
		})
		if !errors.Is(err, fail) {
			t.Errorf("Write returned %v, want %v", err, fail)
		}
	}
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		projects, err := rx.Projects()
		if len(projects) != 1 || projects[0].Slug != "shop" || hooks != 1 {
			t.Errorf("%d hooks ran; projects %+v", hooks, projects)
		}
		return err
	})
}

// Writers of one process take turns, each waits no longer than those before it
// take, and none meets a busy database.
func TestTurns(t *testing.T) {
	var mu sync.Mutex
	waits := 0
	db, _ := storetest.OpenWith(t, store.Config{Observe: func(stage store.Stage, why string, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if stage == store.StageWait && why == "turn" {
			waits++
		}
	}})
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			err := db.Write(t.Context(), "turn", func(tx *store.Tx) error {
				_, err := tx.CreateProject("Shop")
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if waits != 50 {
		t.Errorf("%d waits were observed, want 50", waits)
	}
}
