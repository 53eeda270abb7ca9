package main

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/store"
)

const (
	// lookEvery is how often a libSQL replica is asked how far it has come: a page
	// that waits for its reader's own change waits so much longer at most.
	lookEvery = 100 * time.Millisecond

	// lookWithin is how long the answer may take. A replica that has started
	// without its primary takes requests and never answers.
	lookWithin = 2 * time.Second

	// serverFollows is what was measured (infra/libsql.md).
	serverFollows = "a libSQL replica keeps up with some 200 events a second, because it syncs twice for each; a primary of more wants followers of a file's backup"
)

// serverSource is a libSQL replica.
type serverSource struct {
	cfg     store.RemoteConfig
	log     zerolog.Logger
	replica *store.Replica // nil until it has answered; owned by run

	mu   sync.Mutex
	last sourceStatus // guarded by mu
}

func (s *serverSource) run(ctx context.Context, ready func(*store.Replica) error, moved func(store.Position)) error {
	every := time.NewTicker(lookEvery)
	defer every.Stop()
	for {
		position, err := s.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			moved(position)
			if ready != nil {
				if err := ready(s.replica); err != nil {
					return err
				}
				ready = nil
			}
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// look asks the replica where it is.
func (s *serverSource) look(ctx context.Context) (p store.Position, err error) {
	bounded, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	if s.replica == nil {
		s.replica, err = store.OpenRemoteReplica(bounded, s.cfg)
	}
	if err == nil {
		p, err = s.replica.Position(bounded)
	}
	if ctx.Err() == nil {
		s.note(err)
	}
	return p, err
}

// note takes down how the last look went, and logs when that changes.
func (s *serverSource) note(problem error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case problem != nil && s.last.Problem == nil:
		s.log.Error().Err(problem).Msg("the libSQL replica cannot be read")
	case problem == nil && s.last.Problem != nil:
		s.log.Info().Msg("the libSQL replica can be read again")
	}
	if s.last.Problem, s.last.Blind = problem, problem != nil; problem == nil {
		s.last.Reached = time.Now()
	}
}

func (s *serverSource) status() sourceStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.last
	last.Follows = serverFollows
	return last
}

func (s *serverSource) close() error {
	if s.replica == nil {
		return nil
	}
	return s.replica.Close()
}
