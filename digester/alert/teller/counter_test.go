package teller

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"sundew/digester/alert"
	"sundew/digester/notify"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
)

func volume(n int64) alert.Rule {
	return alert.Rule{Events: alert.Rate{Count: n, Period: 5 * time.Minute}, Interval: 30 * time.Minute}
}

func TestVolume(t *testing.T) {
	w := newTown(t)
	w.only(volume(10))
	for range 9 {
		w.happens("a")
		w.now = w.now.Add(10 * time.Second)
	}
	w.mustTell("[]")
	w.now = w.now.Add(5*time.Minute - 89*time.Second) // the first is just outside
	w.happens("a")
	w.mustTell("[]")
	w.happens("a")
	w.settle()
	got := w.take(w.channel)
	if len(got) != 1 || got[0].Kind != notify.KindVolume || got[0].Reason != "seen 10 times in 5 minutes (rule: 10)" || got[0].Issue.Events != 11 {
		t.Fatalf("told %+v", got)
	}
	for range 20 { // the pause
		w.happens("a")
		w.now = w.now.Add(time.Minute)
		w.settle()
	}
	if got := w.told(); got != "[]" || len(w.log()) != 1 {
		t.Errorf("within the pause: told %s, log %+v", got, w.log())
	}
	w.now = w.now.Add(10 * time.Minute)
	for range 10 {
		w.happens("a")
	}
	w.mustTell("[volume Error: a]")
	w.happens("b")
	w.mustTell("[]")
}

// Rules count from when the first of them was made, and events of what is resolved or
// muted do not count.
func TestVolumeBegins(t *testing.T) {
	w := newTown(t)
	w.only(alert.Rule{Regression: true})
	for range 20 {
		w.happens("a")
	}
	w.only(volume(10))
	w.mustTell("[]")
	w.happens("a")
	w.mustTell("[volume Error: a]")
}

func TestVolumeByFilter(t *testing.T) {
	in := func(environment string, level event.Level, tenant string) func(*store.Incoming) {
		return func(in *store.Incoming) {
			in.Environment, in.Level, in.Body = environment, level, fmt.Appendf(nil, `{"message":"x","tags":{"tenant":%q}}`, tenant)
		}
	}
	happen := func(w *town) {
		for range 6 {
			w.happens("a", in("production", event.LevelError, "a"))
			w.happens("a", in("production", event.LevelWarning, "b"))
			w.happens("a", in("qa", event.LevelError, "b"))
		}
	}
	production := alert.Filter{Environments: []string{"production"}}
	errorsOnly := alert.Filter{Level: event.LevelError}
	both := alert.Filter{Environments: []string{"production"}, Level: event.LevelError}
	tenant := alert.Filter{Tags: []event.Pair{{Key: "tenant", Value: "b"}}}
	for _, c := range []struct {
		filter alert.Filter
		n      int64
		fires  bool
	}{
		{production, 12, true}, {production, 13, false},
		{errorsOnly, 12, true}, {errorsOnly, 13, false},
		{both, 6, true}, {both, 7, false},
		{tenant, 12, true}, {tenant, 13, false},
		{alert.Filter{Title: "error: a"}, 18, true}, {alert.Filter{Title: "else"}, 1, false},
	} {
		w := newTown(t)
		r := volume(c.n)
		r.Filter = c.filter
		w.only(r)
		happen(w)
		want := "[]"
		if c.fires {
			want = "[volume Error: a]"
		}
		if got := w.told(); got != want {
			t.Errorf("%+v, %d: told %s", c.filter, c.n, got)
		}
	}
}

func TestUsers(t *testing.T) {
	w := newTown(t)
	w.only(alert.Rule{Users: alert.Rate{Count: 3, Period: time.Minute}, Interval: time.Hour, Filter: alert.Filter{Environments: []string{"production"}}})
	by := func(user, environment string) func(*store.Incoming) {
		return func(in *store.Incoming) { in.User, in.Environment = user, environment }
	}
	w.happens("a", by("old", "production"))
	w.now = w.now.Add(2 * time.Minute)
	for range 3 {
		w.happens("a", by("ada", "production"))
		w.happens("a", by("", "production"))
		w.happens("a", by("grace", "production"))
		w.happens("a", by("alan", "qa"))
	}
	w.mustTell("[]")
	w.happens("a", by("alan", "production"))
	w.settle()
	if got := w.take(w.channel); len(got) != 1 || got[0].Reason != "3 users affected in 1 minute (rule: 3)" || got[0].Issue.Users != 4 {
		t.Errorf("told %+v", got)
	}
}

