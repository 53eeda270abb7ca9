// Package keeper removes what is stored longer, or in greater number, than it is to be
// kept.
//
// It exists so that nobody waits for it. It reads outside of transactions that write,
// in pieces, and by indexes that are there for pages; what it removes it removes in
// transactions of a few milliseconds, with pauses between them that are longer than
// they are, so that a digest that comes meanwhile waits for one of them at most. What
// goes is decided by package retention. It can be killed at any moment: what it has not
// removed yet the next round finds again.
package keeper

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/loop"
	"sundew/digester/retention"
	"sundew/digester/store"
	"sundew/schema/event"
)

const (
	// every is how often it is looked whether a project has too many events.
	every = 10 * time.Second

	// sweepEvery is how often a project's issues are looked through for old events,
	// tidyEvery for what else is old. Both are read from end to end then.
	sweepEvery = time.Hour
	tidyEvery  = 24 * time.Hour

	// issuesRead, eventsRead and tagsRead are how many are read at once.
	issuesRead = 500
	eventsRead = 20_000
	tagsRead   = 5_000

	// weighed is of how many events it is looked at once how much they weigh.
	weighed = 512

	// rest is how much longer than a transaction the pause behind it is.
	rest = 2
)

// Config says what is kept, and where.
type Config struct {
	Replica *store.Replica // where it reads
	DB      *store.DB      // where it writes
	Default retention.Policy
	Now     func() time.Time // nil: time.Now
	Log     zerolog.Logger

	// Removed is told of events that were removed, and why: by "age" or "count"; nil:
	// nobody is. It must be quick.
	Removed func(why string, events int64)
}

// Keeper removes events. Its methods are for one goroutine.
type Keeper struct {
	cfg    Config
	budget retention.Budget
	swept  map[event.ProjectID]looked
	tidied map[event.ProjectID]looked
}

// looked is when a project was looked through, and for what is how many days old.
type looked struct {
	at   time.Time
	days int64
}

// due reports whether to look again.
func (l looked) due(now time.Time, days int64, every time.Duration) bool {
	return days != l.days || now.Sub(l.at) >= every || now.Before(l.at)
}

// New returns a keeper.
func New(cfg Config) *Keeper {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Removed == nil {
		cfg.Removed = func(string, int64) {}
	}
	return &Keeper{
		cfg: cfg, budget: retention.FirstBudget(),
		swept: make(map[event.ProjectID]looked), tidied: make(map[event.ProjectID]looked),
	}
}

// Run works until ctx is done. What fails is tried again with the next round.
func (k *Keeper) Run(ctx context.Context) {
	round := func() {
		if err := k.Round(ctx); err != nil && ctx.Err() == nil {
			k.cfg.Log.Error().Err(err).Msg("removing old events failed; it is tried again")
		}
	}
	round()
	loop.Every(ctx, every, round)
}

