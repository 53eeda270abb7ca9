package store

import (
	"context"
	"database/sql/driver"
)

// ForgetAll makes a digester know as little as one that has just started.
func ForgetAll(d *DB) { d.forgetAll() }

// counter counts statements.
type counter struct {
	connection
	n int
}

func (c *counter) QueryContext(ctx context.Context, query string, args ...any) (cursor, error) {
	c.n++
	return c.connection.QueryContext(ctx, query, args...)
}

func (c *counter) QueryRowContext(ctx context.Context, query string, args ...any) row {
	c.n++
	return c.connection.QueryRowContext(ctx, query, args...)
}

func (c *counter) exec(ctx context.Context, query string, args ...any) (driver.Result, error) {
	c.n++
	return c.connection.exec(ctx, query, args...)
}

// CountStatements returns how many statements fn has a transaction run.
func CountStatements(tx *Tx, fn func(tx *Tx) error) (int, error) {
	c := &counter{connection: tx.w}
	counted := *tx
	counted.q, counted.w = c, c
	err := fn(&counted)
	return c.n, err
}
