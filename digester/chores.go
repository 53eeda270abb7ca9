package main

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/loop"
	"sundew/digester/store"
)

const (
	// choresEvery is how often it is looked whether there is something to do.
	choresEvery = 30 * time.Second

	// choresPause lies between two of the short writes, so that digesting has its
	// turns.
	choresPause = 20 * time.Millisecond
)

// chores does what time makes due: it ends silences and removes what is left of
// deleted issues, projects and comments.
type chores struct {
	db      *store.DB
	replica *store.Replica
	now     func() time.Time
	log     zerolog.Logger
}

// run works until ctx is done. What fails is tried again with the next round.
func (c chores) run(ctx context.Context) {
	work := func() {
		if err := c.round(ctx); err != nil && ctx.Err() == nil {
			c.log.Error().Err(err).Msg("removing what was deleted, or ending silences, failed; it is tried again")
		}
	}
	work()
	loop.Every(ctx, choresEvery, work)
}

// round does all that is due.
func (c chores) round(ctx context.Context) error {
	for ctx.Err() == nil {
		var due store.Chores
		err := c.replica.Read(ctx, func(rx *store.Rx) (err error) {
			due, err = rx.Chores(c.now())
			return err
		})
		if err != nil || due == (store.Chores{}) {
			return err
		}
		if due.Unmute {
			err = c.db.Write(ctx, "end silences", func(tx *store.Tx) error {
				_, err := tx.UnmuteDue()
				return err
			})
		}
		if due.Remove && err == nil {
			err = c.db.Write(ctx, "remove a deleted issue", func(tx *store.Tx) error {
				_, err := tx.RemoveDeleted()
				return err
			})
		}
		if due.Empty && err == nil {
			err = c.db.Write(ctx, "remove a deleted project", func(tx *store.Tx) error {
				_, err := tx.RemoveProjects()
				return err
			})
		}
		if due.Forget && err == nil {
			err = c.db.Write(ctx, "remove comments", func(tx *store.Tx) error { return tx.RemoveComments() })
		}
		if err != nil {
			return err
		}
		loop.Pause(ctx, choresPause)
	}
	return nil
}
