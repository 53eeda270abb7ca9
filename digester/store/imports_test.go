package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"sundew/digester/store"
)

// openSet opens a database whose clock is what now points to.
func openSet(t *testing.T, now *time.Time) (*store.DB, *store.Replica) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "sundew.db"), Now: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(context.WithoutCancel(t.Context())) })
	replica, err := db.OpenReplica(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { replica.Close() })
	return db, replica
}

// What was imported is known by its source, until its project is deleted.
func TestImported(t *testing.T) {
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	db, _ := openSet(t, &now)
	from := store.Imported{Source: "sentry.example.com acme", Remote: "7"}
	err := db.Write(t.Context(), "test", func(tx *store.Tx) error {
		if _, err := tx.ImportedProject(from); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("before: %v", err)
		}
		p, err := tx.CreateProject("Web shop")
		if err != nil {
			return err
		}
		if err := tx.NoteImportedProject(p.ID, from); err != nil {
			return err
		}
		if got, err := tx.ImportedProject(from); err != nil || got.ID != p.ID {
			t.Errorf("after: project %d, %v", got.ID, err)
		}
		if err := tx.NoteImportedIssue(p.ID, from); err != nil {
			return err
		}
		if err := tx.NoteImportedIssue(p.ID, from); !errors.Is(err, store.ErrTaken) {
			t.Errorf("an issue twice: %v", err)
		}
		other := store.Imported{Source: "glitchtip.example.com acme", Remote: "7"}
		for of, want := range map[store.Imported]bool{from: true, other: false} {
			if known, err := tx.ImportedIssue(p.ID, of); err != nil || known != want {
				t.Errorf("%v is known: %v, %v", of, known, err)
			}
		}
		if err := tx.DeleteProject(p.ID); err != nil {
			return err
		}
		if _, err := tx.ImportedProject(from); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of a deleted project: %v", err)
		}
		again, err := tx.CreateProject("Web shop")
		if err != nil {
			return err
		}
		if err := tx.NoteImportedProject(again.ID, from); err != nil {
			return err
		}
		if got, err := tx.ImportedProject(from); err != nil || got.ID != again.ID {
			t.Errorf("imported again: project %d, %v", got.ID, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The outbox says what waits and since when, and what was given up.
func TestMailState(t *testing.T) {
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	began := now
	db, replica := openSet(t, &now)
	mustWrite := func(fn func(tx *store.Tx) error) {
		t.Helper()
		if err := db.Write(t.Context(), "test", fn); err != nil {
			t.Fatal(err)
		}
	}
	mustHave := func(waiting int64, oldest time.Time, givenUp int64) {
		t.Helper()
		err := replica.Read(t.Context(), func(rx *store.Rx) error {
			w, o, g, err := rx.MailState()
			if w != waiting || !o.Equal(oldest) || g != givenUp {
				t.Errorf("%d wait since %v, %d given up; want %d since %v, %d", w, o, g, waiting, oldest, givenUp)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	mustHave(0, time.Time{}, 0)
	for range 3 {
		mustWrite(func(tx *store.Tx) error {
			return tx.QueueMail(store.Mail{To: "ada@example.com", Subject: "Hello", Text: "…"})
		})
		now = now.Add(time.Minute)
	}
	mustHave(3, began, 0)
	mustWrite(func(tx *store.Tx) error {
		mails, err := tx.TakeMail(2)
		if err != nil {
			return err
		}
		return errors.Join(tx.MailDone(mails[0].ID, nil, false), tx.MailDone(mails[1].ID, store.ErrInvalid, true))
	})
	mustHave(1, began.Add(2*time.Minute), 1)
}

// Reads are told with the number of their queries and whether they failed.
func TestObserveReads(t *testing.T) {
	now := time.Now()
	_, replica := openSet(t, &now)
	var told []store.ReadReport
	type key struct{}
	replica.ObserveReads(func(ctx context.Context, r store.ReadReport) {
		if ctx.Value(key{}) != "mine" {
			t.Error("it is told with another context")
		}
		told = append(told, r)
	})
	ctx := context.WithValue(t.Context(), key{}, "mine")
	if err := replica.Read(ctx, func(rx *store.Rx) error {
		_, err := rx.Projects()
		if err == nil {
			_, err = rx.Teams()
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := replica.Read(ctx, func(*store.Rx) error { return store.ErrInvalid }); !errors.Is(err, store.ErrInvalid) {
		t.Error(err)
	}
	if len(told) != 2 || told[0].Queries != 2 || told[0].Failed || !told[1].Failed || told[1].Queries != 0 {
		t.Errorf("told %+v", told)
	}
}
