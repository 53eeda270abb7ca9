package dashboard

import (
	"context"
	"sync"
	"time"

	"sundew/digester/store"
)

// usesEvery is how exactly it is known when sessions and tokens were last used.
const usesEvery = time.Minute

// uses collects them, so that looking at a page writes nothing. Its zero value is
// ready; it is safe for concurrent use. What a copy collects is never written.
type uses struct {
	mu   sync.Mutex
	last store.Uses // guarded by mu
}

// session notes that a session is used that was last seen at a time.
func (u *uses) session(id int64, seen, now time.Time) {
	u.note(&u.last.Sessions, id, seen, now)
}

// token is session for a token.
func (u *uses) token(id int64, used, now time.Time) { u.note(&u.last.Tokens, id, used, now) }

func (u *uses) note(in *map[int64]time.Time, id int64, known, now time.Time) {
	if now.Sub(known) < usesEvery {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if *in == nil {
		*in = make(map[int64]time.Time)
	}
	(*in)[id] = now
}

// NoteToken notes that a token is used which was known to be used before at a time:
// what else takes tokens tells it.
func (d *Dashboard) NoteToken(id int64, known, now time.Time) { d.uses.token(id, known, now) }

// take returns what was collected, and begins anew.
func (u *uses) take() store.Uses {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.last
	u.last = store.Uses{}
	return taken
}

// KeepUses writes when sessions and tokens were last used, once a minute in one
// transaction, until ctx is done. What could not be written is forgotten: it is only
// for people to look at.
func (d *Dashboard) KeepUses(ctx context.Context) {
	ticker := time.NewTicker(usesEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			d.writeUses(ctx)
		case <-ctx.Done():
			d.writeUses(context.WithoutCancel(ctx))
			return
		}
	}
}

func (d *Dashboard) writeUses(ctx context.Context) {
	taken := d.uses.take()
	if len(taken.Sessions)+len(taken.Tokens) == 0 {
		return
	}
	if err := d.cfg.DB.Write(ctx, "last uses", func(tx *store.Tx) error { return tx.NoteUses(taken) }); err != nil {
		d.cfg.Log.Warn().Err(err).Msg("when sessions and tokens were last used could not be written")
	}
}
