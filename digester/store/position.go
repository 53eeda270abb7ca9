package store

import (
	"context"
	"time"
)

// Position is how far a database has come, the same in the primary and in a copy
// that has all of its transactions up to that one.
type Position struct {
	Number int64     // grows by one with each Write and each Barrier
	At     time.Time // when the last of them was made, by the primary's clock
}

// moveOn makes the next position.
const moveOn = `UPDATE digest_state SET batch = batch + 1, updated_at = ? WHERE id = 1 RETURNING batch`

// advance gives a transaction its position.
func (tx *Tx) advance() error {
	return tx.q.QueryRowContext(tx.ctx, moveOn, ms(tx.now)).Scan(&tx.position)
}

// Position returns where the database will be once the transaction of a
// DB.Write is committed.
func (tx *Tx) Position() int64 { return tx.position }

// Position returns where the database is in this snapshot.
func (rx *Rx) Position() (Position, error) {
	var p Position
	var at int64
	err := rx.q.QueryRowContext(rx.ctx, `SELECT batch, updated_at FROM digest_state WHERE id = 1`).Scan(&p.Number, &at)
	if at > 0 {
		p.At = time.UnixMilli(at).UTC()
	}
	return p, err
}

// Position returns where the database is now.
func (r *Replica) Position(ctx context.Context) (Position, error) {
	var p Position
	err := r.Read(ctx, func(rx *Rx) (err error) {
		p, err = rx.Position()
		return err
	})
	return p, err
}
