package trace

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Recorder keeps what goes through the connections of the connectors it wraps.
// Its trace is one sequence, so only one connection should be in use.
type Recorder struct {
	mu     sync.Mutex
	on     bool
	places map[string]int
	trace  Trace
	conn   driver.QueryerContext // the newest one, as the driver made it
}

// NewRecorder returns a recorder that does not record yet.
func NewRecorder() *Recorder { return &Recorder{places: make(map[string]int)} }

// settings are what a connection starts with beside what is in the file, as far
// as it changes how much work a statement is.
var settings = []string{
	"busy_timeout", "cache_size", "cache_spill", "foreign_keys", "journal_size_limit", "locking_mode",
	"mmap_size", "secure_delete", "synchronous", "temp_store", "wal_autocheckpoint",
}

// Start begins to record. The connection must be open, and nobody using it.
func (r *Recorder) Start(ctx context.Context) error {
	if r.conn == nil {
		return errors.New("there is no connection to record")
	}
	for _, name := range settings {
		value, err := setting(ctx, r.conn, name)
		if err != nil {
			return fmt.Errorf("asking for %s: %w", name, err)
		}
		r.trace.Setup = append(r.trace.Setup, fmt.Sprintf("PRAGMA %s = %v", name, value))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on = true
	return nil
}

func setting(ctx context.Context, c driver.QueryerContext, name string) (driver.Value, error) {
	rows, err := c.QueryContext(ctx, "PRAGMA "+name, nil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	value := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(value); err != nil {
		return nil, err
	}
	return value[0], nil
}

// Stop ends recording and returns what was recorded.
func (r *Recorder) Stop() *Trace {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on = false
	return &r.trace
}

// Wrap returns a connector whose connections are recorded.
func (r *Recorder) Wrap(c driver.Connector) driver.Connector { return connector{c, r} }

// add records a call and returns its place, -1 while nothing is recorded.
func (r *Recorder) add(text string, once, query bool, args []driver.NamedValue, err error) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.on {
		return -1
	}
	place, known := r.places[text]
	if !known {
		place = len(r.trace.Texts)
		r.places[text] = place
		r.trace.Texts = append(r.trace.Texts, text)
	}
	c := Call{Text: place, Once: once, Failed: err != nil, Rows: -1}
	if query {
		c.Rows = 0
	}
	for _, a := range args {
		v := a.Value
		if b, ok := v.([]byte); ok {
			v = append([]byte{}, b...) // the caller may use it again
		}
		c.Args = append(c.Args, v)
	}
	r.trace.Calls = append(r.trace.Calls, c)
	return len(r.trace.Calls) - 1
}

// read counts a row that was read of a call's result.
func (r *Recorder) read(call int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if call >= 0 {
		r.trace.Calls[call].Rows++
	}
}

type connector struct {
	driver.Connector
	r *Recorder
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	under, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	own, ok := under.(fullConn)
	if !ok {
		return nil, errors.Join(errors.New("the driver's connections lack methods that a recorder needs"), under.Close())
	}
	c.r.conn = own
	return conn{own, c.r}, nil
}

// fullConn is what modernc's connections can do.
type fullConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

type conn struct {
	fullConn
	r *Recorder
}

func (c conn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	s, err := c.fullConn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	own, ok := s.(fullStmt)
	if !ok {
		return nil, errors.Join(errors.New("the driver's statements lack methods that a recorder needs"), s.Close())
	}
	return stmt{own, c.r, text}, nil
}

func (c conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	res, err := c.fullConn.ExecContext(ctx, text, args)
	c.r.add(text, true, false, args, err)
	return res, err
}

func (c conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	under, err := c.fullConn.QueryContext(ctx, text, args)
	call := c.r.add(text, true, true, args, err)
	if err != nil {
		return nil, err
	}
	return rows{under, c.r, call}, nil
}

type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type stmt struct {
	fullStmt
	r    *Recorder
	text string
}

func (s stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	res, err := s.fullStmt.ExecContext(ctx, args)
	s.r.add(s.text, false, false, args, err)
	return res, err
}

func (s stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	under, err := s.fullStmt.QueryContext(ctx, args)
	call := s.r.add(s.text, false, true, args, err)
	if err != nil {
		return nil, err
	}
	return rows{under, s.r, call}, nil
}

type rows struct {
	driver.Rows
	r    *Recorder
	call int
}

func (r rows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	if !errors.Is(err, io.EOF) {
		r.r.read(r.call)
	}
	return err
}