// An issue with members is counted as one.
func TestVolumeOfMerged(t *testing.T) {
	w := newTown(t)
	w.only(volume(10))
	w.happens("a")
	w.happens("b")
	w.write(func(tx *store.Tx) error { _, err := tx.Merge(1, []int64{2}, 0); return err })
	for range 4 {
		w.happens("a")
		w.happens("b")
	}
	w.settle()
	if got := w.take(w.channel); len(got) != 1 || got[0].Issue.ID != 1 {
		t.Errorf("told %+v", got)
	}
}

// What was looked at is noted together with what was found: whoever dies in between
// finds it again, and says it once.
func TestCounterKilled(t *testing.T) {
	w := newTown(t)
	w.only(volume(10))
	for range 10 {
		w.happens("a")
		w.restart()
		w.settle()
	}
	w.restart()
	w.settle()
	if got := w.take(w.channel); len(got) != 1 {
		t.Errorf("told %+v", got)
	}
	w.happens("b")
	w.restart()
	w.mustTell("[]")
}

// Of two that look at the same events one is too late, and looks again.
func TestTwoCounters(t *testing.T) {
	w := newTown(t)
	w.only(volume(10))
	w.happens("a")
	first := w.teller
	if _, err := first.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 9 {
		w.happens("a")
	}
	w.restart()
	w.mustTell("[volume Error: a]")
	w.now = w.now.Add(time.Hour)
	for range 20 {
		w.happens("a")
	}
	if _, err := first.Step(t.Context()); err == nil {
		t.Error("the other one has not been noticed")
	}
	w.teller = first
	w.mustTell("[volume Error: a]")
}

// The log is shortened, but not what a pause depends on.
func TestPurge(t *testing.T) {
	w := newTown(t)
	w.happens("a")
	w.told()
	w.now = w.now.Add(29 * 24 * time.Hour)
	w.happens("b")
	w.told()
	if n := len(w.log()); n != 2 {
		t.Errorf("after 29 days %d lines are left", n)
	}
	w.now = w.now.Add(2 * 24 * time.Hour)
	w.settle()
	if lines := w.log(); len(lines) != 1 || lines[0].Title != "Error: b" {
		t.Errorf("after 31 days there is %+v", lines)
	}
}

func TestEventsIn(t *testing.T) {
	w := newTown(t)
	for range 10 {
		w.happens("a")
		w.now = w.now.Add(time.Second)
	}
	first := w.now.Add(-10 * time.Second)
	storetest.MustRead(t, w.replica, func(rx *store.Rx) error {
		var errs []error
		for from := range 10 {
			for to := from; to < 10; to++ {
				in := store.Stretch{From: first.Add(time.Duration(from) * time.Second), To: first.Add(time.Duration(to) * time.Second)}
				n, err := rx.EventsIn(1, in)
				x, errLook := rx.Examine(1, in, alert.Filter{}, 100)
				if n != int64(to-from+1) || x.Events != n || x.Fit != n {
					t.Errorf("%d events from %d to %d, a closer look finds %+v", n, from, to, x)
				}
				errs = append(errs, err, errLook)
			}
		}
		return errors.Join(errs...)
	})
}

// Events that came while nobody could have been told are not told of later; those of a
// time in which the process was dead are, by what was true then.
func TestCounterIsLate(t *testing.T) {
	w := newTown(t)
	w.only(volume(10))
	w.write(func(tx *store.Tx) error { return tx.SetChannelEnabled(w.project, w.channel, false) })
	for range 10 {
		w.happens("a")
	}
	w.settle()
	w.write(func(tx *store.Tx) error { return tx.SetChannelEnabled(w.project, w.channel, true) })
	w.happens("b")
	w.mustTell("[]")
	for range 10 {
		w.happens("c") // and the process dies
	}
	w.now = w.now.Add(time.Hour)
	w.restart()
	w.settle()
	if got := w.take(w.channel); len(got) != 1 || got[0].Reason != "seen 10 times in 5 minutes (rule: 10)" || got[0].Issue.Title != "Error: c" {
		t.Errorf("told %+v", got)
	}
}
