package store

import (
	"context"
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrCommitUnknown says that a COMMIT failed in a way that leaves open whether it
// took effect. Nothing may be concluded from it: the process has to end, and
// the queue to deliver again, which exactly-once makes safe.
var ErrCommitUnknown = errors.New("the outcome of a commit is unknown")

// ErrInvalid is wrapped by errors that say what is wrong with a caller's values.
var ErrInvalid = errors.New("invalid")

// Kind is what an error of the database leads to.
type Kind int

// The kinds of error.
const (
	KindOther       Kind = iota // not an error of the database, or nil
	KindBusy                    // somebody holds the lock: run the transaction again
	KindStale                   // the snapshot is too old to write from: run the transaction again
	KindLocked                  // a connection of a shared cache holds a table: run the transaction again
	KindConstraint              // an assumption of the transaction was wrong
	KindInterrupted             // a deadline passed
	KindFatal                   // disk full, I/O error, corruption, read-only, outcome unknown: stop digesting
)

// KindOf is the one place that decides what an error means. It looks at SQLite's
// extended result codes (www.sqlite.org/rescode.html), never at texts.
func KindOf(err error) Kind {
	if errors.Is(err, ErrCommitUnknown) {
		return KindFatal
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return KindInterrupted
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return KindOther
	}
	if e.Code() == sqlite3.SQLITE_BUSY_SNAPSHOT {
		return KindStale
	}
	switch e.Code() & 0xff { // the primary code
	case sqlite3.SQLITE_BUSY:
		return KindBusy
	case sqlite3.SQLITE_LOCKED:
		return KindLocked
	case sqlite3.SQLITE_CONSTRAINT:
		return KindConstraint
	case sqlite3.SQLITE_INTERRUPT:
		return KindInterrupted
	}
	return KindFatal
}

// isUnique reports whether err is a violated UNIQUE or PRIMARY KEY.
func isUnique(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) &&
		(e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || e.Code() == sqlite3.SQLITE_CONSTRAINT_ROWID)
}
