package replay

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
)

// OpenRaw opens a database through the driver's own methods, without
// database/sql: what sql.Conn.Raw would give.
func OpenRaw(d driver.Driver, dsn string) (Database, error) {
	conn, err := d.Open(dsn)
	if err != nil {
		return nil, err
	}
	return rawDB{context.Background(), conn}, nil
}

type rawDB struct {
	ctx  context.Context
	conn driver.Conn
}

func (d rawDB) Close() error { return d.conn.Close() }

func (d rawDB) Prepare(text string) (Statement, error) {
	preparer, ok := d.conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, errors.New("the driver cannot prepare with a context")
	}
	s, err := preparer.PrepareContext(d.ctx, text)
	if err != nil {
		return nil, err
	}
	exec, canExec := s.(driver.StmtExecContext)
	query, canQuery := s.(driver.StmtQueryContext)
	if !canExec || !canQuery {
		return nil, errors.Join(errors.New("the driver's statements cannot run with a context"), s.Close())
	}
	return &rawStmt{ctx: d.ctx, s: s, exec: exec, query: query}, nil
}

type rawStmt struct {
	ctx   context.Context
	s     driver.Stmt
	exec  driver.StmtExecContext
	query driver.StmtQueryContext
	args  []driver.NamedValue // used again and again
}

func (s *rawStmt) Close() error { return s.s.Close() }

func (s *rawStmt) named(args []any) []driver.NamedValue {
	s.args = s.args[:0]
	for i, a := range args {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return s.args
}

func (s *rawStmt) Exec(args []any) error {
	res, err := s.exec.ExecContext(s.ctx, s.named(args))
	if err != nil {
		return err
	}
	_, err = res.RowsAffected()
	return err
}

func (s *rawStmt) Query(args []any, most int) error {
	rows, err := s.query.QueryContext(s.ctx, s.named(args))
	if err != nil {
		return err
	}
	values := make([]driver.Value, len(rows.Columns()))
	for ; most > 0; most-- {
		if err = rows.Next(values); err != nil {
			break
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, rows.Close())
}
