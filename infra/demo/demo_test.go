package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sundew/digester/store"
)

// The two weeks end as they should: the checker likes them, and there are issues in
// every state, of every project.
func TestWorld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sundew.db")
	w, err := openWorld(t.Context(), path, "correct horse battery", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w.density = 0.3 // the race detector makes each event one of many milliseconds
	if err := w.live(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	replica, err := store.OpenReplica(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer replica.Close()
	problems, err := replica.Check(t.Context())
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %+v", err, problems)
	}
	states := make(map[store.IssueState]int)
	err = replica.Read(t.Context(), func(rx *store.Rx) error {
		for name, id := range w.issues {
			issue, err := rx.Issue(id)
			if err != nil {
				return err
			}
			states[issue.State]++
			if issue.Events < 2 || issue.Users < 2 {
				t.Errorf("%s has %d events of %d users", name, issue.Events, issue.Users)
			}
		}
		shop, err := rx.Issue(w.issues["browser-onerror--02"])
		if err != nil {
			return err
		}
		if !strings.HasPrefix(shop.Culprit, "src/") {
			t.Errorf("errors of the minified shop do not read as its source: %s", shop.Culprit)
		}
		back, err := rx.Issue(w.issues["go-path-error"])
		if err != nil {
			return err
		}
		history, err := rx.History(back.ID)
		regressed := false
		for _, e := range history {
			regressed = regressed || e.Kind == store.HistoryRegressed
		}
		if back.State != store.StateOpen || !regressed {
			t.Errorf("what was resolved did not come back: state %v", back.State)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if states[store.StateOpen] < 15 || states[store.StateResolved] < 2 || states[store.StateMuted] < 2 || w.events < 800 {
		t.Errorf("%d events, issues by state: %v", w.events, states)
	}
}
