package main

import (
	"context"
	"time"

	"sundew/digester/loop"
)

// evictEvery is how often projects with too many attachments are looked for. They may
// have a quarter more until then; what comes beyond that is dropped.
const evictEvery = 5 * time.Second

// evictAttachments removes old attachments where there is no room for newer ones, until
// ctx is done.
func (s *service) evictAttachments(ctx context.Context) {
	loop.Every(ctx, evictEvery, func() {
		removed, err := s.db.EvictAttachments(ctx, s.replica)
		if err != nil && ctx.Err() == nil {
			s.log.Warn().Err(err).Msg("old attachments could not be removed; it is tried again")
		}
		if removed > 0 {
			s.log.Info().Int64("attachments", removed).Msg("old attachments made room for newer ones")
		}
	})
}
