package keeper

import (
	"context"
	"time"

	"sundew/digester/loop"
	"sundew/digester/retention"
	"sundew/digester/store"
	"sundew/schema/event"
)

// tidy removes what is old beside events: feedback and files, values of tags, and
// issues of which nothing else is left.
func (k *Keeper) tidy(ctx context.Context, project event.ProjectID, policy retention.Policy) error {
	now := k.cfg.Now()
	cutoff, _ := policy.Cutoff(now)
	forgotten, _ := policy.Forgotten(now)
	if err := k.while(ctx, "remove old feedback",
		func(rx *store.Rx) (bool, error) { return rx.OldAside(project, cutoff) },
		func(tx *store.Tx) (bool, error) { return tx.RemoveOldAside(project, cutoff) }); err != nil {
		return err
	}
	return k.issues(ctx, project, func(s store.IssueStock) error {
		if s.FirstSeen.Before(cutoff) {
			if err := k.tidyTags(ctx, s.ID, cutoff); err != nil {
				return err
			}
		}
		if s.Stored > 0 || s.State > store.StateMuted || !s.LastSeen.Before(forgotten) {
			return nil
		}
		_, err := k.write(ctx, "forget an issue", func(tx *store.Tx) (bool, error) { return tx.ForgetIssue(s.ID, forgotten) })
		return err
	})
}

// tidyTags removes the values of an issue's tags that have not been seen since a time.
func (k *Keeper) tidyTags(ctx context.Context, issue int64, cutoff time.Time) error {
	for after := new(store.TagPlace); after != nil; {
		var old []store.TagPlace
		err := k.read(ctx, func(rx *store.Rx) (err error) {
			from := *after
			old, after, err = rx.OldTags(issue, cutoff, from, tagsRead)
			return err
		})
		if err != nil {
			return err
		}
		for len(old) > 0 {
			some := old[:min(len(old), weighed)]
			old = old[len(some):]
			if _, err := k.write(ctx, "remove old tags", func(tx *store.Tx) (bool, error) { return false, tx.RemoveTags(issue, some, cutoff) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// tidyAudit removes old lines of the audit log.
func (k *Keeper) tidyAudit(ctx context.Context) error {
	now := k.cfg.Now()
	return k.while(ctx, "remove old audit log", func(rx *store.Rx) (bool, error) { return rx.OldAudit(now) }, (*store.Tx).RemoveOldAudit)
}

// while writes if there is something to do, for as long as there is.
func (k *Keeper) while(ctx context.Context, why string, is func(*store.Rx) (bool, error), do func(*store.Tx) (bool, error)) error {
	var more bool
	err := k.read(ctx, func(rx *store.Rx) (err error) {
		more, err = is(rx)
		return err
	})
	for more && err == nil {
		more, err = k.write(ctx, why, do)
	}
	return err
}

// write is one transaction and the pause behind it.
func (k *Keeper) write(ctx context.Context, why string, do func(*store.Tx) (bool, error)) (result bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	took, err := timed(ctx, k.cfg.DB, why, func(tx *store.Tx) (err error) {
		result, err = do(tx)
		return err
	})
	if err == nil {
		loop.Pause(ctx, rest*took)
	}
	return result, err
}
