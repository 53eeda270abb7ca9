package main

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/loop"
	"sundew/digester/store"
)

// releaseHoursEvery is how often events of releases are counted by hour. What came
// since the last time counts for the hour of the next.
const releaseHoursEvery = 5 * time.Minute

// releaseClock counts behind the digest how many events each release had in each
// hour, so that an event costs nothing for it.
type releaseClock struct {
	db      *store.DB
	replica *store.Replica
	log     zerolog.Logger
}

// run works until ctx is done. What fails is tried again with the next round.
func (c releaseClock) run(ctx context.Context) {
	work := func() {
		if err := c.round(ctx); err != nil && ctx.Err() == nil {
			c.log.Error().Err(err).Msg("counting events of releases by hour failed; it is tried again")
		}
	}
	work()
	loop.Every(ctx, releaseHoursEvery, work)
}

// round counts all that there is, and forgets the oldest hours.
func (c releaseClock) round(ctx context.Context) error {
	for ctx.Err() == nil {
		var deltas []store.ReleaseDelta
		err := c.replica.Read(ctx, func(rx *store.Rx) (err error) {
			deltas, err = rx.ReleaseDeltas()
			return err
		})
		if err != nil {
			return err
		}
		forgot := false
		err = c.db.Write(ctx, "release hours", func(tx *store.Tx) (err error) {
			if err = tx.CountReleaseHours(deltas); err == nil {
				forgot, err = tx.ForgetReleaseHours()
			}
			return err
		})
		if err != nil {
			return err
		}
		if len(deltas) == 0 && !forgot {
			return nil
		}
		loop.Pause(ctx, choresPause)
	}
	return nil
}
