package store

import (
	"context"
	"database/sql"
)

// cursor is a query's result, row by row; *sql.Rows is one.
type cursor interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// row is a result's only row; *sql.Row is one. Scan returns sql.ErrNoRows if
// there is none.
type row interface {
	Scan(dest ...any) error
}

// pooled is the querier of what database/sql has: a transaction, a connection.
type pooled struct {
	of interface {
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	}
}

func (p pooled) QueryContext(ctx context.Context, query string, args ...any) (cursor, error) {
	rows, err := p.of.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return rows, nil
}

func (p pooled) QueryRowContext(ctx context.Context, query string, args ...any) row {
	return p.of.QueryRowContext(ctx, query, args...)
}

// collect reads all rows into values: dest returns where a row's columns go.
func collect[T any](rows cursor, err error, dest func(*T) []any) ([]T, error) {
	return collectThen(rows, err, dest, func(*T) {})
}

// collectThen is collect with a step after each row, for columns that need
// converting.
func collectThen[T any](rows cursor, err error, dest func(*T) []any, then func(*T)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var v T
		if err := rows.Scan(dest(&v)...); err != nil {
			return nil, err
		}
		then(&v)
		all = append(all, v)
	}
	return all, rows.Err()
}

// one returns the only element, ErrNotFound if there is none.
func one[T any](all []T, err error) (T, error) {
	var zero T
	if err != nil {
		return zero, err
	}
	if len(all) == 0 {
		return zero, ErrNotFound
	}
	return all[0], nil
}

// collectHours reads rows of (owner, hour, count).
func collectHours[K comparable](rows cursor, err error) (map[K][]HourCount, error) {
	type row struct {
		owner K
		hour  int64
		count int64
	}
	all, err := collect(rows, err, func(r *row) []any { return []any{&r.owner, &r.hour, &r.count} })
	if err != nil {
		return nil, err
	}
	hours := make(map[K][]HourCount)
	for _, r := range all {
		hours[r.owner] = append(hours[r.owner], HourCount{Hour: fromHour(r.hour), Count: r.count})
	}
	return hours, nil
}
