// Package lambdatest is AWS Lambda with a Function URL, on one machine.
//
// It exists because what a function does when it is frozen between requests, when
// several of its environments run at once and when one of them is killed can be
// seen with real processes only. It starts the bootstrap program as Lambda does,
// speaks the Runtime API to it, and is an http.Handler that does what a Function
// URL does to requests and answers. Rules: it knows no AWS SDK; it is never kinder
// to the program than Lambda is known to be; every process it starts is gone when
// Close returns.
//
// Where it differs: when all environments are busy requests wait, instead of being
// answered 429, since a machine has room for few; limits of memory and processor do
// not exist; an invocation of an environment that was killed is answered 502 at
// once.
package lambdatest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Config says what function to run. Bootstrap must be given.
type Config struct {
	// Bootstrap is the path of the program.
	Bootstrap string
	// Env is the function's own configuration, "NAME=value". It replaces what
	// Lambda sets by itself.
	Env []string
	// Region is where the function runs; empty is us-east-1.
	Region string
	// Concurrency is how many environments may run at once; 0 is one.
	Concurrency int
	// Freeze stops an environment's process between invocations, as Lambda does.
	Freeze bool
	// Timeout is how long an invocation may take; 0 is ten seconds. An environment
	// that takes longer is killed.
	Timeout time.Duration
	// Log gets what the program writes; nil discards it. It may be written to by
	// several goroutines at once.
	Log io.Writer
}

// The errors of an invocation.
var (
	// ErrFunction means that the function answered with an error.
	ErrFunction = errors.New("lambdatest: the function failed")
	// ErrExit means that the environment ended before it answered.
	ErrExit = errors.New("lambdatest: the environment ended")
	// ErrTimeout means that the environment did not answer in time.
	ErrTimeout = errors.New("lambdatest: the function took too long")
	// ErrClosed means that the function was closed.
	ErrClosed = errors.New("lambdatest: closed")
)

// Function is a deployed function. It is safe for concurrent use.
type Function struct {
	cfg   Config
	slots chan struct{} // holds one for each environment that is busy or starts
	done  chan struct{} // closed by Close

	mu     sync.Mutex     // guards all below
	all    []*Environment // that live, oldest first
	idle   []*Environment // the one used last is at the end: it is used next
	inits  []time.Duration
	last   int // number of the last environment
	closed bool
}

// New returns a function of which no environment runs yet.
func New(cfg Config) (*Function, error) {
	if cfg.Bootstrap == "" || cfg.Concurrency < 0 || cfg.Timeout < 0 {
		return nil, errors.New("lambdatest: Config needs Bootstrap, and no negative numbers")
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = io.Discard
	}
	return &Function{cfg: cfg, slots: make(chan struct{}, max(cfg.Concurrency, 1)), done: make(chan struct{})}, nil
}

// ServeHTTP answers one request as the Function URL.
func (f *Function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	payload, err := encodeEvent(r, f.cfg.Region, time.Now())
	if err != nil {
		writeRefusal(w, err)
		return
	}
	response, err := f.Invoke(r.Context(), payload)
	if err != nil {
		writeRefusal(w, err)
		return
	}
	if err := writeResponse(w, response); err != nil {
		writeRefusal(w, err)
	}
}

// Invoke has one event handled and returns what the function answered. Its error
// wraps one of those above, or that of ctx if no environment became free before it
// ended.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e, err := f.acquire(ctx)
	if err != nil {
		return nil, err
	}
	return e.invoke(payload)
}

// acquire returns an environment that has nothing to do, a new one if there is none.
func (f *Function) acquire(ctx context.Context) (*Environment, error) {
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-f.done:
		return nil, ErrClosed
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		<-f.slots
		return nil, ErrClosed
	}
	if n := len(f.idle); n > 0 {
		e := f.idle[n-1]
		f.idle = f.idle[:n-1]
		e.busy = true
		return e, nil
	}
	f.last++
	e, err := startEnvironment(f, f.last)
	if err != nil {
		<-f.slots
		return nil, fmt.Errorf("starting an environment: %w", err)
	}
	f.all = append(f.all, e)
	return e, nil
}

// release says that an environment asks for its next event.
func (f *Function) release(e *Environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !e.busy || e.dead {
		return
	}
	if f.cfg.Freeze {
		_ = freeze(e.cmd.Process) // it may have ended: bury will tell
	}
	e.busy = false
	f.idle = append(f.idle, e)
	<-f.slots
}

// ready notes how long an environment took to ask for its first event.
func (f *Function) ready(took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inits = append(f.inits, took)
}

// bury forgets an environment that has ended or is about to.
func (f *Function) bury(e *Environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.dead {
		return
	}
	e.dead = true
	same := func(other *Environment) bool { return other == e }
	f.all = slices.DeleteFunc(f.all, same)
	f.idle = slices.DeleteFunc(f.idle, same)
	if e.busy {
		<-f.slots
	}
}

// Environments returns those that run, oldest first.
func (f *Function) Environments() []*Environment {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.all)
}

// Inits returns how long each environment took from the start of its process to
// asking for its first event.
func (f *Function) Inits() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.inits)
}

// Recycle ends all environments as Lambda does when it does not need them any
// more: those that have something to do are killed.
func (f *Function) Recycle() {
	var all sync.WaitGroup
	for _, e := range f.Environments() {
		all.Go(e.terminate)
	}
	all.Wait()
}

// Close ends the function and all its processes.
func (f *Function) Close() {
	f.mu.Lock()
	if !f.closed {
		f.closed = true
		close(f.done)
	}
	f.mu.Unlock()
	f.Recycle()
}
