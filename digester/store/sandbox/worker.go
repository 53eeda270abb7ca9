package sandbox

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// maxMemory is how much a worker may have, in bytes. Whoever watches it ends it then;
	// between two looks the kernel stops it at twice as much.
	maxMemory = 384 << 20

	// ending is how much longer than its statement may take a worker lives.
	ending = 250 * time.Millisecond

	// watchEvery is how often it is looked how much memory one has.
	watchEvery = 10 * time.Millisecond

	// maxSaid bounds what of a worker's last words is kept.
	maxSaid = 2 << 10
)

// request is what a worker is asked.
type request struct {
	Path      string
	Views     []View
	Hidden    map[string]bool
	Statement string
	Limits    Limits
}

// response is what it answers: an Answer, or why there is none.
type response struct {
	Answer  Answer
	Refused refusal
	Failed  string // what is wrong that is not the statement's fault
}

// refusal is an *Error; of the zero value there was none.
type refusal struct {
	Kind   int // index in kinds, from 1
	Words  string
	Offset int
}

func kinds() []error { return []error{nil, ErrStatement, ErrTime, ErrTooMuch} }

// Worker runs each statement in a process of its own, for what cannot be bounded from
// inside of one: SQLite takes memory and time without end to compile some statements of
// a few hundred bytes, and does not look up from it. A process can be killed, and on
// Linux its memory is bounded, by the kernel or by who watches it.
type Worker struct {
	Command []string // that calls Serve
}

// Run is the function Run, elsewhere. cfg.Decode does not matter: the worker has its own.
func (w Worker) Run(ctx context.Context, cfg Config, statement string, limits Limits) (Answer, error) {
	limits = limits.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, limits.Time+ending)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return Answer{}, fmt.Errorf("starting a worker: %w", err)
	}
	cmd := exec.CommandContext(ctx, w.Command[0], w.Command[1:]...)
	// None of our environment, which has secrets. Where there is no directory for temporary
	// files, SQLite takes the one that the process is in.
	cmd.Env, cmd.Dir = []string{"TMPDIR=" + os.TempDir(), "GOMAXPROCS=1"}, filepath.Dir(path)
	cmd.WaitDelay = time.Second
	said := &head{}
	cmd.Stderr = said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return Answer{}, fmt.Errorf("starting a worker: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return Answer{}, fmt.Errorf("starting a worker: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return Answer{}, fmt.Errorf("starting a worker: %w", err)
	}
	go watch(ctx, cmd.Process.Pid, end)
	var r response
	err = gob.NewEncoder(stdin).Encode(request{Path: path, Views: cfg.Views, Hidden: cfg.Hidden, Statement: statement, Limits: limits})
	err = errors.Join(err, stdin.Close())
	if decodeErr := gob.NewDecoder(io.LimitReader(stdout, int64(limits.Bytes)+maxAnswer)).Decode(&r); err == nil {
		err = decodeErr
	}
	ended := cmd.Wait()
	if err != nil {
		return Answer{}, w.lost(ctx, errors.Join(err, ended), said.String())
	}
	return r.Answer, r.err()
}

// errLarge is why a worker is ended that has too much memory.
var errLarge = errors.New("too much memory")

// watch ends a worker that has more than maxMemory, until ctx is done: not everywhere may
// a process bound itself (infra/sundew.service forbids it).
func watch(ctx context.Context, pid int, end context.CancelCauseFunc) {
	often := time.NewTicker(watchEvery)
	defer often.Stop()
	for {
		select {
		case <-often.C:
			if memoryOf(pid) > maxMemory {
				end(errLarge)
			}
		case <-ctx.Done():
			return
		}
	}
}

// maxAnswer is how much room an answer may take beside its values.
const maxAnswer = 16 << 20

// lost says what became of a worker that did not answer.
func (w Worker) lost(ctx context.Context, err error, said string) error {
	switch {
	case errors.Is(context.Cause(ctx), errLarge):
		return tooMuch()
	case ctx.Err() != nil:
		return tooLong()
	case crashed(err):
		return tooMuch()
	}
	return fmt.Errorf("a worker did not answer: %w: %s", err, said)
}

// crashed reports whether a worker ended otherwise than by its own decision: whatever can
// happen to it is an answer, but that it gets no more memory.
func crashed(err error) bool {
	var ended *exec.ExitError
	return errors.As(err, &ended) && ended.ExitCode() != 1
}

func (r response) err() error {
	if r.Failed != "" {
		return errors.New(r.Failed)
	}
	if r.Refused.Kind <= 0 || r.Refused.Kind >= len(kinds()) {
		return nil
	}
	return &Error{Kind: kinds()[r.Refused.Kind], Words: r.Refused.Words, Offset: r.Refused.Offset}
}

// Serve is a worker: it reads a statement, runs it, writes the answer, and is done. It
// bounds the process that it is called in for good.
func Serve(ctx context.Context, in io.Reader, out io.Writer, decode func(kind, encoding int64, body []byte) (string, error)) error {
	var q request
	if err := gob.NewDecoder(in).Decode(&q); err != nil {
		return fmt.Errorf("reading a statement: %w", err)
	}
	if err := boundProcess(2*maxMemory, q.Limits.Time+time.Second); err != nil {
		return fmt.Errorf("bounding a worker: %w", err)
	}
	var r response
	answer, err := Run(ctx, Config{Path: q.Path, Views: q.Views, Hidden: q.Hidden, Decode: decode}, q.Statement, q.Limits)
	var refused *Error
	switch {
	case errors.As(err, &refused):
		r.Refused = refusal{Words: refused.Words, Offset: refused.Offset}
		for i, kind := range kinds() {
			if refused.Kind == kind {
				r.Refused.Kind = i
			}
		}
	case err != nil:
		r.Failed = err.Error()
	default:
		r.Answer = answer
	}
	return gob.NewEncoder(out).Encode(r)
}

// head keeps the beginning of what is written.
type head struct{ strings.Builder }

// Write keeps what there is room for and says that all was written.
func (h *head) Write(p []byte) (int, error) {
	h.Builder.Write(p[:min(len(p), max(0, maxSaid-h.Len()))])
	return len(p), nil
}
