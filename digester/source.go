package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/replicate"
	"sundew/digester/store"
)

// source is where a dashboard process reads what the primary writes: a copy of its
// own that follows a backup, or a libSQL replica.
type source interface {
	// run keeps in touch until ctx is done. It calls ready once, as soon as there is
	// something to read, and moved with each position that it finds afterwards. The
	// replica is the source's to close.
	run(ctx context.Context, ready func(*store.Replica) error, moved func(store.Position)) error

	// status is safe for concurrent use.
	status() sourceStatus

	// close is called after run.
	close() error
}

// sourceStatus is how a source does.
type sourceStatus struct {
	Reached time.Time // when it last answered; zero: not yet
	Problem error     // why nothing new comes
	Blind   bool      // and what is there cannot be read either
	Follows string    // how much it keeps up with, for whoever reads that it does not
}

// newSource returns what is configured.
func newSource(cfg Config, log zerolog.Logger) (source, error) {
	if cfg.Follow.IsZero() == (cfg.Replica.URL == "") {
		return nil, fmt.Errorf("%w: --role dashboard needs either SUNDEW_REPLICA, the address of a libSQL replica, or SUNDEW_FOLLOW, that of a backup to follow", errUsage)
	}
	if cfg.Replica.URL != "" {
		return &serverSource{cfg: cfg.Replica, log: log}, nil
	}
	return newCopySource(cfg, log)
}

// followerFollows is what was measured (infra/README.md).
const followerFollows = "a follower of a backup keeps up with some 2,000 events a second; the machine is busy, the backup far away, or a reader takes long"

// copySource is a file that follows a backup.
type copySource struct {
	path     string
	program  string // Config.Program
	log      zerolog.Logger
	follower *replicate.Follower
	replica  *store.Replica // nil until there is a copy; owned by run
}

func newCopySource(cfg Config, log zerolog.Logger) (*copySource, error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	follower, err := replicate.NewFollower(replicate.FollowerConfig{Path: cfg.copyPath(), Target: cfg.Follow, Log: log})
	if errors.Is(err, replicate.ErrFollowed) {
		return nil, fmt.Errorf("another dashboard is running on %q; stop it, or set SUNDEW_DATA to another directory: %w", cfg.Data, err)
	}
	if err != nil {
		return nil, err
	}
	return &copySource{path: cfg.copyPath(), program: cfg.Program, log: log, follower: follower}, nil
}

func (s *copySource) run(ctx context.Context, ready func(*store.Replica) error, moved func(store.Position)) error {
	if err := s.prepare(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	note := func() {
		p, err := s.replica.Position(ctx)
		if err == nil {
			moved(p)
		} else if ctx.Err() == nil {
			s.log.Error().Err(err).Msg("the copy's position cannot be read")
		}
	}
	note()
	if err := ready(s.replica); err != nil {
		return err
	}
	return s.follower.Run(ctx, s.replica.Exclusively, note)
}

// prepare makes the copy and opens it: not before, see replicate.Follower.
func (s *copySource) prepare(ctx context.Context) error {
	err := s.follower.Prepare(ctx)
	if err == nil {
		s.replica, err = store.OpenReplica(ctx, s.path)
	}
	if err == nil {
		askBy(s.replica, s.program)
	}
	return err
}

func (s *copySource) status() sourceStatus {
	f := s.follower.Status()
	return sourceStatus{Reached: f.Reached, Problem: f.Problem, Follows: followerFollows}
}

func (s *copySource) close() error {
	var err error
	if s.replica != nil {
		err = s.replica.Close()
	}
	return errors.Join(err, s.follower.Close())
}
