// Command ncruces replays a trace through github.com/ncruces/go-sqlite3, another
// translation of SQLite into Go, by way of WebAssembly.
package main

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"sundew/infra/bench/floor/drivers/replay"
)

func main() { replay.Main(open) }

func open(path string) (replay.Database, error) {
	conn, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READWRITE)
	if err != nil {
		return nil, err
	}
	return database{conn}, nil
}

type database struct{ *sqlite3.Conn }

func (d database) Prepare(text string) (replay.Statement, error) {
	s, _, err := d.Conn.Prepare(text)
	if err != nil {
		return nil, err
	}
	return statement{d.Conn, s}, nil
}

type statement struct {
	conn *sqlite3.Conn
	*sqlite3.Stmt
}

func (s statement) bind(args []any) error {
	for i, a := range args {
		var err error
		switch a := a.(type) {
		case nil:
			err = s.BindNull(i + 1)
		case int64:
			err = s.BindInt64(i+1, a)
		case float64:
			err = s.BindFloat(i+1, a)
		case string:
			err = s.BindText(i+1, a)
		case []byte:
			err = s.BindBlob(i+1, a)
		default:
			err = fmt.Errorf("a parameter of type %T", a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s statement) Exec(args []any) error {
	if err := s.bind(args); err != nil {
		return err
	}
	if err := s.Stmt.Exec(); err != nil {
		return err
	}
	_ = s.conn.Changes()
	return s.ClearBindings()
}

func (s statement) Query(args []any, most int) error {
	if err := s.bind(args); err != nil {
		return err
	}
	for ; most > 0 && s.Step(); most-- {
		for i := range s.ColumnCount() {
			if s.ColumnType(i) == sqlite3.INTEGER {
				_ = s.ColumnInt64(i)
			} else {
				_ = s.ColumnText(i)
			}
		}
	}
	if err := s.Reset(); err != nil {
		return err
	}
	return s.ClearBindings()
}
