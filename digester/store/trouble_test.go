package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// openTrouble opens a database with one project, whose writer the test may spoil.
func openTrouble(t *testing.T) (*DB, *Replica, event.ProjectID) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sundew.db")
	db, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	replica, err := OpenReplica(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		problems, err := replica.Check(ctx)
		if err := errors.Join(err, replica.Close(), db.Close(ctx)); err != nil || len(problems) > 0 {
			t.Errorf("broken: %v (%v)", problems, err)
		}
	})
	var p Project
	if err := db.Write(ctx, "test", func(tx *Tx) (err error) {
		p, err = tx.CreateProject("Shop")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return db, replica, p.ID
}

func someIncoming(project event.ProjectID, seq uint64, body []byte) *Incoming {
	now := time.Now()
	return &Incoming{
		Instance: wire.InstanceID{1}, Seq: seq, Project: project, EventID: event.ID{0xe, byte(seq)},
		ReceivedAt: now, OccurredAt: now, Category: "error", Level: event.LevelError, Title: "it broke", Meta: []byte(`{}`), Body: body,
	}
}

func storedEvents(t *testing.T, r *Replica) (n int64) {
	t.Helper()
	if err := r.Read(t.Context(), func(rx *Rx) error {
		totals, err := rx.Totals()
		n = totals.StoredEvents
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// A database without room refuses an event, whole, and takes it when there is
// room: the outcome is never unknown.
func TestFullAndBack(t *testing.T) {
	db, replica, project := openTrouble(t)
	limit := func(pages int) {
		if err := db.writer.once(t.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)); err != nil {
			t.Fatal(err)
		}
	}
	big := make([]byte, 1<<20)
	limit(1) // means: not more than there are
	for range 3 {
		if _, err := db.Digest(t.Context(), someIncoming(project, 1, big)); KindOf(err) != KindFull {
			t.Fatalf("Digest returned %v, want full", err)
		}
	}
	if n := storedEvents(t, replica); n != 0 {
		t.Fatalf("%d events are stored", n)
	}
	limit(1 << 20)
	if result, err := db.Digest(t.Context(), someIncoming(project, 1, big)); result != Stored || err != nil {
		t.Errorf("Digest = %d, %v", result, err)
	}
	if err := db.Barrier(t.Context()); err != nil {
		t.Error(err)
	}
}

// Whatever runs again is the whole transaction: what the refused attempt had
// done is undone first.
func TestWholeTransactionRunsAgain(t *testing.T) {
	for _, c := range provoked {
		if !c.kind.Again() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			db, replica, _ := openTrouble(t)
			refused := c.make(t)
			attempts := 0
			err := db.Write(t.Context(), "test", func(tx *Tx) error {
				attempts++
				if _, err := tx.CreateProject(fmt.Sprintf("attempt %d", attempts)); err != nil {
					return err
				}
				if attempts < 3 {
					return refused
				}
				return nil
			})
			if err != nil || attempts != 3 {
				t.Errorf("%d attempts, %v; want 3", attempts, err)
			}
			var projects []Project
			if err := replica.Read(t.Context(), func(rx *Rx) (err error) {
				projects, err = rx.ProjectsByID()
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if len(projects) != 2 || projects[1].Name != "attempt 3" {
				t.Errorf("the attempts left %+v", projects)
			}
		})
	}
}

// Another process that keeps the lock is waited for until the deadline, and what
// could not be written was not.
func TestBusyUntilTheDeadline(t *testing.T) {
	db, replica, project := openTrouble(t)
	if err := db.writer.once(t.Context(), `PRAGMA busy_timeout = 0`); err != nil {
		t.Fatal(err)
	}
	other := scratch(t, db.path, "")
	mustExec(t, other, `BEGIN IMMEDIATE`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := db.Digest(ctx, someIncoming(project, 1, []byte("{}"))); KindOf(err) != KindBusy {
		t.Errorf("Digest returned %v, want busy", err)
	}
	if n := storedEvents(t, replica); n != 0 {
		t.Errorf("%d events are stored", n)
	}
	mustExec(t, other, `ROLLBACK`)
	if result, err := db.Digest(t.Context(), someIncoming(project, 1, []byte("{}"))); result != Stored || err != nil {
		t.Errorf("Digest = %d, %v", result, err)
	}
}
