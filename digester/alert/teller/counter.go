package teller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sundew/digester/alert"
	"sundew/digester/notify"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

const (
	// lookedAt is how many events are looked at in one go.
	lookedAt = 2000

	// parsed is of how many events the tags are read to tell which of them a rule
	// means; the others are taken to be like them.
	parsed = 100

	// How far it has come is written down with every number that was reached, and
	// otherwise not for each event: after a restart some are looked at again, with the
	// same result.
	noteAfterEvents = 20_000
	noteAfter       = time.Minute
)

// counter remembers how far the events were looked at.
type counter struct {
	known   bool
	idle    int64 // the newest event when no rule asked for numbers
	at      int64 // the last event that was looked at
	noted   int64 // in the database
	notedAt time.Time
}

// late reports whether it is time to note how far it has come. What it skipped, because
// no rule asked for numbers, it must not come back to.
func (c counter) late(now time.Time) bool {
	return c.at > c.noted && (c.at-c.noted >= noteAfterEvents || now.Sub(c.notedAt) >= noteAfter || c.idle > c.noted)
}

// count looks at new events for the rules that ask for numbers. It reports whether
// there are more of them.
func (t *Teller) count(ctx context.Context) (more bool, err error) {
	c := t.counter
	var found []store.CountedAlert
	var counting bool
	err = t.cfg.Replica.Read(ctx, func(rx *store.Rx) error {
		c, found, more = t.counter, nil, false // it may run again
		rules, err := rx.CountingRules()
		if err != nil {
			return err
		}
		if counting = len(rules) > 0; !counting {
			c.idle, err = rx.NewestEvent()
			return err
		}
		if !c.known {
			noted, err := rx.SeenEvent()
			if err != nil {
				return err
			}
			c.known, c.at, c.noted, c.notedAt = true, max(noted, c.idle), noted, t.cfg.Now()
		}
		issues, last, err := rx.SeenIssues(c.at, lookedAt)
		more, c.at = last-c.at >= lookedAt, last
		if err != nil {
			return err
		}
		found, err = reached(rx, rules, issues, t.cfg.Now())
		return err
	})
	t.counter.known = false // unless all goes well
	if err != nil {
		return false, err
	}
	if !counting {
		t.counter.idle = c.idle
		return false, nil
	}
	if len(found) > 0 || c.late(t.cfg.Now()) {
		err := t.cfg.DB.Write(ctx, "note what rules have counted", func(tx *store.Tx) error { return tx.RaiseAlerts(found, c.noted, c.at) })
		if err != nil {
			return false, err
		}
		c.noted, c.notedAt = c.at, t.cfg.Now()
	}
	t.counter = c
	return more, nil
}

// reached returns which rules have reached their numbers with issues that had events.
func reached(rx *store.Rx, rules []store.AlertRule, issues []store.SeenIssue, now time.Time) ([]store.CountedAlert, error) {
	of := make(map[event.ProjectID][]store.AlertRule)
	for _, r := range rules {
		of[r.Project] = append(of[r.Project], r)
	}
	var found []store.CountedAlert
	for _, issue := range issues {
		for _, r := range of[issue.Project] {
			if !r.Filter.FitsTitle(issue.Title) {
				continue
			}
			for _, kind := range []notify.Kind{notify.KindVolume, notify.KindUsers} {
				n, err := number(rx, r.Rule, kind, issue, now)
				if err != nil {
					return nil, fmt.Errorf("rule %d, issue %d: %w", r.ID, issue.ID, err)
				}
				if n > 0 {
					found = append(found, store.CountedAlert{Rule: r, Issue: issue, Kind: kind, Number: n})
				}
			}
		}
	}
	return found, nil
}

// number returns how many there were, 0 if they are too few or the rule said so a short
// while ago. What costs little is asked first: of most issues it is enough.
func number(rx *store.Rx, r alert.Rule, kind notify.Kind, issue store.SeenIssue, now time.Time) (int64, error) {
	rate := r.Events
	if kind == notify.KindUsers {
		rate = r.Users
	}
	if !rate.Asked() || issue.Events < rate.Count {
		return 0, nil
	}
	last, err := rx.LastCounted(issue.ID, kind, r.ID)
	if err != nil || r.TooSoon(last, now) {
		return 0, err
	}
	in := store.Stretch{From: issue.At.Add(-rate.Period), To: issue.At}
	n, err := rx.EventsIn(issue.ID, in)
	if err != nil || n < rate.Count { // of no more events there are no more users
		return 0, err
	}
	if kind == notify.KindUsers || r.Filter.ByEvent() {
		if n, err = meant(rx, r.Filter, kind, issue.ID, in, n, examined(rate)); err != nil || n < rate.Count {
			return 0, err
		}
	}
	return n, nil
}

// meant returns how many of an issue's n events in a time a filter lets through,
// or how many users these have. It looks at the newest events; where those are not all,
// the number of events is estimated, and that of users is at least so many.
func meant(rx *store.Rx, f alert.Filter, kind notify.Kind, issue int64, in store.Stretch, n, most int64) (int64, error) {
	x, err := rx.Examine(issue, in, f, most)
	if err != nil {
		return 0, err
	}
	n = alert.Estimate(n, x.Events, x.Fit)
	if kind == notify.KindUsers {
		n = x.Users
	}
	if len(f.Tags) == 0 || n == 0 {
		return n, nil
	}
	ids, err := rx.Fitting(issue, in, f, most, parsed)
	if err != nil {
		return 0, err
	}
	tagged := int64(0)
	for _, id := range ids {
		tags, err := tagsOf(rx, id)
		if err != nil {
			return 0, err
		}
		if (alert.Filter{Tags: f.Tags}).Fits(alert.Occurrence{Tags: tags}) {
			tagged++
		}
	}
	return alert.Estimate(n, int64(len(ids)), tagged), nil
}

// examined is how many events are looked at to tell which of them a rule means.
func examined(r alert.Rate) int64 { return min(max(20*r.Count, 1000), 10_000) }

// tagsOf returns the tags of an event; of one that is gone, or that cannot be read any
// more, none.
func tagsOf(rx *store.Rx, id int64) ([]event.Pair, error) {
	body, err := rx.EventBody(id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, wire.ErrVersion) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var ev *event.Event
	if body.Kind == wire.KindCSP {
		ev, err = event.ParseSecurity(body.JSON, body.Meta.Environment, body.Meta.Release)
	} else {
		ev, err = event.Skim(body.JSON)
	}
	if err != nil {
		return nil, nil
	}
	ev.ResolveIP(body.Meta.RemoteIP)
	return ev.AllTags(), nil
}
