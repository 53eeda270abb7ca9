package sqs

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"sundew/digester/queue"
	"sundew/schema/wire"
)

// firstBackoff is how long a claim is left alone after the first time that its
// object could not be had.
const firstBackoff = 30 * time.Second

// redeem puts the messages that claims stand for in their place. A claim whose
// object will never be had stays as it is: the digester leaves what it cannot
// read, so that it becomes a dead letter. One whose object cannot be had now is
// taken out, and comes back later.
func (q *Queue) redeem(ctx context.Context, messages []queue.Message) []queue.Message {
	var group errgroup.Group
	group.SetLimit(maxWidth)
	later := make([]bool, len(messages))
	for i, m := range messages {
		if wire.IsClaim(m.Body) {
			group.Go(func() error {
				messages[i], later[i] = q.redeemOne(ctx, m)
				return nil
			})
		}
	}
	_ = group.Wait() // none fails
	i := -1
	return slices.DeleteFunc(messages, func(queue.Message) bool { i++; return later[i] })
}

func (q *Queue) redeemOne(ctx context.Context, m queue.Message) (_ queue.Message, later bool) {
	claim, err := wire.DecodeClaim(m.Body)
	if err != nil {
		q.cfg.Log.Error().Err(err).Int("receives", m.Receives).Msg("a claim cannot be read; it is left to become a dead letter")
		return m, false
	}
	body, err := q.objects.fetch(ctx, claim)
	switch {
	case err == nil:
		m.Body = body
		return withObject(m, claim), false
	case errors.Is(err, errGone) || errors.Is(err, wire.ErrCorrupt):
		q.cfg.Log.Error().Err(err).Str("bucket", claim.Bucket).Str("key", claim.Key).Int("receives", m.Receives).
			Msg("the object of a large message is gone or damaged; its claim is left to become a dead letter")
		return m, false
	}
	wait := queue.Backoff(firstBackoff, m.Receives)
	if ctx.Err() != nil {
		wait = 0 // the process is being stopped; the next one asks again
	}
	q.cfg.Log.Warn().Err(err).Str("bucket", claim.Bucket).Str("key", claim.Key).Int("receives", m.Receives).Dur("again", wait).
		Msg("the object of a large message cannot be had now; it is asked for again later")
	if err := q.Extend(context.WithoutCancel(ctx), []string{m.Receipt}, wait); err != nil {
		q.cfg.Log.Warn().Err(err).Msg("a claim could not be put off; it comes back sooner")
	}
	return m, true
}
