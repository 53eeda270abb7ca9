package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/grouping"
	"sundew/digester/store"
	"sundew/schema/event"
)

// rulesEvery is how often fingerprint rules are read again: so long are events still
// grouped as before.
const rulesEvery = 2 * time.Second

// ruleBook answers from memory which fingerprint rules a project has, so that a
// digest reads nothing. It keeps the last answer while the database cannot be read.
type ruleBook struct {
	replica *store.Replica
	log     zerolog.Logger
	latest  atomic.Pointer[ruleEdition] // of refresh; nil before the first
}

// ruleEdition is all rules at one moment. It does not change.
type ruleEdition struct {
	texts  map[event.ProjectID]string
	parsed map[event.ProjectID]grouping.Rules
}

// of returns a project's rules.
func (b *ruleBook) of(project event.ProjectID) grouping.Rules {
	edition := b.latest.Load()
	if edition == nil {
		return grouping.Rules{}
	}
	return edition.parsed[project]
}

// refresh reads the rules, and parses those that changed. One call at a time.
func (b *ruleBook) refresh(ctx context.Context) error {
	next := &ruleEdition{parsed: make(map[event.ProjectID]grouping.Rules)}
	err := b.replica.Read(ctx, func(rx *store.Rx) (err error) {
		next.texts, err = rx.AllFingerprintRules()
		return err
	})
	if err != nil {
		return err
	}
	last := b.latest.Load()
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
	every(ctx, rulesEvery, func() {
		if err := b.refresh(ctx); err != nil && ctx.Err() == nil {
			b.log.Warn().Err(err).Msg("the fingerprint rules could not be read; the last ones stay valid")
		}
	})
}
