// Package teller turns what happens to issues into messages for channels.
//
// It exists because deciding what people are told takes longer than digesting an event:
// a digest only notes what an event did to its issue, and the teller follows behind it,
// a second later at most. It counts events on a read of its own, and what it decides is
// one short write: the messages, what it collected and how fast it goes are written
// together, so that a process that dies has told everything once or nothing, and the
// next one goes on from there. It sends nothing: what it writes is for the courier.
package teller

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/store"
	"sundew/schema/event"
)

const (
	// every is how often it looks: the time from an event to its message.
	every = time.Second

	// afterError is how long it rests when the database does not answer.
	afterError = 10 * time.Second

	// chunk is how many occurrences one write decides about, and pause what lies
	// between two writes, so that digesting has its turns.
	chunk = 100
	pause = 20 * time.Millisecond

	// purgeEvery is how often the log is shortened.
	purgeEvery = 5 * time.Minute
)

// Config says what is told, and what leads to it.
type Config struct {
	Replica *store.Replica // where it reads
	DB      *store.DB      // where it writes
	Log     zerolog.Logger
	Now     func() time.Time // nil: time.Now

	// Addresses of pages, complete.
	Issue    func(id int64) string
	Project  func(event.ProjectID) string
	Settings func(event.ProjectID) string // of the project's rules

	// Sent is told that there are messages to send; nil: who sends looks by himself. It
	// must not wait.
	Sent func()
}

// Teller follows the digest. It is for one goroutine.
type Teller struct {
	cfg     Config
	counter counter
	purged  time.Time
}

// New returns a teller.
func New(cfg Config) *Teller {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Sent == nil {
		cfg.Sent = func() {}
	}
	return &Teller{cfg: cfg}
}

// Run works until ctx is done.
func (t *Teller) Run(ctx context.Context) {
	for ctx.Err() == nil {
		more, err := t.Step(ctx)
		wait := every
		switch {
		case err != nil && ctx.Err() == nil:
			t.cfg.Log.Error().Err(err).Msg("alerts could not be decided; it is tried again")
			wait = afterError
		case more:
			wait = pause
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Step counts what is new, decides about what happened and writes the summaries that
// are due. It reports whether there is more to do at once.
func (t *Teller) Step(ctx context.Context) (more bool, err error) {
	behind, err := t.count(ctx)
	if err != nil {
		return false, err
	}
	var due bool
	err = t.cfg.Replica.Read(ctx, func(rx *store.Rx) error {
		due, err = rx.AlertsDue(t.cfg.Now())
		return err
	})
	if err != nil {
		return false, err
	}
	if due {
		if more, err = t.decide(ctx); err != nil {
			return false, err
		}
	}
	return more || behind, t.purge(ctx)
}

// decide is one write. It reports whether there is more to decide.
func (t *Teller) decide(ctx context.Context) (bool, error) {
	var s *session
	err := t.cfg.DB.Write(ctx, "decide alerts", func(tx *store.Tx) error {
		s = newSession(tx, t.cfg)
		return s.run()
	})
	if err == nil && s.queued > 0 {
		t.cfg.Sent()
	}
	return err == nil && s.full, err
}

// purge shortens the log.
func (t *Teller) purge(ctx context.Context) error {
	now := t.cfg.Now()
	if now.Sub(t.purged) < purgeEvery {
		return nil
	}
	var n int64
	err := t.cfg.DB.Write(ctx, "shorten the log of alerts", func(tx *store.Tx) (err error) {
		n, err = tx.PurgeAlerts()
		return err
	})
	if err == nil && n == 0 { // nothing is left to do for a while
		t.purged = now
	}
	return err
}

// notThere is nil for what was deleted meanwhile.
func notThere(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
