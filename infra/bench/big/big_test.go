package main

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
)

// TestLoadGoesOn: a load that goes on where another stopped repeats no id and goes
// back in no time.
func TestLoadGoesOn(t *testing.T) {
	from := time.Now().AddDate(0, 0, -overDays)
	until := time.Now()
	ids := make(map[event.ID]bool)
	last := from
	for _, made := range []uint64{0, 500, 1000} {
		l, err := newLoad(1, made, 2000)
		if err != nil {
			t.Fatal(err)
		}
		l.spread(last, until, 400)
		for range 500 {
			m := l.next()
			if ids[m.EventID] || m.ReceivedAt.Before(last) || m.ReceivedAt.After(until) {
				t.Fatalf("event %d: id %s, at %v after %v", l.made, m.EventID, m.ReceivedAt, last)
			}
			ids[m.EventID], last = true, m.ReceivedAt
		}
	}
	if !last.Equal(until) {
		t.Errorf("the last event is of %v, want %v", last, until)
	}
}

// TestRunGoesOn grows the database of an earlier run that left messages in its
// queue, then uses it as it is.
func TestRunGoesOn(t *testing.T) {
	dir := t.TempDir()
	b, err := open(t.Context(), dir, 2000)
	if err != nil {
		t.Fatal(err)
	}
	b.load.spread(b.newest, time.Now(), 300)
	if _, err := b.measure(t.Context(), 250, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.load.fill(t.Context(), b.queue, 50); err != nil {
		t.Fatal(err)
	}
	b.close(context.WithoutCancel(t.Context()))

	want := int64(400)
	for pace, first := range []string{"the database has 300 events", "the database has 480 events"} { // the second: 400 a second
		s := settings{events: 400, issues: 2000, step: 40, rounds: 1, pace: 400 * pace, dir: dir}
		var out strings.Builder
		if err := run(t.Context(), &out, s); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), first) || !regexp.MustCompile(`\nflat \d+\.\d\d\n$`).MatchString(out.String()) || !strings.Contains(out.String(), "0 saw a busy database") {
			t.Errorf("the output lacks something:\n%s", out.String())
		}
		want += int64((s.rounds + 1) * s.step)
		replica, err := store.OpenReplica(t.Context(), filepath.Join(dir, "sundew.db"))
		if err != nil {
			t.Fatal(err)
		}
		storetest.MustCheck(t, replica)
		storetest.MustRead(t, replica, func(rx *store.Rx) error {
			p, err := rx.Project(1)
			if p.Events != want {
				t.Errorf("%d events, want %d", p.Events, want)
			}
			return err
		})
		if err := replica.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
