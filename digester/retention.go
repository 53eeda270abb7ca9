package main

import (
	"context"

	"sundew/digester/erasure/eraser"
	"sundew/digester/retention/keeper"
)

// keepWithin removes events that are too old or too many, until ctx is done.
func (s *service) keepWithin(ctx context.Context) {
	keeper.New(keeper.Config{
		Replica: s.replica, DB: s.db, Default: s.cfg.Retention, Log: s.log,
		Removed: func(why string, n int64) { s.removals.WithLabelValues(why).Add(float64(n)) },
	}).Run(ctx)
}

// erasePeople searches for what people want to have removed, and removes it, until ctx
// is done.
func (s *service) erasePeople(ctx context.Context) {
	eraser.Run(ctx, eraser.Config{
		Replica: s.replica, DB: s.db, Log: s.log,
		Removed: func(n int64) { s.removals.WithLabelValues("person").Add(float64(n)) },
	})
}
