// Package replay runs a trace through a SQLite driver and times it.
//
// It exists so that each driver's program is only what the driver needs. They are
// a module of their own, because the product depends on one driver and should
// not download the others.
package replay

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"sundew/infra/bench/floor/trace"
)

// Database is one connection.
type Database interface {
	// Prepare makes a statement that is kept.
	Prepare(text string) (Statement, error)
	Close() error
}

// Statement is a prepared statement. Args are int64, float64, string, []byte or
// nil.
type Statement interface {
	// Exec runs it for its effect.
	Exec(args []any) error
	// Query runs it and reads up to so many rows of its result, all columns.
	Query(args []any, rows int) error
	Close() error
}

// Main is the main function of a driver's program, whose arguments are a trace
// and a database. It prints what the run took: nanoseconds, nanoseconds of the
// processor, and zeros for what it does not know.
func Main(open func(path string) (Database, error)) {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: PROGRAM TRACE DATABASE")
		os.Exit(2)
	}
	if err := run(open, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(open func(path string) (Database, error), file, path string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	t, err := trace.Decode(content)
	if err != nil {
		return err
	}
	db, err := open(path)
	if err != nil {
		return err
	}
	for _, pragma := range t.Setup {
		if err := once(db, pragma, trace.Call{Rows: 1}); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", pragma, err), db.Close())
		}
	}
	runtime.GC() // reading the trace is not part of it
	used, began := processor(), time.Now()
	if err := replay(db, t); err != nil {
		return errors.Join(err, db.Close())
	}
	fmt.Println(time.Since(began).Nanoseconds(), processor()-used, 0, 0)
	return db.Close()
}

func replay(db Database, t *trace.Trace) (err error) {
	kept := make([]Statement, len(t.Texts))
	defer func() {
		for _, s := range kept {
			if s != nil {
				err = errors.Join(err, s.Close())
			}
		}
	}()
	for _, c := range t.Calls {
		if c.Once {
			err = once(db, t.Texts[c.Text], c)
		} else {
			if kept[c.Text] == nil {
				if kept[c.Text], err = db.Prepare(t.Texts[c.Text]); err != nil {
					return err
				}
			}
			err = call(kept[c.Text], c)
		}
		if (err != nil) != c.Failed {
			return fmt.Errorf("%s: %w", t.Texts[c.Text], err)
		}
	}
	return nil
}

func once(db Database, text string, c trace.Call) error {
	s, err := db.Prepare(text)
	if err != nil {
		return err
	}
	return errors.Join(call(s, c), s.Close())
}

func call(s Statement, c trace.Call) error {
	if c.Rows < 0 {
		return s.Exec(c.Args)
	}
	return s.Query(c.Args, c.Rows)
}

// processor returns how many nanoseconds of processor time this program has used.
func processor() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
