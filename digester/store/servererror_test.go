package store

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"sundew/digester/store/hrana"
)

// What a libSQL server or the network says leads to the same as what SQLite says of a
// file; and of a COMMIT it is known that it did nothing, or that nobody knows.
func TestServerErrors(t *testing.T) {
	for _, c := range []struct {
		err     error
		kind    Kind
		unknown bool // of a COMMIT
	}{
		{&hrana.Error{Code: "SQLITE_CONSTRAINT"}, KindConstraint, false},
		{fmt.Errorf("%w: %w", hrana.ErrAssumption, errStale), KindConstraint, true},
		{&hrana.Error{Code: "SQLITE_BUSY"}, KindBusy, false},
		{&hrana.Error{Code: "TRANSACTION_TIMEOUT"}, KindTimeout, false},
		{&hrana.Error{Code: "STREAM_EXPIRED"}, KindStale, false},
		{&hrana.Error{Status: 400}, KindStale, false},
		{&hrana.Error{Status: 401}, KindReadOnly, false},
		{&hrana.Error{Code: "SQLITE_FULL"}, KindFull, false},
		{&hrana.Error{Code: "SQLITE_IOERR"}, KindIO, true},
		{&hrana.Error{Code: "SQLITE_TOOBIG"}, KindValue, true},
		{&hrana.Error{Code: "ARGS_INVALID"}, KindValue, true},
		{&hrana.Error{Code: "SQL_PARSE_ERROR"}, KindInternal, true},
		{&hrana.Error{Status: 500}, KindAway, true},
		{errors.New("EOF"), KindAway, true},
		{context.DeadlineExceeded, KindAway, true},
		{errNotDurable, KindIO, true},
	} {
		err := fmt.Errorf("digest: %w", fromServer(c.err))
		if got := KindOf(err); got != c.kind {
			t.Errorf("%v: kind %d, want %d", c.err, got, c.kind)
		}
		if unknown := KindOf(commitError(err)) == KindUnknown; unknown != c.unknown {
			t.Errorf("%v at COMMIT: unknown %v, want %v", c.err, unknown, c.unknown)
		}
	}
	if fromServer(nil) != nil {
		t.Error("no error became one")
	}
}
