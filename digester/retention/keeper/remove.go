package keeper

import (
	"context"
	"time"

	"sundew/digester/loop"
	"sundew/digester/retention"
	"sundew/digester/store"
)

// Remove removes events by their rows' ids, in transactions that the budget says how
// large to make and a pause behind each. It returns how many were still there, and the
// budget to go on with. why names the transactions in metrics.
func Remove(ctx context.Context, db *store.DB, replica *store.Replica, budget retention.Budget, why string, ids []int64) (gone int64, _ retention.Budget, err error) {
	var weights []store.EventWeight
	err = replica.Read(ctx, func(rx *store.Rx) (err error) {
		weights, err = rx.EventWeights(ids)
		return err
	})
	sizes := make([]int64, len(weights))
	ids = make([]int64, len(weights))
	for i, w := range weights {
		ids[i], sizes[i] = w.ID, w.Bytes
	}
	for len(ids) > 0 && err == nil {
		if err := ctx.Err(); err != nil {
			return gone, budget, err
		}
		n := budget.Fits(sizes)
		var removed int64
		var took time.Duration
		removed, took, err = db.RemoveEvents(ctx, why, ids[:n])
		ids, sizes = ids[n:], sizes[n:]
		gone, budget = gone+removed, budget.After(took)
		loop.Pause(ctx, rest*took)
	}
	return gone, budget, err
}

// timed writes and returns how long the transaction took, without what it waited.
func timed(ctx context.Context, db *store.DB, why string, do func(*store.Tx) error) (took time.Duration, err error) {
	err = db.Write(ctx, why, func(tx *store.Tx) error {
		began := time.Now()
		tx.OnCommit(func() { took = time.Since(began) })
		return do(tx)
	})
	return took, err
}
