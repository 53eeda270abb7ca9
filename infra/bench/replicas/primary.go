package main

import (
	"context"

	"sundew/digester/dashboard"
	"sundew/digester/store"
)

// primary is the database that is written, of either kind.
type primary struct {
	db     *store.DB
	shop   store.Project
	seq    uint64
	secret string // of a session, which the copy has too
}

func newPrimary(ctx context.Context, db *store.DB) (*primary, error) {
	p := &primary{db: db}
	err := db.Write(ctx, "project and owner", func(tx *store.Tx) (err error) {
		if p.shop, err = tx.CreateProject("Shop"); err != nil {
			return err
		}
		owner, err := dashboard.MakeOwner(tx, "owner@example.com", "Owner", "")
		if err == nil {
			p.secret, err = tx.CreateSession(owner.ID, store.FactorAll, "127.0.0.1", "bench")
		}
		return err
	})
	return p, err
}

// batch stores n events, each in a transaction, makes them durable and returns the
// position then.
func (p *primary) batch(ctx context.Context, n int) (position int64, err error) {
	ins := make([]*store.Incoming, n)
	for i := range ins {
		p.seq++
		ins[i] = newEvent(p.shop.ID, p.seq)
	}
	for _, o := range p.db.DigestBatch(ctx, ins) {
		if o.Err != nil {
			return 0, o.Err
		}
	}
	err = p.db.Write(ctx, "batch", func(tx *store.Tx) error {
		position = tx.Position()
		return nil
	})
	return position, err
}
