package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"sundew/schema/wire"
)

// querier is what reads need: the writer's connection inside a write
// transaction, a read transaction otherwise.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (cursor, error)
	QueryRowContext(ctx context.Context, query string, args ...any) row
}

// connection is the one that writes: the file's writer or a server's stream.
type connection interface {
	querier
	exec(ctx context.Context, query string, args ...any) (driver.Result, error)
}

// Rx is a read transaction: one consistent snapshot of the database. It is valid
// until the function that got it returns, for one goroutine.
type Rx struct {
	ctx   context.Context
	q     querier
	codec *wire.Codec
}

// Context returns the transaction's context. With it no other transaction begins:
// what runs inside of one should have no other context.
func (rx *Rx) Context() context.Context { return rx.ctx }

// ErrNested is returned by Write and Read inside of a transaction: an inner one
// could neither see nor undo what the outer one did, and a read that turned into
// a write would fail whenever somebody else wrote in between.
var ErrNested = errors.New("transactions do not nest")

type transactionKey struct{}

func inTransaction(ctx context.Context) context.Context {
	return context.WithValue(ctx, transactionKey{}, true)
}

func refuseNested(ctx context.Context) error {
	if ctx.Value(transactionKey{}) != nil {
		return ErrNested
	}
	return nil
}

// Tx is a write transaction. It can do all that an Rx can.
type Tx struct {
	Rx
	w           connection
	now         time.Time // the transaction's one timestamp
	position    int64
	afterCommit []func()
}

// Now returns the transaction's timestamp, the same for all that it writes.
func (tx *Tx) Now() time.Time { return tx.now }

// OnCommit runs f after the transaction is committed, and not at all if it is
// rolled back.
func (tx *Tx) OnCommit(f func()) { tx.afterCommit = append(tx.afterCommit, f) }

// exec runs a statement and returns how many rows it changed.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	res, err := tx.w.exec(tx.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// insert runs an INSERT and returns the new row's id.
func (tx *Tx) insert(query string, args ...any) (int64, error) {
	res, err := tx.w.exec(tx.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// setSync sets when commits are synced to disk. The PRAGMA takes effect when it
// is prepared, so it must never come from the statement cache (infra/sqlite-busy.md).
func (w *writer) setSync(ctx context.Context, mode string) error {
	return w.once(context.WithoutCancel(ctx), "PRAGMA synchronous = "+mode)
}

// ms is how times are stored: Unix milliseconds.
func ms(t time.Time) int64 { return t.UnixMilli() }

// fromMS is the inverse of ms; NULL is the zero time.
func fromMS(v sql.NullInt64) time.Time {
	if !v.Valid {
		return time.Time{}
	}
	return time.UnixMilli(v.Int64).UTC()
}

// hourOf is how hours are stored: hours since 1970.
func hourOf(t time.Time) int64 { return t.UnixMilli() / int64(time.Hour/time.Millisecond) }

func fromHour(h int64) time.Time { return time.UnixMilli(h * int64(time.Hour/time.Millisecond)).UTC() }
