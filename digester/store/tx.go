package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sundew/schema/wire"
)

// querier is what reads need: the writer's connection inside a write
// transaction, a read transaction otherwise.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
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
	w           *writer
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

// writer is the one connection that writes, with its prepared statements. The
// holder of DB.turn owns it.
type writer struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func newWriter(ctx context.Context, pool *sql.DB) (*writer, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", busyTimeout)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &writer{conn: conn, stmts: make(map[string]*sql.Stmt)}, nil
}

func (w *writer) close() error {
	for _, s := range w.stmts {
		s.Close()
	}
	return w.conn.Close()
}

// prepared returns the statement for a text. The texts are constants of this
// package, so the map stays small.
func (w *writer) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := w.stmts[query]; ok {
		return s, nil
	}
	s, err := w.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	w.stmts[query] = s
	return s, nil
}

func (w *writer) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := w.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// setSync sets when commits are synced to disk. The PRAGMA takes effect when it
// is prepared, so it must never come from the statement cache (infra/sqlite-busy.md).
func (w *writer) setSync(ctx context.Context, mode string) error {
	_, err := w.conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA synchronous = "+mode)
	return err
}

// QueryContext runs a query whose text may vary; it is not kept prepared.
func (w *writer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return w.conn.QueryContext(ctx, query, args...)
}

// QueryRowContext runs a query for one row, prepared once.
func (w *writer) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := w.prepared(ctx, query)
	if err != nil {
		return w.conn.QueryRowContext(ctx, query, args...) // reports the same error
	}
	return s.QueryRowContext(ctx, args...)
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
