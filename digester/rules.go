package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/grouping"
	"sundew/digester/loop"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/scrub"
)

// rulesEvery is how often rules are read again: so long are events still grouped and
// scrubbed as before.
const rulesEvery = 2 * time.Second

// ruleBook answers from memory which fingerprint rules a project has and what is taken
// out of its events, so that a digest reads nothing. It keeps the last answer while the database cannot be read.
type ruleBook struct {
	replica *store.Replica
	log     zerolog.Logger
	latest  atomic.Pointer[ruleEdition] // of refresh; nil before the first
}

// ruleEdition is all rules at one moment. It does not change.
type ruleEdition struct {
	texts  map[event.ProjectID]string
	parsed map[event.ProjectID]grouping.Rules

	privacy *scrub.Book
}

// of returns a project's rules.
func (b *ruleBook) of(project event.ProjectID) grouping.Rules {
	edition := b.latest.Load()
	if edition == nil {
		return grouping.Rules{}
	}
	return edition.parsed[project]
}

// scrubber returns what takes secrets out of a project's events; nil before the first
// refresh.
func (b *ruleBook) scrubber(project event.ProjectID) *scrub.Scrubber {
	edition := b.latest.Load()
	if edition == nil {
		return nil
	}
	return edition.privacy.Of(int64(project))
}

// refresh reads the rules, and parses those that changed. One call at a time.
func (b *ruleBook) refresh(ctx context.Context) error {
	next := &ruleEdition{parsed: make(map[event.ProjectID]grouping.Rules)}
	settings := make(map[int64]scrub.Settings)
	err := b.replica.Read(ctx, func(rx *store.Rx) (err error) {
		if next.texts, err = rx.AllFingerprintRules(); err != nil {
			return err
		}
		privacy, err := rx.AllPrivacy()
		for project, set := range privacy {
			settings[int64(project)] = set
		}
		return err
	})
	if err != nil {
		return err
	}
	last := b.latest.Load()
	if last != nil {
		next.privacy = scrub.NewBook(settings, last.privacy)
	} else {
		next.privacy = scrub.NewBook(settings, nil)
	}
	for project, text := range next.texts {
		if last != nil && last.texts[project] == text {
			next.parsed[project] = last.parsed[project]
			continue
		}
		// Lines that do not parse were refused when they were set.
		next.parsed[project], _ = grouping.ParseRules(text)
	}
	b.latest.Store(next)
	return nil
}

// keepFresh refreshes until ctx is done.
func (b *ruleBook) keepFresh(ctx context.Context) {
	loop.Every(ctx, rulesEvery, func() {
		if err := b.refresh(ctx); err != nil && ctx.Err() == nil {
			b.log.Warn().Err(err).Msg("the rules of projects could not be read; the last ones stay valid")
		}
	})
}
