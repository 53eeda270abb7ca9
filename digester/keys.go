package main

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/store"
	"sundew/functions/ingest/edge"
	"sundew/schema/event"
)

const (
	// keysEvery is how often the keys are read again; so long can a disabled
	// key still report.
	keysEvery = time.Second

	// keysAtMostEvery bounds the extra reads that unknown keys cause, so that
	// guessing keys cannot keep the database busy.
	keysAtMostEvery = 100 * time.Millisecond

	// keysTimeout bounds a read that a request waits for.
	keysTimeout = 250 * time.Millisecond
)

// keySnapshot answers from memory which key opens which project. It keeps the
// last answer while the database cannot be read, and before the first one it
// says so: then the edge accepts, and the digester decides.
type keySnapshot struct {
	replica *store.Replica
	log     zerolog.Logger

	reading sync.Mutex // held while the database is read
	mu      sync.RWMutex
	keys    map[snapshotKey]bool // enabled; guarded by mu, nil before the first read
	readAt  time.Time            // when the read of keys began; guarded by mu
}

type snapshotKey struct {
	project event.ProjectID
	public  string
}

// Lookup tells whether a key may report to a project. It says no only from keys
// that were read after it was asked: a project made a moment ago can report at
// once, and an event refused is an event lost.
func (s *keySnapshot) Lookup(ctx context.Context, project event.ProjectID, key string) edge.KeyStatus {
	asked := time.Now()
	status := s.lookup(project, key)
	if status == edge.KeyActive {
		return status
	}
	ctx, cancel := context.WithTimeout(ctx, keysTimeout)
	defer cancel()
	if err := s.refresh(ctx, asked); err != nil {
		return status
	}
	return s.lookup(project, key)
}

func (s *keySnapshot) lookup(project event.ProjectID, key string) edge.KeyStatus {
	s.mu.RLock()
	defer s.mu.RUnlock()
	enabled, known := s.keys[snapshotKey{project, key}]
	switch {
	case s.keys == nil:
		return edge.KeyUndecided
	case !known:
		return edge.KeyUnknown
	case !enabled:
		return edge.KeyDisabled
	}
	return edge.KeyActive
}

// refresh makes sure that the keys were read after a moment. It waits as long as
// keysAtMostEvery demands; many who wait share one read.
func (s *keySnapshot) refresh(ctx context.Context, after time.Time) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.mu.RLock()
	readAt := s.readAt
	s.mu.RUnlock()
	if readAt.After(after) {
		return nil
	}
	pause := time.NewTimer(time.Until(readAt.Add(keysAtMostEvery)))
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	began := time.Now()
	var all []store.Key
	err := s.replica.Read(ctx, func(rx *store.Rx) (err error) {
		all, err = rx.Keys()
		return err
	})
	if err != nil {
		return err
	}
	keys := make(map[snapshotKey]bool, len(all))
	for _, k := range all {
		keys[snapshotKey{k.Project, k.Public}] = k.Enabled
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.readAt = keys, began
	return nil
}

// keepFresh refreshes until ctx is done.
func (s *keySnapshot) keepFresh(ctx context.Context) {
	ticker := time.NewTicker(keysEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := s.refresh(ctx, time.Now()); err != nil && ctx.Err() == nil {
				s.log.Warn().Err(err).Msg("the keys could not be read; the last ones stay valid")
			}
		}
	}
}
