package teller

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/alert"
	"sundew/digester/notify"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
	"sundew/schema/event"
)

func TestNewIssueIsTold(t *testing.T) {
	w := newTown(t)
	w.happens("a")
	w.settle()
	got := w.take(w.channel)
	want := []notify.Message{{
		Kind: notify.KindNew, Project: notify.Project{ID: 1, Name: "Web shop", URL: "https://errors.example.com/projects/1"},
		Rule: "New and returning issues", Environment: "production", Release: "1.0", Reason: "seen for the first time", At: w.now,
		SettingsURL: "https://errors.example.com/projects/1/alerts",
		Issue: notify.Issue{
			ID: 1, ShortID: "WEB-SHOP-1", Title: "Error: a", Culprit: "main", Level: "error", URL: "https://errors.example.com/issues/1",
			Events: 1, FirstSeen: w.now, LastSeen: w.now,
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	w.happens("a")
	w.mustTell("[]")
	w.happens("b")
	w.restart()
	w.mustTell("[new Error: b]")
	lines := w.log()
	if len(lines) != 2 || lines[0].Title != "Error: b" || len(lines[0].Sends) != 1 || lines[0].Sends[0].State != store.SendSent || lines[0].Sends[0].RuleName != "New and returning issues" {
		t.Errorf("the log says %+v", lines)
	}
	storetest.MustRead(t, w.replica, func(rx *store.Rx) error {
		rules, err := rx.AlertRules(w.project)
		if rules[0].Fired != 2 || !rules[0].FiredAt.Equal(w.now) {
			t.Errorf("the rule fired %d times", rules[0].Fired)
		}
		return err
	})
}

// What no rule or channel is there for leaves nothing behind.
func TestNobodyToTell(t *testing.T) {
	w := newTown(t)
	w.only(alert.Rule{Regression: true})
	w.happens("a")
	w.only(alert.Rule{New: true, Channels: []int64{}})
	w.happens("b")
	w.only(alert.Rule{New: true, Filter: alert.Filter{Environments: []string{"qa"}}})
	w.happens("c")
	w.only(alert.Rule{New: true})
	w.write(func(tx *store.Tx) error { return tx.SetChannelEnabled(w.project, w.channel, false) })
	w.happens("d")
	w.mustTell("[]")
	w.write(func(tx *store.Tx) error { return tx.SetChannelEnabled(w.project, w.channel, true) })
	w.mustTell("[]")
	if lines := w.log(); len(lines) != 0 {
		t.Errorf("the log says %+v", lines)
	}
}

func TestFilters(t *testing.T) {
	for _, c := range []struct {
		filter alert.Filter
		want   string
	}{
		{alert.Filter{Environments: []string{"production"}}, "[new Error: a]"},
		{alert.Filter{Level: event.LevelFatal}, "[]"},
		{alert.Filter{Tags: []event.Pair{{Key: "tenant", Value: "a"}}}, "[new Error: a]"},
		{alert.Filter{Tags: []event.Pair{{Key: "tenant", Value: "b"}}}, "[]"},
		{alert.Filter{Title: "error: A"}, "[new Error: a]"},
	} {
		w := newTown(t)
		w.only(alert.Rule{New: true, Filter: c.filter})
		w.happens("a")
		if got := w.told(); got != c.want {
			t.Errorf("%+v: told %s, not %s", c.filter, got, c.want)
		}
	}
}

func TestRegressionAndPause(t *testing.T) {
	w := newTown(t)
	resolve := func() {
		w.write(func(tx *store.Tx) error {
			_, err := tx.Resolve([]int64{1}, triage.Resolution{}, 0)
			return err
		})
		w.happens("a")
	}
	w.happens("a")
	w.mustTell("[new Error: a]")
	resolve()
	w.mustTell("[regression Error: a]")
	w.now = w.now.Add(alert.DefaultInterval - time.Second)
	resolve()
	w.mustTell("[]")
	if lines := w.log(); len(lines) != 3 || lines[0].State != store.AlertTooSoon || lines[1].State != store.AlertTold {
		t.Errorf("the log says %+v", lines)
	}
	w.now = w.now.Add(time.Second)
	resolve()
	w.mustTell("[regression Error: a]")
}

func TestUnmuted(t *testing.T) {
	w := newTown(t)
	w.happens("a")
	w.happens("b", func(in *store.Incoming) { in.Environment = "qa" })
	w.told()
	w.write(func(tx *store.Tx) error {
		_, byEvents := tx.Mute([]int64{1}, triage.Mute{Kind: triage.MuteMore, Events: 2}, 0)
		_, byTime := tx.Mute([]int64{2}, triage.Mute{Kind: triage.MuteUntil, Until: w.now.Add(time.Hour)}, 0)
		return errors.Join(byEvents, byTime)
	})
	w.happens("a")
	w.mustTell("[]")
	w.happens("a")
	w.mustTell("[unmuted Error: a]")
	w.now = w.now.Add(2 * time.Hour)
	w.write(func(tx *store.Tx) error { _, err := tx.UnmuteDue(); return err })
	w.settle()
	if got := w.take(w.channel); len(got) != 1 || got[0].Kind != notify.KindUnmuted || got[0].Environment != "qa" || got[0].Issue.ID != 2 {
		t.Errorf("told %+v", got)
	}
}

// Somebody was quicker: there is nothing to tell of what is resolved or deleted, and a
// merged issue is told of as what it is part of.
func TestSeenToMeanwhile(t *testing.T) {
	w := newTown(t)
	for _, group := range []string{"a", "b", "c", "d"} {
		w.happens(group)
	}
	w.write(func(tx *store.Tx) error {
		_, resolved := tx.Resolve([]int64{1}, triage.Resolution{}, 0)
		_, deleted := tx.DeleteIssues([]int64{2}, 0)
		_, merged := tx.Merge(4, []int64{3}, 0)
		return errors.Join(resolved, deleted, merged)
	})
	w.mustTell("[new Error: d new Error: d]")
}

func TestChannelHearsOnce(t *testing.T) {
	w := newTown(t)
	other := w.addChannel("Others")
	w.write(func(tx *store.Tx) error {
		r := alert.Default()
		r.AllChannels, r.Channels = false, []int64{other}
		_, err := tx.AddAlertRule(w.project, r)
		return err
	})
	w.happens("a")
	w.mustTell("[new Error: a]")
	if got := w.take(other); len(got) != 1 {
		t.Errorf("the other channel was told %d times", len(got))
	}
}

// Very many new issues in a minute are a handful of messages in each channel, which name
// or count each of them once.
func TestStorm(t *testing.T) {
	const issues = 1200
	w := newTown(t)
	other := w.addChannel("Others")
	happened := 0
	var ins []*store.Incoming
	for second := range 150 * 60 {
		w.now = w.now.Add(time.Second)
		ins = ins[:0]
		for happened < issues && happened < (second+1)*issues/60 {
			ins = append(ins, w.incoming(fmt.Sprintf("g%d", happened)))
			happened++
		}
		for _, o := range w.db.DigestBatch(t.Context(), ins) {
			if o.Err != nil {
				t.Fatal(o.Err)
			}
		}
		if second < 90 || second%30 == 0 {
			w.settle()
		}
	}
	for _, channel := range []int64{w.channel, other} {
		messages, counted, named := w.take(channel), int64(0), 0
		for _, m := range messages {
			if m.Kind == notify.KindStorm {
				counted += m.OthersCount
				named += len(m.Others)
				continue
			}
			counted++
		}
		if counted != issues || len(messages) > 8 {
			t.Errorf("%d messages tell of %d issues", len(messages), counted)
		}
		if len(messages) < 6 || messages[5].Kind != notify.KindStorm || len(messages[5].Others) != named || named < 5 {
			t.Errorf("the summaries name %d issues", named)
		}
	}
	lines := w.log()
	if len(lines) != 100 || lines[0].Sends[0].State != store.SendSummed {
		t.Errorf("the log ends with %+v", lines[0])
	}
	w.happens("after")
	w.mustTell("[new Error: after]")
}

// A process that dies has decided or not: nothing is told twice, nothing is lost.
func TestKilledBetween(t *testing.T) {
	w := newTown(t)
	for i := range 2*chunk + 10 {
		w.happens(fmt.Sprint("g", i))
	}
	killed := errors.New("killed")
	for range 3 {
		err := w.db.Write(t.Context(), "test", func(tx *store.Tx) error {
			if err := newSession(tx, w.teller.cfg).run(); err != nil {
				return err
			}
			return killed
		})
		if !errors.Is(err, killed) {
			t.Fatal(err)
		}
		w.restart()
		w.step()
	}
	w.now = w.now.Add(time.Minute)
	w.restart()
	w.settle()
	counted := int64(0)
	for _, m := range w.take(w.channel) {
		counted += max(1, m.OthersCount)
	}
	if counted != 2*chunk+10 {
		t.Errorf("told of %d issues", counted)
	}
}

// What is decided only after a summary is named and counted by the next one.
func TestSummaryBeforeTheRest(t *testing.T) {
	w := newTown(t)
	for i := range 10 {
		w.happens(fmt.Sprint("g", i))
	}
	w.settle()
	w.now = w.now.Add(time.Minute)
	for i := range chunk + 50 {
		w.happens(fmt.Sprint("h", i))
	}
	if !w.step() {
		t.Fatal("all was decided at once")
	}
	w.settle()
	w.take(w.channel)
	if sends := w.log()[0].Sends; len(sends) != 1 || sends[0].State != store.SendCollected {
		t.Errorf("the newest is %+v", sends)
	}
	w.now = w.now.Add(5 * time.Minute)
	w.settle()
	if got := w.take(w.channel); len(got) != 1 || got[0].OthersCount != 50 || len(got[0].Others) != named || got[0].Others[0].Title != fmt.Sprint("Error: h", chunk) {
		t.Errorf("the next summary is %+v", got)
	}
}

// A summary that finds too many messages waiting is not lost: what was collected stays
// so, and is told and counted when there is room.
func TestSummaryFindsNoRoom(t *testing.T) {
	w := newTown(t)
	for i := range 10 {
		w.happens(fmt.Sprint("g", i))
	}
	w.settle()
	w.take(w.channel)
	w.write(func(tx *store.Tx) error {
		for range 100 {
			if err := tx.QueueNotification(w.channel, notify.Message{Kind: notify.KindNew}); err != nil {
				return err
			}
		}
		return nil
	})
	w.now = w.now.Add(time.Minute)
	w.settle()
	if sends := w.log()[0].Sends; len(sends) != 1 || sends[0].State != store.SendCollected {
		t.Errorf("the newest is %+v", sends)
	}
	w.happens("late")
	w.settle()
	for _, m := range w.take(w.channel) { // there is room again
		if m.Kind == notify.KindStorm {
			t.Errorf("told %+v", m)
		}
	}
	w.settle()
	if got := w.take(w.channel); len(got) != 0 {
		t.Errorf("told %+v before it is due again", got)
	}
	w.now = w.now.Add(time.Minute)
	w.settle()
	if got := w.take(w.channel); len(got) != 1 || got[0].OthersCount != 6 || got[0].Others[0].Title != "Error: g5" {
		t.Errorf("told %+v", got)
	}
	w.now = w.now.Add(time.Hour)
	w.mustTell("[]")
}

// What somebody has seen to since it was collected is counted in a summary and not named
// in it; where that is all there is no summary.
func TestCollectedIsSeenTo(t *testing.T) {
	w := newTown(t)
	collect := func(name string) {
		for i := range 8 {
			w.happens(fmt.Sprint(name, i))
		}
		w.settle()
	}
	collect("g") // issues 1 to 8, of which 6 to 8 are collected
	w.take(w.channel)
	for i := range 3 {
		w.happens(fmt.Sprint("h", i)) // 9 to 11
	}
	w.settle()
	w.write(func(tx *store.Tx) error {
		_, resolved := tx.Resolve([]int64{6}, triage.Resolution{}, 0)
		_, muted := tx.Mute([]int64{7}, triage.Mute{Kind: triage.MuteForever}, 0)
		_, deleted := tx.DeleteIssues([]int64{8}, 0)
		_, merged := tx.Merge(11, []int64{9}, 0)
		return errors.Join(resolved, muted, deleted, merged)
	})
	w.now = w.now.Add(time.Minute)
	w.settle()
	got := w.take(w.channel)
	if len(got) != 1 || got[0].OthersCount != 6 || len(got[0].Others) != 2 || got[0].Others[0].ID != 10 || got[0].Others[1].ID != 11 {
		t.Errorf("told %+v", got)
	}

	w.now = w.now.Add(time.Hour)
	collect("k") // 12 to 19, of which 17 to 19 are collected
	if told := w.take(w.channel); len(told) != 5 {
		t.Errorf("%d are told at once", len(told))
	}
	w.write(func(tx *store.Tx) error {
		_, err := tx.Resolve([]int64{17, 18, 19}, triage.Resolution{}, 0)
		return err
	})
	w.now = w.now.Add(time.Minute)
	w.mustTell("[]")
	w.happens("after")
	w.mustTell("[new Error: after]")
}