// Round removes all that is too much or too old now. What goes wrong with one project
// keeps it from no other, unless nothing can be removed at all.
func (k *Keeper) Round(ctx context.Context) error {
	var projects []store.ProjectRetention
	err := k.read(ctx, func(rx *store.Rx) (err error) {
		projects, err = rx.Retentions()
		return err
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range projects {
		err := k.project(ctx, p)
		if err == nil {
			continue
		}
		errs = append(errs, fmt.Errorf("project %d: %w", p.Project, err))
		if ctx.Err() != nil || store.Stops(err) {
			return errors.Join(errs...)
		}
	}
	return errors.Join(append(errs, k.tidyAudit(ctx))...)
}

func (k *Keeper) project(ctx context.Context, p store.ProjectRetention) error {
	policy, now := p.Setting.Or(k.cfg.Default), k.cfg.Now()
	if cutoff, is := policy.Cutoff(now); is && k.swept[p.Project].due(now, policy.Days, sweepEvery) {
		gone, err := k.sweep(ctx, p.Project, cutoff)
		p.Stored -= gone
		if err != nil {
			return err
		}
		if k.tidied[p.Project].due(now, policy.Days, tidyEvery) {
			if err := k.tidy(ctx, p.Project, policy); err != nil {
				return err
			}
			k.tidied[p.Project] = looked{now, policy.Days}
		}
		k.swept[p.Project] = looked{now, policy.Days}
	}
	return k.thin(ctx, p, policy)
}

// sweep removes a project's events from before a time and returns how many.
func (k *Keeper) sweep(ctx context.Context, project event.ProjectID, cutoff time.Time) (gone int64, err error) {
	err = k.issues(ctx, project, func(s store.IssueStock) error {
		if s.Oldest.IsZero() || !s.Oldest.Before(cutoff) {
			return nil
		}
		for {
			var ids []int64
			err := k.read(ctx, func(rx *store.Rx) (err error) {
				ids, err = rx.ExpiredEvents(s.ID, cutoff, weighed)
				return err
			})
			if err != nil || len(ids) == 0 {
				return err
			}
			n, err := k.remove(ctx, "age", ids)
			gone += n
			if err != nil {
				return err
			}
		}
	})
	return gone, err
}

// thin removes events of a project that has too many of them.
func (k *Keeper) thin(ctx context.Context, p store.ProjectRetention, policy retention.Policy) error {
	for {
		keep := policy.Keep(p.Stored)
		if keep >= p.Stored {
			return nil
		}
		k.cfg.Log.Info().Int64("project", int64(p.Project)).Int64("stored", p.Stored).Int64("keep", keep).Msg("a project has more events than it may keep; the least telling ones are removed")
		gone, err := k.thinTo(ctx, p.Project, keep)
		if err != nil || gone == 0 {
			return err
		}
		// What came meanwhile, and issues whose oldest events alone were thinned.
		if err := k.read(ctx, func(rx *store.Rx) (err error) {
			p, err = rx.Retention(p.Project)
			return err
		}); err != nil {
			return err
		}
	}
}

// thinTo removes events of a project until about so many are left, and returns how many
// it removed.
func (k *Keeper) thinTo(ctx context.Context, project event.ProjectID, keep int64) (gone int64, err error) {
	var sizes retention.Sizes
	if err := k.issues(ctx, project, func(s store.IssueStock) error {
		sizes.Add(s.Stored)
		return nil
	}); err != nil {
		return 0, err
	}
	share := sizes.Share(keep)
	about, err := k.aboutFeedback(ctx, project)
	if err != nil {
		return 0, err
	}
	err = k.issues(ctx, project, func(s store.IssueStock) error {
		n, err := k.thinIssue(ctx, s, s.Stored-share.Of(s.Stored), about)
		gone += n
		return err
	})
	return gone, err
}

// aboutFeedback returns the events of a project that people wrote about.
func (k *Keeper) aboutFeedback(ctx context.Context, project event.ProjectID) (map[int64]bool, error) {
	var ids []int64
	err := k.read(ctx, func(rx *store.Rx) (err error) {
		ids, err = rx.FeedbackEvents(project)
		return err
	})
	about := make(map[int64]bool, len(ids))
	for _, id := range ids {
		about[id] = true
	}
	return about, err
}

// thinIssue removes so many events of an issue; of one that has very many, some of the
// oldest.
func (k *Keeper) thinIssue(ctx context.Context, s store.IssueStock, excess int64, about map[int64]bool) (gone int64, err error) {
	if excess <= 0 {
		return 0, nil
	}
	issue := retention.Issue{ID: s.ID, Count: s.Count}
	var noted []int64
	err = k.read(ctx, func(rx *store.Rx) (err error) {
		if issue.Events, err = rx.StoredEvents(s.ID, eventsRead); err != nil {
			return err
		}
		noted, err = rx.NotedEvents(s.ID, s.Head)
		return err
	})
	if err != nil {
		return 0, err
	}
	refers := make(map[int64]bool, len(noted))
	for _, id := range noted {
		refers[id] = true
	}
	for i := range issue.Events {
		e := &issue.Events[i]
		e.Noted = refers[e.ID] || about[e.ID]
	}
	if len(issue.Events) == eventsRead {
		excess = min(excess, eventsRead/2)
	}
	return k.removeAll(ctx, issue.Thin(excess))
}

// removeAll removes events that were chosen.
func (k *Keeper) removeAll(ctx context.Context, events []retention.Event) (gone int64, err error) {
	ids := make([]int64, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	for len(ids) > 0 && err == nil {
		some := ids[:min(len(ids), weighed)]
		ids = ids[len(some):]
		var n int64
		n, err = k.remove(ctx, "count", some)
		gone += n
	}
	return gone, err
}

// remove removes events in as many transactions as it takes.
func (k *Keeper) remove(ctx context.Context, why string, ids []int64) (gone int64, err error) {
	gone, k.budget, err = Remove(ctx, k.cfg.DB, k.cfg.Replica, k.budget, "remove events by "+why, ids)
	k.cfg.Removed(why, gone)
	return gone, err
}

// issues calls do for each issue of a project, the newest first.
func (k *Keeper) issues(ctx context.Context, project event.ProjectID, do func(store.IssueStock) error) error {
	for below := int64(math.MaxInt64); ; {
		var stocks []store.IssueStock
		err := k.read(ctx, func(rx *store.Rx) (err error) {
			stocks, err = rx.IssueStocks(project, below, issuesRead)
			return err
		})
		if err != nil {
			return err
		}
		for _, s := range stocks {
			if err := do(s); err != nil {
				return err
			}
			below = s.Number
		}
		if len(stocks) < issuesRead {
			return nil
		}
	}
}

func (k *Keeper) read(ctx context.Context, fn func(*store.Rx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return k.cfg.Replica.Read(ctx, fn)
}
