package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// driverConn is what the writer needs of its driver's connection.
type driverConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
}

// driverStmt is what the writer needs of its driver's statements.
type driverStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// writer is the one connection that writes, with its prepared statements. The
// holder of DB.turn owns it.
//
// It is the driver's own and not database/sql's, which for each of a digest's
// dozen statements would lock, copy and convert as if others used the
// connection too: a tenth of the store's time.
type writer struct {
	conn  driverConn
	stmts map[string]*statement
}

// statement is a prepared statement with room for its arguments.
type statement struct {
	driverStmt
	args []driver.NamedValue
}

func newWriter(ctx context.Context, connector driver.Connector) (*writer, error) {
	c, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := c.(driverConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's connection, a %T, lacks methods that the writer needs", c), c.Close())
	}
	return &writer{conn: conn, stmts: make(map[string]*statement)}, nil
}

func (w *writer) close() error {
	var errs []error
	for _, s := range w.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

// prepared returns the statement for a text. The texts are constants of this
// package, so the map stays small.
func (w *writer) prepared(ctx context.Context, query string) (*statement, error) {
	if s, ok := w.stmts[query]; ok {
		return s, nil
	}
	s, err := w.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	own, ok := s.(driverStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's statement, a %T, lacks methods that the writer needs", s), s.Close())
	}
	w.stmts[query] = &statement{driverStmt: own}
	return w.stmts[query], nil
}

// exec runs a statement, prepared once.
func (w *writer) exec(ctx context.Context, query string, args ...any) (driver.Result, error) {
	s, err := w.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	if s.args, err = bind(s.args[:0], args); err != nil {
		return nil, err
	}
	result, err := s.ExecContext(ctx, s.args)
	clear(s.args) // what they hold may be large
	return result, err
}

// once runs a statement that must not be kept prepared.
func (w *writer) once(ctx context.Context, query string) error {
	_, err := w.conn.ExecContext(ctx, query, nil)
	return err
}

// onceRow is once for a statement that returns a row.
func (w *writer) onceRow(ctx context.Context, query string) row {
	r, err := w.conn.QueryContext(ctx, query, nil)
	if err != nil {
		return driverRow{err: err}
	}
	return driverRow{rows: newDriverRows(r)}
}

// QueryContext runs a query whose text may vary; it is not kept prepared.
func (w *writer) QueryContext(ctx context.Context, query string, args ...any) (cursor, error) {
	named, err := bind(nil, args)
	if err != nil {
		return nil, err
	}
	r, err := w.conn.QueryContext(ctx, query, named)
	if err != nil {
		return nil, err
	}
	return newDriverRows(r), nil
}

// QueryRowContext runs a query for one row, prepared once.
func (w *writer) QueryRowContext(ctx context.Context, query string, args ...any) row {
	s, err := w.prepared(ctx, query)
	if err != nil {
		return driverRow{err: err}
	}
	if s.args, err = bind(s.args[:0], args); err != nil {
		return driverRow{err: err}
	}
	r, err := s.QueryContext(ctx, s.args)
	clear(s.args)
	if err != nil {
		return driverRow{err: err}
	}
	return driverRow{rows: newDriverRows(r)}
}

// bind appends arguments as a driver takes them.
func bind(to []driver.NamedValue, args []any) ([]driver.NamedValue, error) {
	for i, a := range args {
		switch a.(type) {
		case int64, string, []byte, nil:
		default:
			var err error
			if a, err = driver.DefaultParameterConverter.ConvertValue(a); err != nil {
				return to, fmt.Errorf("argument %d: %w", i+1, err)
			}
		}
		to = append(to, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return to, nil
}

// driverRows is a cursor over a driver's rows.
type driverRows struct {
	rows   driver.Rows
	values []driver.Value
	err    error
}

func newDriverRows(r driver.Rows) *driverRows {
	return &driverRows{rows: r, values: make([]driver.Value, len(r.Columns()))}
}

func (r *driverRows) Next() bool {
	r.err = r.rows.Next(r.values)
	return r.err == nil
}

func (r *driverRows) Scan(dest ...any) error { return scan(r.values, dest) }

// scan puts a row's values into variables.
func scan[V any](values []V, dest []any) error {
	if len(dest) != len(values) {
		return fmt.Errorf("a row of %d columns was to go into %d variables", len(values), len(dest))
	}
	for i, d := range dest {
		if err := assign(d, values[i]); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return nil
}

func (r *driverRows) Err() error {
	if errors.Is(r.err, io.EOF) {
		return nil
	}
	return r.err
}

func (r *driverRows) Close() error { return r.rows.Close() }

// driverRow is the only row of a result.
type driverRow struct {
	rows *driverRows
	err  error // instead of rows
}

func (r driverRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	err := sql.ErrNoRows
	if r.rows.Next() {
		err = r.rows.Scan(dest...)
	} else if failed := r.rows.Err(); failed != nil {
		err = failed
	}
	if errClose := r.rows.Close(); err == nil {
		err = errClose
	}
	return err
}

// assign puts a driver's value into the variable that dest points to.
func assign(dest any, value driver.Value) error {
	if s, ok := dest.(sql.Scanner); ok {
		return s.Scan(value)
	}
	to := reflect.ValueOf(dest).Elem()
	switch v := value.(type) {
	case int64:
		switch {
		case to.CanInt() && !to.OverflowInt(v):
			to.SetInt(v)
			return nil
		case to.CanUint() && v >= 0 && !to.OverflowUint(uint64(v)):
			to.SetUint(uint64(v))
			return nil
		case to.Kind() == reflect.Bool && (v == 0 || v == 1):
			to.SetBool(v == 1)
			return nil
		case to.Kind() == reflect.String:
			to.SetString(fmt.Sprint(v))
			return nil
		}
	case float64:
		if to.CanFloat() {
			to.SetFloat(v)
			return nil
		}
	case string:
		if to.Kind() == reflect.String {
			to.SetString(v)
			return nil
		}
	case []byte:
		if b, ok := dest.(*[]byte); ok {
			*b = v
			return nil
		}
	case nil: // an empty BLOB too: the driver tells them apart no more than this
		if b, ok := dest.(*[]byte); ok {
			*b = nil
			return nil
		}
	}
	return fmt.Errorf("a %T does not fit a %s", value, to.Type())
}
