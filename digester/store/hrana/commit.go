package hrana

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Outcome is what became of one transaction of several in a request.
type Outcome struct {
	// Err is nil if the transaction is committed. ErrSkipped: it was not tried.
	// Otherwise KindOf says what is in the database: nothing, unless the COMMIT
	// failed and the kind is Unknown.
	Err error

	// Statement is the place of the one that failed in its transaction; -1: the
	// transaction did not begin; its length: COMMIT failed.
	Statement int
}

// ErrSkipped is the outcome of a transaction behind one that could not begin.
var ErrSkipped = errors.New("an earlier transaction could not begin")

// assertion fails unless the statement before it changed exactly one row: SQLite
// has no abs of the smallest integer. It needs no table, and is told from other
// failures by its place.
const assertion = `SELECT CASE WHEN changes() = 1 THEN 1 ELSE abs(-9223372036854775808) END`

// Request is transactions, ready to be sent: see Stream.Commit.
type Request struct {
	batch        *batch
	transactions [][]Statement
	places       []place
}

// NewRequest writes transactions down. Its error is that of a value which cannot
// be sent.
func NewRequest(transactions [][]Statement) (*Request, error) {
	r := &Request{batch: newBatch(0), transactions: transactions, places: make([]place, len(transactions))}
	for i, t := range transactions {
		if i > 0 {
			r.batch.cond = fmt.Sprintf(`{"type":"and","conds":[{"type":"is_autocommit"},{"type":"ok","step":%d}]}`, r.places[i-1].begin)
		}
		r.places[i] = r.batch.addTransaction(t)
	}
	return r, r.batch.err
}

// Reply is a server's answer to a Request, not read yet.
type Reply struct {
	request *Request
	result  json.RawMessage
}

// Commit runs transactions in one request, one after the other, each from BEGIN
// IMMEDIATE to COMMIT and each for itself: see Request and Reply, which do the same
// in parts.
func (s *Stream) Commit(ctx context.Context, transactions [][]Statement) ([]Outcome, error) {
	request, err := NewRequest(transactions)
	if err != nil {
		return nil, err
	}
	reply, err := s.Send(ctx, request)
	if err != nil {
		return nil, err
	}
	return reply.Outcomes()
}

// Send runs a request's transactions one after the other. One that fails is rolled
// back and the next one runs, so what a transaction takes for granted of an earlier
// one it has to assert. The stream is free again when Send returns: the next request
// can be under way while the reply is read.
//
// An error here or of Reply.Outcomes means that the request failed as a whole: of
// KindUnknown any of the transactions may be committed, of all other kinds none.
func (s *Stream) Send(ctx context.Context, r *Request) (*Reply, error) {
	if s.open {
		return nil, errors.New("a transaction is open on this stream")
	}
	result, err := s.post(ctx, r.batch)
	if err != nil {
		return nil, err
	}
	return &Reply{r, result}, nil
}

// Outcomes returns what became of each transaction.
func (r *Reply) Outcomes() ([]Outcome, error) {
	steps, err := readSteps(r.result, r.request.batch.steps)
	if err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, len(r.request.transactions))
	for i, t := range r.request.transactions {
		outcomes[i] = r.request.places[i].outcome(steps, t)
	}
	return outcomes, nil
}

// place is where the steps of a transaction are in a batch.
type place struct{ begin, commit int }

func (b *batch) addTransaction(t []Statement) (p place) {
	p.begin = b.add("BEGIN IMMEDIATE", nil, false)
	last := p.begin
	for _, st := range t {
		b.ifOK(last)
		last = b.add(st.SQL, st.Args, false)
		if st.OneRow != nil {
			b.ifOK(last)
			last = b.add(assertion, nil, false)
		}
	}
	b.ifOK(last)
	p.commit = b.add("COMMIT", nil, false)
	// A constraint, a lost lock and a full disk may or may not have rolled back.
	b.cond = fmt.Sprintf(`{"type":"and","conds":[{"type":"not","cond":{"type":"ok","step":%d}},{"type":"not","cond":{"type":"is_autocommit"}}]}`, p.commit)
	b.add("ROLLBACK", nil, false)
	return p
}

// outcome finds the step that failed.
func (p place) outcome(all *steps, t []Statement) Outcome {
	if e := all.Errors[p.begin]; e != nil {
		return Outcome{Err: e, Statement: -1}
	}
	if all.Results[p.begin] == nil {
		return Outcome{Err: ErrSkipped, Statement: -1}
	}
	step := p.begin + 1
	for i, st := range t {
		if e := all.Errors[step]; e != nil {
			return Outcome{Err: e, Statement: i}
		}
		step++
		if st.OneRow == nil {
			continue
		}
		if e := all.Errors[step]; e != nil {
			return Outcome{Err: assumptionError(st, e), Statement: i}
		}
		step++
	}
	if e := all.Errors[p.commit]; e != nil {
		return Outcome{Err: e, Statement: len(t)}
	}
	if all.Results[p.commit] == nil {
		return Outcome{Err: errors.New("the server did not commit and did not say why"), Statement: len(t)}
	}
	return Outcome{}
}

// assumptionError is what a failed assertion means: that its statement did not
// change one row, if the server could run it at all.
func assumptionError(st Statement, e *Error) error {
	if e.kind() != KindStatement {
		return e
	}
	return fmt.Errorf("%w: %w", ErrAssumption, st.OneRow)
}
