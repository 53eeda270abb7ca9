package dashboard

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/event"
	"sundew/schema/event/eventtest"
)

// TestCrumbFilters offers the kinds that there are, and lets through what was
// chosen.
func TestCrumbFilters(t *testing.T) {
	crumbs := []event.Breadcrumb{
		{Category: "http", Level: event.LevelInfo}, {Category: "console", Level: event.LevelWarning, Message: "late"},
		{Category: "http", Level: event.LevelError}, {Type: "navigation"}, {Category: "http"},
	}
	for _, test := range []struct {
		filter string
		want   int
		chosen string
	}{{"", 5, "All"}, {"notable", 2, "Warnings and errors"}, {"kind:http", 3, "http"}, {"kind:navigation", 1, "navigation"}, {"kind:gone", 5, "All"}, {"x", 5, "All"}} {
		view := newBudget().breadcrumbs(crumbs, test.filter)
		if len(view.Rows) != test.want {
			t.Errorf("%q: %d rows, want %d", test.filter, len(view.Rows), test.want)
		}
		var texts []string
		chosen := ""
		for _, f := range view.Filters {
			texts = append(texts, fmt.Sprintf("%s %d", f.Text, f.Count))
			if f.Current {
				chosen += f.Text
			}
		}
		if diff := cmp.Diff([]string{"All 5", "Warnings and errors 2", "http 3", "navigation 1", "console 1"}, texts); diff != "" {
			t.Error(diff)
		}
		if chosen != test.chosen {
			t.Errorf("%q: %q is chosen", test.filter, chosen)
		}
	}
	if view := newBudget().breadcrumbs(crumbs[:1], ""); view.Filters != nil || len(view.Rows) != 1 {
		t.Errorf("one crumb: %+v", view)
	}
	if newBudget().breadcrumbs(nil, "") != nil {
		t.Error("no crumbs have a section")
	}
}

// TestEventOptions follows the links by which a reader chooses how to see an
// event: each keeps the other choice.
func TestEventOptions(t *testing.T) {
	s := newSite(t, nil)
	s.digest(find(t, eventtest.Captured(t), "node-scope-full--02"), testNow)
	mustContain(t, s.mustGet("/issues/1"), `href="/issues/1/events/1?crumbs=kind%3Axhr#breadcrumbs"`, `href="/issues/1/events/1?frames=oldest#stack"`, "data-crumb-filters")
	page := s.mustGet("/issues/1/events/1?crumbs=kind%3Axhr&frames=oldest")
	mustContain(t, page, `data-kind="xhr"`, `href="/issues/1/events/1?crumbs=kind%3Aauth&amp;frames=oldest#breadcrumbs"`,
		`href="/issues/1/events/1?crumbs=kind%3Axhr#stack"`, `href="/issues/1/events/1?frames=oldest#breadcrumbs"`)
	mustLack(t, page, `data-kind="auth"`, "data-crumb-filters")
}

// TestThreads puts those that matter on top and folds the many.
func TestThreads(t *testing.T) {
	calls := &event.Stacktrace{Frames: []event.Frame{{Function: "f"}}}
	ev := &event.Event{Threads: []event.Thread{{Name: "idle"}, {Name: "worker", Stacktrace: calls}, {Name: "current", Current: true}, {Name: "crashed", Crashed: true, Stacktrace: calls}}}
	for range 20 {
		ev.Threads = append(ev.Threads, event.Thread{Name: "more"})
	}
	describe := func() (names []string) {
		views := newBudget().threads(ev, newestFirst)
		for _, v := range views.Shown()[:4] {
			names = append(names, fmt.Sprintf("%s open=%v above=%v", v.Name, v.Open, v.Above))
		}
		return append(names, fmt.Sprint(len(views.Shown()), " and ", len(views.Folded())))
	}
	want := []string{"crashed open=true above=false", "current open=true above=false", "worker open=false above=false", "idle open=false above=false", "8 and 16"}
	if diff := cmp.Diff(want, describe()); diff != "" {
		t.Error(diff)
	}
	ev.Exceptions = []event.Exception{{Type: "E"}}
	want[0], want[1] = "crashed open=false above=false", "current open=false above=true"
	if diff := cmp.Diff(want, describe()); diff != "" {
		t.Error(diff)
	}
}
