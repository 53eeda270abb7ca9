package store

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrCommitUnknown says that a COMMIT failed in a way that leaves open whether it
// took effect. Nothing may be concluded from it: the process has to end, and
// the queue to deliver again, which exactly-once makes safe.
var ErrCommitUnknown = errors.New("the outcome of a commit is unknown")

// ErrInvalid is wrapped by errors that say what is wrong with a caller's values.
var ErrInvalid = errors.New("invalid")

// Kind is what an error of the database means, and so what it leads to:
//
//	kind         SQLite's codes               what it leads to
//	-----------  ---------------------------  ------------------------------------------
//	Busy         5 BUSY, 15 PROTOCOL          the whole transaction runs again
//	Recovery     261 BUSY_RECOVERY            likewise: a process that died is cleaned up after
//	Timeout      773 BUSY_TIMEOUT             likewise
//	Stale        517 BUSY_SNAPSHOT            likewise: only a new transaction has a new snapshot
//	Locked       6 LOCKED, 262 SHAREDCACHE    likewise
//	Constraint   19 CONSTRAINT                an assumption was wrong: another way through the
//	                                          transaction, or the message is left in the queue
//	Value        18 TOOBIG, 20 MISMATCH,      the message is left in the queue
//	             25 RANGE
//	Full         13 FULL                      digesting is held until there is room
//	IO           10 IOERR, 14 CANTOPEN        digesting is held until the disk works
//	ReadOnly     8 READONLY, 3 PERM, 23 AUTH  digesting is held until it may write
//	Corrupt      11 CORRUPT, 26 NOTADB,       digesting is held; people have to restore the file
//	             8202 DATA, 8458 CORRUPTFS
//	Interrupted  9 INTERRUPT, a context       digesting is held for a moment
//	Internal     every other code             digesting is held: nothing that a message can cause
//	Away         none: a libSQL server        digesting is held until it answers
//	             does not answer
//	Unknown      ErrCommitUnknown             the process ends, and finds out when it starts
//	Other        not the database's           up to who called
//
// The first five run again with a growing pause until the writer's deadline,
// never a single statement of them; after the deadline digesting is held.
type Kind int

// The kinds of error.
const (
	KindOther Kind = iota
	KindBusy
	KindRecovery
	KindTimeout
	KindStale
	KindLocked
	KindConstraint
	KindValue
	KindFull
	KindIO
	KindReadOnly
	KindCorrupt
	KindInterrupted
	KindInternal
	KindAway
	KindUnknown
)

// KindOf is the one place that decides what an error means. It looks at SQLite's
// extended result codes (www.sqlite.org/rescode.html), never at texts. Errors of
// the queue's file are told apart just as well. Those of a libSQL server: see
// servererror.go.
func KindOf(err error) Kind {
	if errors.Is(err, ErrCommitUnknown) {
		return KindUnknown
	}
	var remote *serverError
	if errors.As(err, &remote) {
		return remote.kind()
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return KindInterrupted
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return KindOther
	}
	return kindOfCode(e.Code())
}

// kindOfCode tells the extended codes apart that mean something else than their
// primary code.
func kindOfCode(code int) Kind {
	switch code {
	case sqlite3.SQLITE_BUSY_RECOVERY:
		return KindRecovery
	case sqlite3.SQLITE_BUSY_TIMEOUT:
		return KindTimeout
	case sqlite3.SQLITE_BUSY_SNAPSHOT:
		return KindStale
	case sqlite3.SQLITE_IOERR_DATA, sqlite3.SQLITE_IOERR_CORRUPTFS:
		return KindCorrupt
	}
	switch code & 0xff { // the primary code
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL:
		return KindBusy
	case sqlite3.SQLITE_LOCKED:
		return KindLocked
	case sqlite3.SQLITE_CONSTRAINT:
		return KindConstraint
	case sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE:
		return KindValue
	case sqlite3.SQLITE_FULL:
		return KindFull
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		return KindIO
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return KindReadOnly
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return KindCorrupt
	case sqlite3.SQLITE_INTERRUPT:
		return KindInterrupted
	}
	return KindInternal
}

// Again reports whether the whole transaction should simply run again.
func (k Kind) Again() bool {
	switch k {
	case KindBusy, KindRecovery, KindTimeout, KindStale, KindLocked:
		return true
	}
	return false
}

// Stops reports whether an error is about the database and not about what was to be
// written, or leaves open what became of it: nothing else should be tried then.
func Stops(err error) bool {
	kind := KindOf(err)
	return kind.Holds() || kind == KindUnknown
}

// Holds reports whether the error is about the database and not about what was
// to be written: whatever comes next would meet it too, so nothing is given up
// and everything waits.
func (k Kind) Holds() bool {
	switch k {
	case KindFull, KindIO, KindReadOnly, KindCorrupt, KindInterrupted, KindInternal, KindAway:
		return true
	}
	return k.Again()
}

// commitError returns what a failed COMMIT means. Whatever SQLite reports, the
// transaction is not committed for the rest of this process's life: BUSY and a
// violated foreign key leave it open, for the ROLLBACK that follows, and after
// FULL, IOERR and the others SQLite has rolled back by itself
// (www.sqlite.org/lang_transaction.html, "Response To Errors Within A
// Transaction"). A crash may still bring such a commit back, if its frames had
// all reached the WAL; its message is in the queue then, and is recognised.
//
// Two things are unknown. A failed fsync, after which no other can be believed:
// see DB.noteSync. And an error without a code. A libSQL server's errors say for
// themselves.
func commitError(err error) error {
	var remote *serverError
	if errors.As(err, &remote) && remote.nothingCommitted() {
		return err
	}
	var e *sqlite.Error
	if errors.As(err, &e) && !isFailedSync(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrCommitUnknown, err)
}

// isFailedSync reports whether an fsync failed, of the file or its directory.
func isFailedSync(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code() == sqlite3.SQLITE_IOERR_FSYNC || e.Code() == sqlite3.SQLITE_IOERR_DIR_FSYNC)
}

// noTransaction reports whether a ROLLBACK failed because there was nothing to
// roll back: SQLite had done it by itself.
func noTransaction(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code() == sqlite3.SQLITE_ERROR
}
