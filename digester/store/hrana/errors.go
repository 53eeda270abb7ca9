package hrana

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// Error is what a server answers. Its Message may quote parts of a statement, and
// never parameters.
type Error struct {
	Status  int    `json:"-"`       // of HTTP, if the whole request was refused
	Code    string `json:"code"`    // SQLITE_CONSTRAINT, TRANSACTION_TIMEOUT … may be empty
	Message string `json:"message"` // for people
}

func (e *Error) Error() string {
	if e.Status != 0 {
		return fmt.Sprintf("the libSQL server answered %d: %s", e.Status, e.Message)
	}
	return fmt.Sprintf("%s (%s)", e.Message, e.Code)
}

// Kind is what an error means for what was to be done:
//
//	kind         of what                          what is in the database
//	-----------  -------------------------------  ---------------------------------------
//	Assumption   Statement.OneRow                 nothing of the transaction
//	Constraint   SQLITE_CONSTRAINT                the statement did nothing
//	Statement    SQL, parameters, any other code  the statement did nothing
//	             of SQLite
//	Busy         SQLITE_BUSY, SQLITE_LOCKED       the statement did nothing
//	Stolen       TRANSACTION_TIMEOUT              nothing of the transaction: a waiter took the
//	                                              lock after five seconds
//	Expired      the stream is not known          nothing of the request or the transaction
//	Refused      401, 403, blocked, read-only     nothing of the request
//	Full, IO     SQLITE_FULL, SQLITE_IOERR …      nothing, unless a COMMIT failed so
//	Unreachable  no connection                    nothing of the request
//	Unknown      everything else                  nobody knows: connect anew and see
type Kind int

// The kinds. The zero Kind is that of no error.
const (
	KindNone Kind = iota
	KindAssumption
	KindConstraint
	KindStatement
	KindBusy
	KindStolen
	KindExpired
	KindRefused
	KindFull
	KindIO
	KindUnreachable
	KindUnknown
)

// ErrAssumption is wrapped by the outcome of a transaction of which a statement
// did not change exactly one row.
var ErrAssumption = errors.New("an assumption was wrong")

// KindOf decides what an error of this package means.
func KindOf(err error) Kind {
	if err == nil {
		return KindNone
	}
	if errors.Is(err, ErrAssumption) {
		return KindAssumption
	}
	var e *Error
	if errors.As(err, &e) {
		return e.kind()
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return KindUnreachable
	}
	return KindUnknown
}

func (e *Error) kind() Kind {
	switch e.Status {
	case 0:
		return kindOfCode(e.Code)
	case http.StatusBadRequest:
		// The server reads a request before it runs any of it, and this package
		// writes valid ones: the stream is not known any more. Expired ones have a
		// code, those of a server's former life a text only.
		return KindExpired
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return KindRefused
	}
	return KindUnknown
}

func kindOfCode(code string) Kind {
	switch code {
	case "SQLITE_CONSTRAINT":
		return KindConstraint
	case "SQLITE_BUSY", "SQLITE_LOCKED":
		return KindBusy
	case "TRANSACTION_TIMEOUT", "TRANSACTION_BUSY":
		return KindStolen
	case "STREAM_EXPIRED":
		return KindExpired
	case "BLOCKED", "AUTH_INVALID", "SQLITE_AUTH", "SQLITE_READONLY", "SQLITE_PERM":
		return KindRefused
	case "SQLITE_FULL":
		return KindFull
	case "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_CORRUPT", "SQLITE_NOTADB":
		return KindIO
	case "SQL_PARSE_ERROR", "SQL_NO_STATEMENT", "SQL_MANY_STATEMENTS", "ARGS_INVALID", "ARGS_BOTH_POSITIONAL_AND_NAMED":
		return KindStatement
	}
	if strings.HasPrefix(code, "SQLITE_") {
		return KindStatement
	}
	return KindUnknown
}
