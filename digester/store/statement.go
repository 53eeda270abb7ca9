package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"sundew/digester/access"
	"sundew/digester/store/sandbox"
	"sundew/schema/event"
	"sundew/schema/wire"
)

const (
	// statementTime is how long a statement may take, and statementRows how many rows it
	// may return at most. It ends before readDeadline does, so that it can say so.
	statementTime = readDeadline - 500*time.Millisecond
	statementRows = 10_000

	// statementsAtOnce run at the same time; others wait for statementWait.
	statementsAtOnce = 2
	statementWait    = 2 * time.Second
)

// Errors of Ask. Those that are the statement's own are a *sandbox.Error.
var (
	ErrNoStatements = errors.New("statements need a database file, and this is a libSQL server")
	ErrAsking       = errors.New("too many statements run at the same time")
)

// asker runs one statement; sandbox.Run or a sandbox.Worker does.
type asker func(ctx context.Context, cfg sandbox.Config, statement string, limits sandbox.Limits) (sandbox.Answer, error)

// AskBy has statements run in processes of their own, each of which is a command that
// calls ServeStatement. Only so are memory and time bounded for certain. It is called
// before the replica is used.
func (r *Replica) AskBy(command ...string) { r.ask = sandbox.Worker{Command: command}.Run }

// MayAsk reports whether Ask can work here: there is a file.
func (r *Replica) MayAsk() bool { return r.path != "" }

// Ask runs one statement of a person's own, on a connection of its own that can only
// read what the person sees (StatementTables). It returns at most rows rows, and not
// more than 10,000; 0: 1,000. Like every Read it is cut off, with ErrCut, when the WAL
// must be reset.
func (r *Replica) Ask(ctx context.Context, by access.Person, statement string, rows int) (sandbox.Answer, error) {
	if !r.MayAsk() {
		return sandbox.Answer{}, ErrNoStatements
	}
	if err := refuseNested(ctx); err != nil {
		return sandbox.Answer{}, err
	}
	leave, err := r.queueUp(ctx)
	if err != nil {
		return sandbox.Answer{}, err
	}
	defer leave()
	views, err := r.views(ctx, by)
	if err != nil {
		return sandbox.Answer{}, err
	}
	ctx, cancel := context.WithTimeout(inTransaction(ctx), readDeadline)
	defer cancel()
	ctx, out, err := r.gate.enter(ctx)
	if err != nil {
		return sandbox.Answer{}, err
	}
	defer out()
	cfg := sandbox.Config{Path: r.path, Views: views, Decode: decodePayload(r.codec), Hidden: make(map[string]bool)}
	for name := range hiddenFromStatements() {
		cfg.Hidden[name] = true
	}
	answer, err := r.ask(ctx, cfg, statement, sandbox.Limits{Time: statementTime, Rows: min(max(rows, 0), statementRows)})
	if err != nil && errors.Is(context.Cause(ctx), ErrCut) {
		return sandbox.Answer{}, fmt.Errorf("%w: %w", ErrCut, err)
	}
	return answer, err
}

// queueUp waits until fewer than statementsAtOnce statements run. The error is ErrAsking
// if that takes too long.
func (r *Replica) queueUp(ctx context.Context) (leave func(), err error) {
	patience := time.NewTimer(statementWait)
	defer patience.Stop()
	select {
	case r.asking <- struct{}{}:
		return func() { <-r.asking }, nil
	case <-patience.C:
		return nil, ErrAsking
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to ask: %w", ctx.Err())
	}
}

// views returns what a person's statements read.
func (r *Replica) views(ctx context.Context, by access.Person) (views []sandbox.View, err error) {
	var projects []event.ProjectID
	var teams []int64
	err = r.Read(ctx, func(rx *Rx) error {
		all, err := rx.Projects()
		seen := make(map[int64]bool)
		for _, p := range all {
			if by.In(p.ID) >= access.Viewer {
				projects = append(projects, p.ID)
				seen[p.TeamID] = true
			}
		}
		if err != nil {
			return err
		}
		everyone, err := rx.Teams()
		for _, t := range everyone {
			if seen[t.ID] || by.OfTeam(t.ID) >= access.Viewer {
				teams = append(teams, t.ID)
			}
		}
		return err
	})
	for _, t := range StatementTables(by) {
		views = append(views, t.view(projects, teams))
	}
	return views, err
}

// ServeStatement is what a command of AskBy does: it reads one statement from in, runs
// it, and writes the answer to out.
func ServeStatement(ctx context.Context, in io.Reader, out io.Writer) error {
	return sandbox.Serve(ctx, in, out, decodePayload(wire.NewCodec()))
}

func decodePayload(codec *wire.Codec) func(kind, encoding int64, body []byte) (string, error) {
	return func(_, encoding int64, body []byte) (string, error) {
		plain, err := codec.Decompress(body, wire.Encoding(encoding))
		return string(plain), err
	}
}
