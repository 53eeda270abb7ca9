package hrana

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"time"
)

// Connector lets database/sql use a client: each connection of its pool is a
// stream. Transactions that may write begin with BEGIN IMMEDIATE, those of
// sql.TxOptions.ReadOnly with BEGIN, which the first query brings along.
//
// There are no prepared statements on a server; a text that is prepared is sent
// again each time. sql.Conn.Raw gives the *Conn, and its Stream.
func (c *Client) Connector() driver.Connector { return connector{c} }

type connector struct{ client *Client }

func (c connector) Connect(context.Context) (driver.Conn, error) {
	return &Conn{stream: c.client.Stream()}, nil
}

func (c connector) Driver() driver.Driver { return noDriver{} }

// noDriver is what database/sql wants to know the name of.
type noDriver struct{}

func (noDriver) Open(string) (driver.Conn, error) {
	return nil, errors.New("hrana connections come from a Client")
}

// closesWithin bounds giving back a stream, which database/sql has no context for.
const closesWithin = time.Second

// Conn is a connection of database/sql.
type Conn struct {
	stream *Stream
	begin  string // a BEGIN that was not sent yet
}

// Stream returns what the connection talks through. It must not be left inside
// of a transaction.
func (c *Conn) Stream() *Stream { return c.stream }

// Ping runs a statement.
func (c *Conn) Ping(ctx context.Context) error {
	_, err := c.run(ctx, "SELECT 1", nil)
	return err
}

// IsValid reports whether the connection goes back to the pool: not with
// something open or lost.
func (c *Conn) IsValid() bool { return !c.stream.open && c.stream.broken == nil && c.begin == "" }

// Close gives the stream back.
func (c *Conn) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closesWithin)
	defer cancel()
	_ = c.stream.Close(ctx) // the server closes it soon enough
	return nil
}

// Begin is BeginTx for those who have no context.
func (c *Conn) Begin() (driver.Tx, error) { return c.BeginTx(context.Background(), driver.TxOptions{}) }

// BeginTx begins a transaction.
func (c *Conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if opts.Isolation != driver.IsolationLevel(sql.LevelDefault) {
		return nil, errors.New("transactions have one isolation level")
	}
	if opts.ReadOnly {
		c.begin = "BEGIN"
		return transaction{c}, nil
	}
	if _, err := c.run(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		return nil, err
	}
	return transaction{c}, nil
}

type transaction struct{ conn *Conn }

func (t transaction) Commit() error   { return t.end("COMMIT") }
func (t transaction) Rollback() error { return t.end("ROLLBACK") }

func (t transaction) end(statement string) error {
	if t.conn.begin != "" { // nothing was sent
		t.conn.begin = ""
		return nil
	}
	_, err := t.conn.run(context.Background(), statement, nil) // Config.Timeout bounds it
	return err
}

// run runs one statement, after a BEGIN that waits for it.
func (c *Conn) run(ctx context.Context, text string, args []driver.NamedValue) (Result, error) {
	var all [2]Statement
	n := 0
	if c.begin != "" {
		all[0] = Statement{SQL: c.begin}
		n, c.begin = 1, ""
	}
	all[n] = Statement{SQL: text, Args: make([]any, len(args))}
	for i, a := range args {
		all[n].Args[i] = a.Value
	}
	results, err := c.stream.Run(ctx, all[:n+1]...)
	if err != nil {
		return Result{}, err
	}
	return results[n], nil
}

// ExecContext runs a statement for its effect.
func (c *Conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	r, err := c.run(ctx, text, args)
	return effect(r), err
}

// effect is driver.Result.
type effect Result

func (e effect) LastInsertId() (int64, error) { return e.LastID, nil }
func (e effect) RowsAffected() (int64, error) { return e.Changed, nil }

// QueryContext runs a statement for its rows, which come all at once.
func (c *Conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	r, err := c.run(ctx, text, args)
	if err != nil {
		return nil, err
	}
	return &rows{r, r.Rows}, nil
}

// rows is driver.Rows over what is there already.
type rows struct {
	result Result
	rest   [][]any
}

func (r *rows) Columns() []string { return r.result.Columns }
func (r *rows) Close() error      { return nil }

func (r *rows) Next(dest []driver.Value) error {
	if len(r.rest) == 0 {
		return io.EOF
	}
	for i, v := range r.rest[0] {
		dest[i] = v
		// The table in which goose counts migrations has times, and goose wants
		// them as such.
		if text, ok := v.(string); ok && r.result.declared[i] == "TIMESTAMP" {
			if at, err := time.Parse(timeFormat, text); err == nil {
				dest[i] = at
			}
		}
	}
	r.rest = r.rest[1:]
	return nil
}

// Prepare keeps the text.
func (c *Conn) Prepare(text string) (driver.Stmt, error) { return &statement{c, text}, nil }

// statement is driver.Stmt.
type statement struct {
	conn *Conn
	text string
}

func (s *statement) Close() error  { return nil }
func (s *statement) NumInput() int { return -1 } // the server counts

func (s *statement) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.ExecContext(ctx, s.text, args)
}

func (s *statement) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.QueryContext(ctx, s.text, args)
}

func (s *statement) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), named(args))
}

func (s *statement) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), named(args))
}

func named(args []driver.Value) []driver.NamedValue {
	all := make([]driver.NamedValue, len(args))
	for i, a := range args {
		all[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return all
}
