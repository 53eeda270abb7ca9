package digest

import (
	"sync"
	"time"

	"sundew/digester/store"
)

// Tally counts what became of messages.
type Tally struct {
	Stored      int64
	Duplicate   int64
	Dropped     int64
	Redelivered int64
	Counts      int64 // messages of counts
	Left        int64 // deliveries that decided nothing
}

// What became of a message.
const (
	OutcomeStored      = "stored"
	OutcomeDuplicate   = "duplicate"
	OutcomeDropped     = "dropped"
	OutcomeRedelivered = "redelivered"
	OutcomeCounts      = "counts"
	OutcomeLeft        = "left"
)

// add counts a message and returns what became of it.
func (t *Tally) add(r store.Result, counts bool) string {
	switch {
	case r == store.Redelivered:
		t.Redelivered++
		return OutcomeRedelivered
	case counts:
		t.Counts++
		return OutcomeCounts
	case r == store.Stored:
		t.Stored++
		return OutcomeStored
	case r == store.Duplicate:
		t.Duplicate++
		return OutcomeDuplicate
	}
	t.Dropped++
	return OutcomeDropped
}

// Health is the state of a digester at one moment.
type Health struct {
	Tally
	Batches     int64
	LastReceive time.Time // when the queue last answered, with or without messages
	LastBatch   time.Time // when a batch was last finished
	Problem     error     // why nothing is digested at the moment, nil if all is well
}

// health is the shared state behind Health.
type health struct {
	mu sync.Mutex // guards all below
	h  Health

	receiveErr, holdErr error
}

func (s *health) locked(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *health) received() {
	s.locked(func() { s.receiveErr, s.h.LastReceive = nil, time.Now() })
}

func (s *health) receiveFailed(err error) { s.locked(func() { s.receiveErr = err }) }
func (s *health) held(err error)          { s.locked(func() { s.holdErr = err }) }
func (s *health) working()                { s.locked(func() { s.holdErr = nil }) }

func (s *health) finished(t Tally) {
	s.locked(func() {
		s.h.Stored += t.Stored
		s.h.Duplicate += t.Duplicate
		s.h.Dropped += t.Dropped
		s.h.Redelivered += t.Redelivered
		s.h.Counts += t.Counts
		s.h.Left += t.Left
		s.h.Batches++
		s.h.LastBatch = time.Now()
	})
}

// Health returns the digester's state.
func (d *Digester) Health() Health {
	d.health.mu.Lock()
	defer d.health.mu.Unlock()
	h := d.health.h
	h.Problem = d.health.holdErr
	if h.Problem == nil {
		h.Problem = d.health.receiveErr
	}
	return h
}
