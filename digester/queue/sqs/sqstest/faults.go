package sqstest

import (
	"context"
	"net/http"
	"time"
)

// outcome is what a fault makes of a call.
type outcome int

const (
	passes outcome = iota
	before         // it fails, and nothing is done
	after          // it is done, and fails
)

// faults are what tests want to go wrong, by action.
type faults struct {
	planned     map[string][]outcome
	entries     map[string]int
	latency     func(action string) time.Duration
	unreachable bool
	duplicates  int
	calls       map[string]int
}

// Fail lets the next calls of an action fail with an internal error, for each
// attempt of a client; applied says whether what they ask is done nevertheless.
func (s *Server) Fail(action string, calls int, applied bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.planned == nil {
		s.faults.planned = make(map[string][]outcome)
	}
	what := before
	if applied {
		what = after
	}
	for range calls {
		s.faults.planned[action] = append(s.faults.planned[action], what)
	}
}

// FailEntries lets the next entries of batches of an action fail one by one, with
// nothing done.
func (s *Server) FailEntries(action string, entries int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.entries == nil {
		s.faults.entries = make(map[string]int)
	}
	s.faults.entries[action] = entries
}

// Duplicate lets the next messages that are delivered be delivered once more,
// even if they are deleted, as SQS may.
func (s *Server) Duplicate(messages int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.duplicates = messages
}

// Delay makes every call take as long as latency says of its action.
func (s *Server) Delay(latency func(action string) time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.latency = latency
}

// SetUnreachable cuts every connection, those of long polls too, or lets them
// through again.
func (s *Server) SetUnreachable(unreachable bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.unreachable = unreachable
	s.wakeLocked()
}

// Calls returns how often clients called an action, failed calls included.
func (s *Server) Calls(action string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.calls[action]
}

// strike counts a call and says what is to become of it. It aborts the request if
// the server is unreachable.
func (s *Server) strike(ctx context.Context, action string) outcome {
	s.mu.Lock()
	f := &s.faults
	if f.calls == nil {
		f.calls = make(map[string]int)
	}
	f.calls[action]++
	unreachable, wait, what := f.unreachable, time.Duration(0), passes
	if f.latency != nil {
		wait = f.latency(action)
	}
	if plan := f.planned[action]; len(plan) > 0 && !unreachable {
		what, f.planned[action] = plan[0], plan[1:]
	}
	s.mu.Unlock()
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if unreachable {
		panic(http.ErrAbortHandler)
	}
	return what
}

// entryFailsLocked says whether the next entry of a batch is to fail.
func (s *Server) entryFailsLocked(action string) bool {
	if s.faults.entries[action] == 0 {
		return false
	}
	s.faults.entries[action]--
	return true
}
