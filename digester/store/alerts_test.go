package store_test

import (
	"errors"
	"fmt"
	"strings"
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

// onlyRule makes a rule the only one of the outlet's project.
func (o *outlet) onlyRule(r alert.Rule) {
	o.t.Helper()
	o.write(func(tx *store.Tx) error {
		rules, err := tx.AlertRules(o.channel.Project)
		for _, old := range rules {
			err = errors.Join(err, tx.DeleteAlertRule(o.channel.Project, old.ID))
		}
		r.Name = "Rule"
		_, added := tx.AddAlertRule(o.channel.Project, r)
		return errors.Join(err, added)
	})
}

func (o *outlet) pending() (said []string) {
	o.t.Helper()
	storetest.MustRead(o.t, o.replica, func(rx *store.Rx) error {
		all, err := rx.PendingAlerts(100)
		for _, a := range all {
			said = append(said, fmt.Sprintf("%s of issue %d by event %d in %s %v", a.Kind, a.Issue, a.Event, a.Environment, a.Tags))
		}
		due, asked := rx.AlertsDue(o.now)
		if due != (len(all) > 0) {
			o.t.Errorf("%d alerts pend, due: %v", len(all), due)
		}
		return errors.Join(err, asked)
	})
	return said
}

// A digest writes a row for what a rule asks for, and nothing else.
func TestDigestNotesAlerts(t *testing.T) {
	const tags = "[{environment production} {level error}]"
	isNew, back, unmuted := "new of issue 1 by event 1 in production "+tags, "regression of issue 1 by event 2 in production "+tags, "unmuted of issue 1 by event 3 in production "+tags
	for _, c := range []struct {
		name string
		rule alert.Rule
		want []string
	}{
		{"new", alert.Rule{Enabled: true, New: true}, []string{isNew}},
		{"regression", alert.Rule{Enabled: true, Regression: true}, []string{back}},
		{"unmuted", alert.Rule{Enabled: true, Unmuted: true}, []string{unmuted}},
		{"all", alert.Rule{Enabled: true, New: true, Regression: true, Unmuted: true}, []string{isNew, back, unmuted}},
		{"numbers", alert.Rule{Enabled: true, Events: alert.Rate{Count: 1, Period: time.Minute}, Interval: time.Hour}, nil},
		{"switched off", alert.Rule{New: true, Regression: true, Unmuted: true}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOutlet(t, hook())
			o.onlyRule(c.rule)
			p := o.channel.Project
			mustDigest(t, o.db, incoming(p, 1, "a"), store.Stored)
			o.write(func(tx *store.Tx) error { _, err := tx.Resolve([]int64{1}, triage.Resolution{}, 0); return err })
			mustDigest(t, o.db, incoming(p, 2, "a"), store.Stored)
			o.write(func(tx *store.Tx) error {
				_, err := tx.Mute([]int64{1}, triage.Mute{Kind: triage.MuteMore, Events: 1}, 0)
				return err
			})
			mustDigest(t, o.db, incoming(p, 3, "a"), store.Stored)
			mustDigest(t, o.db, incoming(p, 4, "a"), store.Stored)
			again := incoming(p, 5, "b") // one that was stored before
			again.EventID = incoming(p, 1, "a").EventID
			mustDigest(t, o.db, again, store.Duplicate)
			if diff := cmp.Diff(c.want, o.pending()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// The default rule sends to all channels: as long as there is none, nothing is noted.
func TestNoChannelNoAlert(t *testing.T) {
	o := newOutlet(t, hook())
	p := o.channel.Project
	o.write(func(tx *store.Tx) error { return tx.SetChannelEnabled(p, o.channel.ID, false) })
	mustDigest(t, o.db, incoming(p, 1, "a"), store.Stored)
	if got := o.pending(); got != nil {
		t.Errorf("pending: %v", got)
	}
	o.write(func(tx *store.Tx) error { return tx.SetChannelEnabled(p, o.channel.ID, true) })
	mustDigest(t, o.db, incoming(p, 2, "b"), store.Stored)
	if got := o.pending(); len(got) != 1 {
		t.Errorf("pending: %v", got)
	}
}

func TestAlertRules(t *testing.T) {
	o := newOutlet(t, hook())
	p := o.channel.Project
	elsewhere := storetest.MustCreateProject(t, o.db, "Other", "").ID
	r := alert.Rule{
		Name: "Often", Enabled: true, Unmuted: true, Events: alert.Rate{Count: 10, Period: time.Minute}, Users: alert.Rate{Count: 3, Period: time.Hour},
		Interval: time.Hour, Channels: []int64{o.channel.ID},
		Filter: alert.Filter{Environments: []string{"qa"}, Level: event.LevelError, Tags: []event.Pair{{Key: "a", Value: "b"}}, Title: "x"},
	}
	var got store.AlertRule
	o.write(func(tx *store.Tx) (err error) {
		got, err = tx.AddAlertRule(p, r)
		return err
	})
	r.ID = got.ID
	if diff := cmp.Diff(store.AlertRule{Rule: r, Project: p, CreatedAt: o.now.Truncate(time.Millisecond)}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	storetest.MustRead(t, o.replica, func(rx *store.Rx) error {
		all, err := rx.AlertRules(elsewhere)
		if len(all) != 1 || !all[0].New || !all[0].AllChannels {
			t.Errorf("a new project has %+v", all)
		}
		counting, errCounting := rx.CountingRules()
		if len(counting) != 1 || counting[0].ID != r.ID {
			t.Errorf("counting: %+v", counting)
		}
		return errors.Join(err, errCounting)
	})
	o.write(func(tx *store.Tx) error {
		if err := tx.SetAlertRuleEnabled(elsewhere, r.ID, false); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another project's rule: %v", err)
		}
		if _, err := tx.AddAlertRule(p, alert.Rule{Name: "x"}); !errors.Is(err, alert.ErrRule) {
			t.Errorf("a rule about nothing: %v", err)
		}
		if err := tx.SetAlertRuleEnabled(p, r.ID, false); err != nil {
			return err
		}
		if err := tx.DeleteChannel(p, o.channel.ID); err != nil {
			return err
		}
		left, err := tx.AlertRule(p, r.ID)
		if left.Enabled || left.AllChannels || len(left.Channels) != 0 {
			t.Errorf("without its channel: %+v", left)
		}
		for range 60 {
			if _, err = tx.AddAlertRule(p, alert.Default()); err != nil {
				break
			}
		}
		if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "50 rules") {
			t.Errorf("sixty rules: %v", err)
		}
		return nil
	})
}

// What is kept of alerts goes with the issue, and with the project.
func TestAlertsGo(t *testing.T) {
	o := newOutlet(t, hook())
	p := o.channel.Project
	mustDigest(t, o.db, incoming(p, 1, "a"), store.Stored)
	mustDigest(t, o.db, incoming(p, 2, "b"), store.Stored)
	tell := func(id int64) {
		o.write(func(tx *store.Tx) error {
			return tx.TellAlert(id, alert.Send{Channel: o.channel.ID, Rule: 1}, notify.Message{Kind: notify.KindNew, Issue: notify.Issue{ID: id}})
		})
	}
	tell(1)
	tell(2)
	remove := func() {
		for more := true; more; {
			o.write(func(tx *store.Tx) (err error) {
				if more, err = tx.RemoveDeleted(); err != nil || more {
					return err
				}
				more, err = tx.RemoveProjects()
				return err
			})
		}
	}
	o.write(func(tx *store.Tx) error { _, err := tx.DeleteIssues([]int64{1}, 0); return err })
	o.now = o.now.Add(time.Hour)
	remove()
	if got := o.pending(); len(got) != 1 {
		t.Errorf("after the issue: %v", got)
	}
	o.write(func(tx *store.Tx) error { return tx.DeleteProject(p) })
	o.now = o.now.Add(25 * time.Hour)
	remove()
	if got := o.pending(); got != nil {
		t.Errorf("after the project: %v", got)
	}
	storetest.MustRead(t, o.replica, func(rx *store.Rx) error {
		rules, err := rx.AlertRules(p)
		if len(rules) > 0 {
			t.Errorf("rules are left: %+v", rules)
		}
		return err
	})
}

// What is told of elsewhere brings nothing back here, and rings nowhere.
func TestQuietEvents(t *testing.T) {
	o := newOutlet(t, hook())
	o.onlyRule(alert.Rule{Enabled: true, New: true, Regression: true, Unmuted: true})
	seq := uint64(0)
	quiet := func(group string) {
		t.Helper()
		seq++
		in := incoming(o.channel.Project, seq, group)
		in.Quiet = true
		mustDigest(t, o.db, in, store.Stored)
	}
	quiet("a")
	quiet("b")
	o.write(func(tx *store.Tx) error {
		_, resolved := tx.Resolve([]int64{1}, triage.Resolution{}, 0)
		_, muted := tx.Mute([]int64{2}, triage.Mute{Kind: triage.MuteMore, Events: 1}, 0)
		return errors.Join(resolved, muted)
	})
	quiet("a")
	quiet("b")
	storetest.MustRead(t, o.replica, func(rx *store.Rx) error {
		issues, err := rx.IssuesByID([]int64{1, 2})
		if err == nil && (issues[0].State != store.StateResolved || issues[1].State != store.StateMuted || issues[0].Events != 2) {
			t.Errorf("issues are %+v", issues)
		}
		return err
	})
	if got := o.pending(); got != nil {
		t.Errorf("pending are %v", got)
	}
	for _, group := range []string{"a", "b"} { // what happens here decides as ever
		seq++
		mustDigest(t, o.db, incoming(o.channel.Project, seq, group), store.Stored)
	}
	if got := o.pending(); len(got) != 2 {
		t.Errorf("pending are %v", got)
	}
}
