package dashboard

import (
	"context"

	"sundew/digester/access"
	"sundew/digester/store"
)

// maxErrands bounds what waits for Run.
const maxErrands = 256

// errand is a transaction that no answer waits for.
type errand struct {
	why string
	do  func(tx *store.Tx) error
}

// later has Run do something soon: what an answer must not take longer for, since
// that would tell whether there is an account. If too much waits already it is not
// done.
func (d *Dashboard) later(why string, do func(tx *store.Tx) error) {
	select {
	case d.errands <- errand{why, do}:
	default:
		d.cfg.Log.Warn().Str("errand", why).Msg("too much to do: left undone")
	}
}

// Run does until ctx is done what no answer waits for. A dashboard of a copy has
// nothing of the kind.
func (d *Dashboard) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-d.errands:
			d.runErrand(ctx, e)
		}
	}
}

func (d *Dashboard) runErrand(ctx context.Context, e errand) {
	if err := d.cfg.DB.Write(ctx, e.why, e.do); err != nil && ctx.Err() == nil {
		d.cfg.Log.Error().Err(err).Str("errand", e.why).Msg("left undone")
	}
}

// noteRefused notes that somebody tried to sign in as a user and could not.
func (d *Dashboard) noteRefused(user store.User, address string) {
	d.later("sign-in refused", func(tx *store.Tx) error {
		return tx.Audit(access.Person{}, store.AuditEntry{Action: "session.refuse", Subject: user.Email, Address: address})
	})
}
