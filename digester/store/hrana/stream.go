package hrana

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Stream is one connection of the server to its database: what is begun on it
// goes on in its next request. It is for one goroutine. The
// server forgets a stream that is idle for ten seconds, and all of them when it
// starts anew: outside of a transaction the next request quietly begins another.
type Stream struct {
	client *Client
	baton  string    // names the stream in the next request; empty: a new one
	used   time.Time // when baton came
	open   bool      // a transaction may be open on it
	broken error     // why it cannot go on: its transaction is lost

	// Position is the largest place in the primary's log that a result of this
	// stream named.
	Position uint64

	// Latest is the place that the last answer named.
	Latest uint64
}

// Stream returns a new stream. Nothing is sent before its first statement.
func (c *Client) Stream() *Stream { return &Stream{client: c} }

// Statement is a statement with its positional parameters: int64, int, float64,
// string, []byte, bool, time.Time or nil.
type Statement struct {
	SQL  string
	Args []any

	// OneRow, if not nil, is what the transaction fails with unless the statement
	// changes exactly one row. Only Commit looks at it.
	OneRow error
}

// Run sends statements in one request and returns the result of each. The first
// that fails ends it: those behind it do not run. What the statements before it
// did stays, unless a transaction is open.
func (s *Stream) Run(ctx context.Context, statements ...Statement) ([]Result, error) {
	return s.RunAt(ctx, 0, statements...)
}

// RunAt is Run on a replica that waits until it has come to a place in the
// primary's log.
func (s *Stream) RunAt(ctx context.Context, at uint64, statements ...Statement) ([]Result, error) {
	b := newBatch(at)
	for i, st := range statements {
		if i > 0 {
			b.ifOK(i - 1)
		}
		b.add(st.SQL, st.Args, true)
	}
	steps, err := s.send(ctx, b)
	if err != nil {
		return nil, err
	}
	results := make([]Result, 0, len(statements))
	for i := range statements {
		if e := steps.Errors[i]; e != nil {
			return results, e
		}
		if steps.Results[i] == nil {
			return results, errors.New("the server left a statement out")
		}
		r, err := steps.Results[i].result()
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}

// batch is a request under construction: steps, each with a condition.
type batch struct {
	json  []byte
	at    uint64
	steps int
	cond  string // of the next step
	err   error
}

func newBatch(at uint64) *batch {
	return &batch{json: make([]byte, 0, 8<<10), at: at}
}

// ifOK lets the next step run only if an earlier one succeeded.
func (b *batch) ifOK(step int) { b.cond = `{"type":"ok","step":` + strconv.Itoa(step) + `}` }

// add adds a step and returns its place.
func (b *batch) add(sql string, args []any, rows bool) int {
	if b.steps > 0 {
		b.json = append(b.json, ',')
	}
	b.json = append(b.json, `{"condition":`...)
	if b.cond == "" {
		b.cond = "null"
	}
	b.json = append(append(b.json, b.cond...), `,"stmt":`...)
	var err error
	if b.json, err = appendStatement(b.json, sql, args, rows); err != nil && b.err == nil {
		b.err = fmt.Errorf("%.60s: %w", sql, err)
	}
	b.json = append(b.json, '}')
	b.cond = ""
	b.steps++
	return b.steps - 1
}

// steps is the answer to a batch: for each step a result, an error, or neither
// if its condition was not met.
type steps struct {
	Results  []*wireResult `json:"step_results"`
	Errors   []*Error      `json:"step_errors"`
	Position *string       `json:"replication_index"`
}

// send sends a batch on the stream and reads the answer. An error means that the
// stream has lost what was open on it.
func (s *Stream) send(ctx context.Context, b *batch) (*steps, error) {
	result, err := s.post(ctx, b)
	if err != nil {
		return nil, err
	}
	all, err := readSteps(result, b.steps)
	if err != nil {
		return nil, err
	}
	at, err := position(all.Position)
	s.Position, s.Latest = max(s.Position, at), at
	return all, err
}

// post sends a batch on the stream and returns the batch's result.
func (s *Stream) post(ctx context.Context, b *batch) (json.RawMessage, error) {
	if b.err != nil {
		return nil, b.err
	}
	if s.broken != nil {
		return nil, s.broken
	}
	if !s.open && s.client.now().Sub(s.used) > expiry {
		s.baton = ""
	}
	a, err := s.client.post(ctx, s.encode(b))
	if s.baton != "" && !s.open && KindOf(err) == KindExpired {
		// Nothing ran, and nothing was open.
		s.baton = ""
		a, err = s.client.post(ctx, s.encode(b))
	}
	if err != nil {
		s.lose(err)
		return nil, err
	}
	s.baton, s.used = a.Baton, s.client.now()
	return s.take(a)
}

// lose forgets the stream. With a transaction open on it, it is of no use any more.
func (s *Stream) lose(err error) {
	s.baton = ""
	if s.open {
		s.broken = err
	}
}

func (s *Stream) encode(b *batch) []byte {
	out := make([]byte, 0, len(b.json)+len(s.baton)+200)
	out = append(out, `{"baton":`...)
	if s.baton == "" {
		out = append(out, "null"...)
	} else {
		out = appendText(out, s.baton)
	}
	out = append(out, `,"requests":[{"type":"batch","batch":{"steps":[`...)
	out = append(out, b.json...)
	out = append(out, ']')
	if b.at > 0 {
		out = append(out, `,"replication_index":"`...)
		out = append(strconv.AppendUint(out, b.at, 10), '"')
	}
	return append(out, `}},{"type":"get_autocommit"}]}`...)
}

// take takes the two results of an answer: the batch's and whether a transaction is
// open now.
func (s *Stream) take(a *answer) (json.RawMessage, error) {
	if len(a.Results) != 2 {
		return nil, errors.New("the server's answer has not one result for each request")
	}
	for _, r := range a.Results {
		if r.Error != nil {
			return nil, r.Error
		}
	}
	s.open = !a.Results[1].Response.IsAutocommit && s.baton != ""
	return a.Results[0].Response.Result, nil
}

// readSteps reads the result of a batch of so many steps.
func readSteps(result json.RawMessage, want int) (*steps, error) {
	var all steps
	if err := json.Unmarshal(result, &all); err != nil {
		return nil, fmt.Errorf("the server's answer: %w", err)
	}
	if len(all.Results) != want || len(all.Errors) != want {
		return nil, errors.New("the server's answer has not one result for each statement")
	}
	return &all, nil
}

// Open reports whether a transaction is open on the stream, as far as the server
// said.
func (s *Stream) Open() bool { return s.open }

// Close gives the stream back to the server, which rolls back what is open on it.
// Without Close it does so ten seconds later.
func (s *Stream) Close(ctx context.Context) error {
	baton := s.baton
	s.baton, s.open, s.broken = "", false, errClosed
	if baton == "" {
		return nil
	}
	_, err := s.client.post(ctx, append(appendText([]byte(`{"baton":`), baton), `,"requests":[{"type":"close"}]}`...))
	return err
}

var errClosed = errors.New("the stream is closed")
