package main

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/store/sandbox"
)

// TestStatements: this program runs people's statements in processes of its own.
func TestStatements(t *testing.T) {
	cfg := Config{Data: t.TempDir()}
	db, err := store.Open(t.Context(), store.Config{Path: cfg.databasePath()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	if err := db.Write(t.Context(), "test", func(tx *store.Tx) error { _, err := tx.CreateProject("Shop"); return err }); err != nil {
		t.Fatal(err)
	}
	replica, err := db.OpenReplica(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer replica.Close()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	askBy(replica, program)
	owner := access.Person{ID: 1, Role: access.Owner}
	got, err := replica.Ask(t.Context(), owner, "SELECT slug FROM projects", 0)
	if diff := cmp.Diff([][]sandbox.Value{{"shop"}}, got.Rows); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
	// Its 2^30 parts have to be made before the first is looked at.
	deep := "SELECT slug AS s FROM projects"
	for range 30 {
		deep = "SELECT s || s AS s FROM (" + deep + ")"
	}
	if _, err := replica.Ask(t.Context(), owner, deep, 0); !errors.Is(err, sandbox.ErrTooMuch) && !errors.Is(err, sandbox.ErrTime) {
		t.Errorf("without end: %v", err)
	}
	askBy(replica, cfg.databasePath())
	if _, err := replica.Ask(t.Context(), owner, "SELECT 1", 0); err == nil {
		t.Error("a program that is none answers")
	}
}
