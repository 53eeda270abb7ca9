package shelf_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync/atomic"
)

// errTorn is what a commit that was made to fail says.
var errTorn = errors.New("the connection broke")

// commits makes commits fail: their transaction is applied or not, and nobody is told
// which.
type commits struct {
	until   atomic.Int32 // how many commits are fine until one fails; below 0: all
	applied bool
}

func (c *commits) wrap(of driver.Connector) driver.Connector { return tornConnector{of, c} }

// fails counts a commit.
func (c *commits) fails() bool { return c.until.Load() >= 0 && c.until.Add(-1) == -1 }

type tornConnector struct {
	driver.Connector
	c *commits
}

func (t tornConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := t.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return tornConn{conn.(fullConn), t.c}, nil
}

// fullConn and fullStmt are what the store asks of a driver.
type fullConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
}

type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type tornConn struct {
	fullConn
	c *commits
}

func (t tornConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := t.fullConn.PrepareContext(ctx, query)
	if err != nil || query != "COMMIT" {
		return s, err
	}
	return tornStmt{s.(fullStmt), t.c}, nil
}

type tornStmt struct {
	fullStmt
	c *commits
}

func (t tornStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if !t.c.fails() {
		return t.fullStmt.ExecContext(ctx, args)
	}
	if t.c.applied {
		if _, err := t.fullStmt.ExecContext(ctx, args); err != nil {
			return nil, err
		}
	}
	return nil, errTorn
}
