package store

import (
	"errors"

	"sundew/digester/store/hrana"
)

// errNotDurable says that a libSQL server does not sync its commits. Digesting is
// held then: a message must not be deleted whose event may be lost.
var errNotDurable = errors.New("the libSQL server does not sync commits to disk (PRAGMA synchronous is not FULL); " +
	`start it with --enable-namespaces and set {"durability_mode":"strong"} for the namespace by its admin API`)

// serverError is an error of a libSQL server, or of the network before it.
type serverError struct{ err error }

// fromServer marks an error as such; nil stays nil.
func fromServer(err error) error {
	if err == nil {
		return nil
	}
	return &serverError{err}
}

func (e *serverError) Error() string { return e.err.Error() }
func (e *serverError) Unwrap() error { return e.err }

// kind is what the error leads to. That the outcome of a request is unknown is
// no reason to end the process, because a server that forgot nothing is asked
// again: see DB.digestRemote. Only of a COMMIT that nobody repeats it is
// KindUnknown (commitError).
func (e *serverError) kind() Kind {
	if errors.Is(e.err, errNotDurable) {
		return KindIO
	}
	switch hrana.KindOf(e.err) {
	case hrana.KindAssumption, hrana.KindConstraint:
		return KindConstraint
	case hrana.KindStatement:
		return e.ofStatement()
	case hrana.KindBusy:
		return KindBusy
	case hrana.KindStolen:
		return KindTimeout
	case hrana.KindExpired:
		return KindStale
	case hrana.KindRefused:
		return KindReadOnly
	case hrana.KindFull:
		return KindFull
	case hrana.KindIO:
		return KindIO
	}
	return KindAway
}

// ofStatement tells apart what a message's values can cause.
func (e *serverError) ofStatement() Kind {
	var says *hrana.Error
	if errors.As(e.err, &says) {
		switch says.Code {
		case "SQLITE_TOOBIG", "SQLITE_MISMATCH", "SQLITE_RANGE", "ARGS_INVALID": // the last is a value that is too long
			return KindValue
		}
	}
	return KindInternal
}

// nothingCommitted reports whether a COMMIT that failed so did nothing.
func (e *serverError) nothingCommitted() bool {
	switch hrana.KindOf(e.err) {
	case hrana.KindConstraint, hrana.KindBusy, hrana.KindStolen, hrana.KindFull, hrana.KindExpired, hrana.KindRefused, hrana.KindUnreachable:
		return true
	}
	return false
}
