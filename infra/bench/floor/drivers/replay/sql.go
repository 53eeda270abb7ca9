package replay

import (
	"context"
	"database/sql"
	"errors"
)

// OpenSQL opens a database through database/sql, as the store does: one
// connection, prepared statements.
func OpenSQL(driver, dsn string) (Database, error) {
	ctx := context.Background()
	pool, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return sqlDB{ctx, pool, conn}, nil
}

type sqlDB struct {
	ctx  context.Context
	pool *sql.DB
	conn *sql.Conn
}

func (d sqlDB) Prepare(text string) (Statement, error) {
	s, err := d.conn.PrepareContext(d.ctx, text)
	return sqlStmt{d.ctx, s}, err
}

func (d sqlDB) Close() error { return errors.Join(d.conn.Close(), d.pool.Close()) }

type sqlStmt struct {
	ctx context.Context
	s   *sql.Stmt
}

func (s sqlStmt) Close() error { return s.s.Close() }

func (s sqlStmt) Exec(args []any) error {
	res, err := s.s.ExecContext(s.ctx, args...)
	if err != nil {
		return err
	}
	_, err = res.RowsAffected()
	return err
}

func (s sqlStmt) Query(args []any, most int) error {
	rows, err := s.s.QueryContext(s.ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, places := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		places[i] = &values[i]
	}
	for ; most > 0 && rows.Next(); most-- {
		if err := rows.Scan(places...); err != nil {
			return err
		}
	}
	return rows.Err()
}
