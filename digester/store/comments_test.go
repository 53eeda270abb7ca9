package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
)

func TestAssignAndComment(t *testing.T) {
	p := newPerson(t, 1)
	p.sees("a", "", "", "")
	p.sees("b", "", "", "")
	var ann, bob int64
	p.do(func(tx *store.Tx) ([]int64, error) {
		a, errA := tx.CreateUser("ann@example.com", "ann", "", access.Member)
		b, errB := tx.CreateUser("bob@example.com", "bob", "", access.Member)
		ann, bob = a.ID, b.ID
		return nil, errors.Join(errA, errB)
	})
	if got := p.do(func(tx *store.Tx) ([]int64, error) { return tx.Assign([]int64{1, 2}, store.Assignee{User: ann}, bob) }); len(got) != 2 {
		t.Errorf("assigned %v", got)
	}
	if got := p.do(func(tx *store.Tx) ([]int64, error) { return tx.Assign([]int64{1, 2}, store.Assignee{User: ann}, bob) }); len(got) != 0 {
		t.Errorf("assigned again %v", got)
	}
	if got := p.issue(2).Assignee; got != (store.Assignee{User: ann}) {
		t.Errorf("assignee %+v", got)
	}
	var comment int64
	p.do(func(tx *store.Tx) (_ []int64, err error) {
		comment, err = tx.Comment(1, " look at **this**\r\n ", ann)
		return nil, err
	})
	for name, fn := range map[string]func(tx *store.Tx) error{
		"another's":       func(tx *store.Tx) error { return tx.EditComment(1, comment, "x", bob) },
		"another issue's": func(tx *store.Tx) error { return tx.EditComment(2, comment, "x", ann) },
		"no comment":      func(tx *store.Tx) error { return tx.DeleteComment(1, 1, ann) },
		"another's, gone": func(tx *store.Tx) error { return tx.DeleteComment(1, comment, bob) },
		"no such issue":   func(tx *store.Tx) error { _, err := tx.Comment(77, "x", ann); return err },
	} {
		if err := p.db.Write(t.Context(), "test", fn); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, fn := range map[string]func(tx *store.Tx) error{
		"empty":    func(tx *store.Tx) error { _, err := tx.Comment(1, " \n", ann); return err },
		"too long": func(tx *store.Tx) error { _, err := tx.Comment(1, strings.Repeat("x", 10_001), ann); return err },
		"nobody":   func(tx *store.Tx) error { _, err := tx.Assign([]int64{1}, store.Assignee{User: 77}, ann); return err },
		"no team":  func(tx *store.Tx) error { _, err := tx.Assign([]int64{1}, store.Assignee{Team: 77}, ann); return err },
		"too many": func(tx *store.Tx) error { _, err := tx.Reopen(make([]int64, 101), ann); return err },
		"no release": func(tx *store.Tx) error {
			_, err := tx.Resolve([]int64{1}, triage.Resolution{Kind: triage.ResolvedIn}, ann)
			return err
		},
		"no silence": func(tx *store.Tx) error { _, err := tx.Mute([]int64{1}, triage.Mute{}, ann); return err },
	} {
		if err := p.db.Write(t.Context(), "test", fn); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.do(func(tx *store.Tx) ([]int64, error) { return nil, tx.EditComment(1, comment, "look at that", ann) })
	var said store.HistoryEntry
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		entries, err := rx.History(1)
		last := entries[len(entries)-1]
		said = last
		if last.Kind != store.HistoryComment || last.Detail.Text != "look at that" || last.Detail.Edited == 0 || last.User != ann || last.Name != "ann" {
			t.Errorf("comment %+v", last)
		}
		return err
	})
	removed := func(tx *store.Tx) ([]int64, error) { return nil, tx.RemoveComments() }
	p.do(func(tx *store.Tx) ([]int64, error) { return nil, tx.DeleteComment(1, comment, ann) })
	p.do(removed)
	p.now = p.now.Add(store.DeletionUndo - time.Second)
	if err := p.db.Write(t.Context(), "test", func(tx *store.Tx) error { return tx.RestoreComment(1, comment, bob) }); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another's is restored: %v", err)
	}
	p.do(func(tx *store.Tx) ([]int64, error) { return nil, tx.RestoreComment(1, comment, ann) })
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		entries, err := rx.History(1)
		if diff := cmp.Diff(said, entries[len(entries)-1]); diff != "" {
			t.Errorf("restored (-want +got):\n%s", diff)
		}
		return err
	})
	p.do(func(tx *store.Tx) ([]int64, error) { return nil, tx.DeleteComment(1, comment, ann) })
	p.now = p.now.Add(store.DeletionUndo)
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		due, err := rx.Chores(p.now)
		if want := (store.Chores{Forget: true}); due != want {
			t.Errorf("due is %+v, want %+v", due, want)
		}
		return err
	})
	p.do(removed)
	if got := p.kinds(1); got != "created assigned" {
		t.Errorf("history: %s", got)
	}
}
