package main

import (
	"context"
	"testing"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// Rules are known soon after they were set, stay while the database is away, and
// are gone when they are taken back.
func TestRuleBook(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	project := storetest.MustCreateProject(t, db, "Shop", "").ID
	b := &ruleBook{replica: replica}
	set := func(text string) {
		t.Helper()
		if err := db.Write(t.Context(), "test", func(tx *store.Tx) error { return tx.SetFingerprintRules(project, text) }); err != nil {
			t.Fatal(err)
		}
	}
	want := func(when string, n int) {
		t.Helper()
		if got := b.of(project).Len(); got != n {
			t.Errorf("%s: %d rules, want %d", when, got, n)
		}
	}
	refresh := func() {
		t.Helper()
		if err := b.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want("before the first read", 0)
	set("type:A -> a\nnot a rule\ntype:B -> b")
	refresh()
	want("set", 2)
	refresh()
	want("read again", 2)
	set("")
	away, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.refresh(away); err == nil {
		t.Error("a read that was cut off went unnoticed")
	}
	want("while the database is away", 2)
	refresh()
	want("taken back", 0)
	if n := b.of(project + 1).Len(); n != 0 {
		t.Errorf("another project: %d rules", n)
	}
}
