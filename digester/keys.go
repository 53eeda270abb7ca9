package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/loop"
	"sundew/digester/store"
	"sundew/functions/ingest/edge"
	"sundew/schema/event"
	"sundew/schema/keyring"
	"sundew/schema/scrub"
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
// says so: then the edge accepts, and the digester decides by the key in the
// message.
type keySnapshot struct {
	log zerolog.Logger

	reading sync.Mutex     // held while the database is read
	replica *store.Replica // guarded by reading, nil until there is one
	mu      sync.RWMutex
	ring    *keyring.Ring // guarded by mu, nil before the first read
}

// errNoKeys says that there is nothing yet to read keys from.
var errNoKeys = errors.New("the database is not open")

// use says where the keys are from now on.
func (s *keySnapshot) use(replica *store.Replica) {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.replica = replica
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
	ring := s.last()
	if ring == nil {
		return edge.KeyUndecided
	}
	switch ring.Lookup(project, key) {
	case keyring.Active:
		return edge.KeyActive
	case keyring.Disabled:
		return edge.KeyDisabled
	}
	return edge.KeyUnknown
}

// active reports whether a key may report to a project, as far as that was known when
// the keys were last read.
func (s *keySnapshot) active(project event.ProjectID, key string) bool {
	return s.lookup(project, key) == edge.KeyActive
}

// Limited says which quota a project is over.
func (s *keySnapshot) Limited(project event.ProjectID, category string, now time.Time) (keyring.Limit, bool) {
	ring := s.last()
	if ring == nil {
		return keyring.Limit{}, false
	}
	return ring.Limited(project, category, now)
}

// Allows says whether a browser's page may report to a project; before the first
// read it may.
func (s *keySnapshot) Allows(project event.ProjectID, page string) bool {
	ring := s.last()
	return ring == nil || ring.Allows(project, page)
}

// scrubber returns what takes secrets out of what a project reports; nil before the
// first read: the usual one.
func (s *keySnapshot) scrubber(project event.ProjectID) *scrub.Scrubber {
	if ring := s.last(); ring != nil {
		return ring.Scrubber(project)
	}
	return nil
}

// last returns what was read last, nil before the first read.
func (s *keySnapshot) last() *keyring.Ring {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.ring
}

// refresh makes sure that the keys were read after a moment. It waits as long as
// keysAtMostEvery demands; many who wait share one read.
func (s *keySnapshot) refresh(ctx context.Context, after time.Time) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	var readAt time.Time
	if ring := s.last(); ring != nil {
		readAt = ring.At()
	}
	if readAt.After(after) {
		return nil
	}
	if s.replica == nil {
		return errNoKeys
	}
	pause := time.NewTimer(time.Until(readAt.Add(keysAtMostEvery)))
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	snapshot, err := readKeys(s.replica)(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring = s.ring.Next(snapshot)
	return nil
}

// keepFresh refreshes until ctx is done.
func (s *keySnapshot) keepFresh(ctx context.Context) {
	loop.Every(ctx, keysEvery, func() {
		if err := s.refresh(ctx, time.Now()); err != nil && ctx.Err() == nil {
			s.log.Warn().Err(err).Msg("the keys could not be read; the last ones stay valid")
		}
	})
}
