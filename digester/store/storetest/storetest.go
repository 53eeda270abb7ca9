// Package storetest opens real databases for tests.
//
// It exists so that no test needs a substitute for the store, and so that every
// one that wrote something ends with the checker.
package storetest

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"sundew/digester/store"
)

// Open opens a new database and a replica of it, and closes both when the test
// ends, after checking every invariant. now is the clock, nil for the real one.
func Open(t testing.TB, now func() time.Time) (*store.DB, *store.Replica) {
	t.Helper()
	return OpenWith(t, store.Config{Now: now})
}

// OpenWith is Open with more to say than the clock. The path is always a new one.
func OpenWith(t testing.TB, cfg store.Config) (*store.DB, *store.Replica) {
	t.Helper()
	cfg.Path = filepath.Join(t.TempDir(), "sundew.db")
	begin(t, cfg.Path)
	db, err := open(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return watched(t, db)
}

// OpenFile is OpenWith for tests of what only a file has.
func OpenFile(t testing.TB, cfg store.Config) (*store.DB, *store.Replica) {
	t.Helper()
	cfg.Path = filepath.Join(t.TempDir(), "sundew.db")
	begin(t, cfg.Path)
	return openAt(t, cfg)
}

func openAt(t testing.TB, cfg store.Config) (*store.DB, *store.Replica) {
	t.Helper()
	db, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return watched(t, db)
}

// watched opens a replica, and sees to the end of both.
func watched(t testing.TB, db *store.DB) (*store.DB, *store.Replica) {
	t.Helper()
	replica, err := db.OpenReplica(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	t.Cleanup(func() {
		MustCheck(t, replica)
		if err := replica.Close(); err != nil {
			t.Error(err)
		}
		// A test may have made an fsync fail, and then there is no closing.
		if err := db.Close(context.WithoutCancel(ctx)); err != nil && !errors.Is(err, store.ErrCommitUnknown) {
			t.Error(err)
		}
	})
	return db, replica
}

// MustCheck fails the test for every broken invariant.
func MustCheck(t testing.TB, replica *store.Replica) {
	t.Helper()
	problems, err := replica.Check(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Error(err)
	}
	for _, p := range problems {
		t.Errorf("broken: %s: %s", p.Invariant, p.Detail)
	}
}

// MustCreateProject makes a project.
func MustCreateProject(t testing.TB, db *store.DB, name, key string) store.Project {
	t.Helper()
	var p store.Project
	err := db.Write(t.Context(), "test", func(tx *store.Tx) (err error) {
		p, err = tx.CreateProjectWithKey(name, key)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// MustRead runs a read transaction.
func MustRead(t testing.TB, replica *store.Replica, fn func(rx *store.Rx) error) {
	t.Helper()
	if err := replica.Read(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// MustSpoil changes a database that OpenFile opened, behind the program's back.
func MustSpoil(t testing.TB, replica *store.Replica, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+replica.Path()+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), statement)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}
