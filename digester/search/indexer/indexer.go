// Package indexer keeps the index of issues' texts up to date.
//
// It exists because indexing a text takes longer than digesting an event: a digest
// only notes that an issue is due, and this follows behind it. It reads and parses
// outside of transactions that write, and writes few texts at a time, so that no
// digest waits long. What it has not reached yet is found a little later, nothing
// else depends on it.
package indexer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/loop"
	"sundew/digester/search"
	"sundew/digester/store"
	"sundew/digester/symbolicate"
	"sundew/schema/event"
	"sundew/schema/wire"
)

const (
	// chunk is how many texts one transaction writes: a fifth of a millisecond each.
	chunk = 50

	// every is how often it looks for work.
	every = time.Second

	// afterError is how long it rests when the database does not answer.
	afterError = 10 * time.Second
)

// Config says what is indexed.
type Config struct {
	Replica *store.Replica // where it reads
	DB      *store.DB      // where it writes
	Log     zerolog.Logger
}

// Run indexes until ctx is done.
func Run(ctx context.Context, cfg Config) {
	for ctx.Err() == nil {
		n, err := Step(ctx, cfg)
		wait := every
		switch {
		case err != nil && ctx.Err() == nil:
			cfg.Log.Error().Err(err).Msg("indexing issues for search failed; it is tried again")
			wait = afterError
		case n == chunk: // there is more
			continue
		}
		loop.Pause(ctx, wait)
	}
}

// Step indexes what is due, a chunk at most, and returns how many issues that were.
func Step(ctx context.Context, cfg Config) (int, error) {
	var texts []store.IssueText
	err := cfg.Replica.Read(ctx, func(rx *store.Rx) error {
		due, err := rx.TextsDue(chunk)
		if err != nil {
			return err
		}
		texts = texts[:0] // it may run again
		for _, d := range due {
			text, err := textOf(rx, d)
			if err != nil {
				return err
			}
			texts = append(texts, store.IssueText{Due: d, Text: text})
		}
		return nil
	})
	if err != nil || len(texts) == 0 {
		return 0, err
	}
	return len(texts), cfg.DB.Write(ctx, "index texts", func(tx *store.Tx) error { return tx.IndexTexts(texts) })
}

// textOf returns the text of an issue. Of an event that is gone, or that cannot be
// read any more, title and culprit are left.
func textOf(rx *store.Rx, due store.TextDue) (string, error) {
	ev := &event.Event{}
	body, err := rx.EventBody(due.Event)
	switch {
	case err == nil:
		if parsed, err := parse(body); err == nil {
			ev = parsed
		}
	case errors.Is(err, store.ErrNotFound), errors.Is(err, wire.ErrVersion):
	default:
		return "", fmt.Errorf("the text of issue %d: %w", due.Issue, err)
	}
	return search.Document(due.Title, due.Culprit, ev), nil
}

func parse(body store.EventBody) (*event.Event, error) {
	if body.Kind == wire.KindCSP {
		return event.ParseSecurity(body.JSON, body.Meta.Environment, body.Meta.Release)
	}
	ev, err := event.Skim(body.JSON)
	if err == nil {
		symbolicate.Lay(body.Symbols, ev)
	}
	return ev, err
}
