package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrCut is returned by a read that was ended early because its old snapshot kept
// the WAL from being reset. The same read, begun again, works.
var ErrCut = errors.New("the read was cut off; try again")

// gate lets the writer have a moment without readers. The WAL can be reset only
// while nobody reads from it, and readers that overlap, each of them short, may
// never leave such a moment by themselves: measured, four of them let the WAL
// grow without end (TestWALOverADay).
type gate struct {
	mu      sync.Mutex
	readers map[*reading]struct{} // guarded by mu
	left    chan struct{}         // guarded by mu; closed when a reader leaves, then replaced
	shut    chan struct{}         // guarded by mu; nil while open, closed when it opens again
}

// reading is one read under way. When its context is done its transaction is over,
// even if its function has not noticed yet.
type reading struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func newGate() *gate {
	return &gate{readers: make(map[*reading]struct{}), left: make(chan struct{})}
}

// enter waits until the gate is open and returns the context under which to read,
// and what to call at the end.
func (g *gate) enter(ctx context.Context) (context.Context, func(), error) {
	g.mu.Lock()
	for g.shut != nil {
		open := g.shut
		g.mu.Unlock()
		select {
		case <-open:
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("waiting to read: %w", ctx.Err())
		}
		g.mu.Lock()
	}
	defer g.mu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	r := &reading{ctx, cancel}
	g.readers[r] = struct{}{}
	return ctx, func() {
		cancel(nil)
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.readers, r)
		close(g.left)
		g.left = make(chan struct{})
	}, nil
}

// closeFor keeps new readers out and waits for those inside, up to a time; with
// cut their reads are ended. It returns whether all have left; open must be
// called in any case.
func (g *gate) closeFor(wait time.Duration, cut bool) (empty bool) {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = make(chan struct{})
	for g.insideLocked() > 0 {
		if cut {
			for r := range g.readers {
				r.cancel(ErrCut)
			}
		}
		left := g.left
		g.mu.Unlock()
		select {
		case <-left:
			g.mu.Lock()
		case <-timeout.C:
			g.mu.Lock()
			return g.insideLocked() == 0
		}
	}
	return true
}

// insideLocked counts the reads whose transactions are not over. g.mu is held.
func (g *gate) insideLocked() (n int) {
	for r := range g.readers {
		if r.ctx.Err() == nil {
			n++
		}
	}
	return n
}

// closeAndWait keeps new readers out until all inside have left for good, whose
// contexts may be over before their transactions are. open must be called in any
// case.
func (g *gate) closeAndWait(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = make(chan struct{})
	for len(g.readers) > 0 {
		left := g.left
		g.mu.Unlock()
		select {
		case <-left:
			g.mu.Lock()
		case <-ctx.Done():
			g.mu.Lock()
			return ctx.Err()
		}
	}
	return nil
}

// open lets readers in again.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.shut)
	g.shut = nil
}
