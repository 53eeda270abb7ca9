// Command zombiezen replays a trace through zombiezen.com/go/sqlite, another
// interface to modernc.org/sqlite's translation of SQLite.
package main

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"sundew/infra/bench/floor/drivers/replay"
)

func main() { replay.Main(open) }

func open(path string) (replay.Database, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	return database{conn}, nil
}

type database struct{ *sqlite.Conn }

func (d database) Prepare(text string) (replay.Statement, error) {
	s, _, err := d.PrepareTransient(text)
	if err != nil {
		return nil, err
	}
	return statement{d.Conn, s}, nil
}

type statement struct {
	conn *sqlite.Conn
	*sqlite.Stmt
}

func (s statement) Close() error { return s.Finalize() }

func (s statement) bind(args []any) error {
	for i, a := range args {
		switch a := a.(type) {
		case nil:
			s.BindNull(i + 1)
		case int64:
			s.BindInt64(i+1, a)
		case float64:
			s.BindFloat(i+1, a)
		case string:
			s.BindText(i+1, a)
		case []byte:
			s.BindBytes(i+1, a)
		default:
			return fmt.Errorf("a parameter of type %T", a)
		}
	}
	return nil
}

func (s statement) Exec(args []any) error {
	if err := s.bind(args); err != nil {
		return err
	}
	for {
		more, err := s.Step()
		if err != nil {
			return err
		}
		if !more {
			_ = s.conn.Changes()
			return s.reset()
		}
	}
}

func (s statement) reset() error {
	if err := s.Reset(); err != nil {
		return err
	}
	return s.ClearBindings()
}

func (s statement) Query(args []any, most int) error {
	if err := s.bind(args); err != nil {
		return err
	}
	for ; most > 0; most-- {
		more, err := s.Step()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		for i := range s.ColumnCount() {
			if s.ColumnType(i) == sqlite.TypeInteger {
				_ = s.ColumnInt64(i)
			} else {
				_ = s.ColumnText(i)
			}
		}
	}
	return s.reset()
}
