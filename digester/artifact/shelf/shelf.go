// Package shelf assembles what build tools upload, and removes it when nobody uses it.
//
// It exists because taking an upload apart takes seconds, and nobody may wait for it: not
// the tool, which asks again, and no digest. One upload at a time is put together in a
// temporary file, never in memory, unpacked and compressed outside of transactions, and
// written in short ones; it becomes visible in a last one. It may be killed at any
// moment: what is not visible is begun again from the chunks, which stay until then, and
// a second attempt forgets what the first one left.
package shelf

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/artifact"
	"sundew/digester/loop"
	"sundew/digester/store"
)

const (
	// every is how often it looks for uploads that nobody woke it for: those of before
	// it was started.
	every = 5 * time.Second

	// tidyEvery is how often it looks for what is too old or too much, tidyPause what
	// lies between two of the short writes.
	tidyEvery = time.Minute
	tidyPause = 20 * time.Millisecond

	// afterError is how long it rests when the database or the disk does not work.
	afterError = 10 * time.Second

	// attempts is how often an upload is tried that does not fail because of the
	// database: others wait behind it, perhaps for a disk that never has room for it.
	attempts = 5
)

// Config says what is assembled, and how much is kept.
type Config struct {
	Replica *store.Replica // where it reads
	DB      *store.DB      // where it writes
	Dir     string         // of temporary files; empty: the system's
	Policy  store.ArtifactPolicy
	Limits  artifact.Limits
	Now     func() time.Time // nil: time.Now
	Log     zerolog.Logger

	// Settled is told of each upload that became ready or failed; nil: nobody is. It must
	// be quick.
	Settled func(store.Bundle)
}

// Shelf is the worker. Wake is safe for concurrent use, all else is for one goroutine.
type Shelf struct {
	cfg    Config
	wake   chan struct{} // holds a token if there is something new
	tidied time.Time

	failing  int64 // the upload that was tried last, if that failed
	failures int   // how often
}

// New returns a shelf.
func New(cfg Config) *Shelf {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Settled == nil {
		cfg.Settled = func(store.Bundle) {}
	}
	return &Shelf{cfg: cfg, wake: make(chan struct{}, 1)}
}

// Wake says that there may be something to assemble.
func (s *Shelf) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx is done.
func (s *Shelf) Run(ctx context.Context) {
	for ctx.Err() == nil {
		worked, err := s.Step(ctx)
		if err == nil && !worked && s.cfg.Now().Sub(s.tidied) >= tidyEvery {
			s.tidied = s.cfg.Now()
			err = s.Tidy(ctx)
		}
		switch {
		case err != nil && ctx.Err() == nil:
			s.cfg.Log.Error().Err(err).Msg("assembling or removing what tools uploaded failed; it is tried again")
			loop.Pause(ctx, afterError)
		case !worked:
			s.rest(ctx)
		}
	}
}

// rest waits until it is woken or every is over.
func (s *Shelf) rest(ctx context.Context) {
	timer := time.NewTimer(every)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.wake:
	case <-timer.C:
	}
}

// Step assembles the oldest upload that is to be assembled, and reports whether there
// was one. What is wrong with the upload itself is no error: it is noted at the upload.
func (s *Shelf) Step(ctx context.Context) (bool, error) {
	var b store.Bundle
	var chunks []string
	err := s.cfg.Replica.Read(ctx, func(rx *store.Rx) (err error) {
		b, chunks, err = rx.NextAssembly()
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	done, err := s.assemble(ctx, b, chunks)
	if s.hopeless(b.ID, err) {
		err = broken("it could not be assembled here: the server's log says why")
	}
	var own *brokenError
	switch {
	case errors.As(err, &own):
		err = s.cfg.DB.Write(ctx, "fail an upload", func(tx *store.Tx) error { return tx.FailBundle(b.ID, own.words) })
	case err == nil:
		err = s.cfg.DB.Write(ctx, "publish an upload", func(tx *store.Tx) error { return tx.PublishBundle(b.ID, done) })
	}
	if errors.Is(err, store.ErrNotFound) {
		return s.gone(ctx, b)
	}
	if err != nil {
		return true, err
	}
	return true, s.tell(ctx, b)
}

// hopeless reports whether an upload has failed often enough, for a reason that is
// neither its own nor the database's.
func (s *Shelf) hopeless(upload int64, err error) bool {
	var broken *brokenError
	if err == nil || errors.As(err, &broken) || errors.Is(err, store.ErrNotFound) || store.KindOf(err) != store.KindOther {
		s.failing = 0
		return false
	}
	if s.failing != upload {
		s.failing, s.failures = upload, 0
	}
	s.failures++
	return s.failures >= attempts
}

// tell logs what became of an upload and tells whoever wants to know.
func (s *Shelf) tell(ctx context.Context, b store.Bundle) error {
	err := s.cfg.Replica.Read(ctx, func(rx *store.Rx) (err error) {
		b, err = rx.Bundle(b.Project, b.ID)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	line := s.cfg.Log.Info()
	if b.State == store.BundleFailed {
		line = s.cfg.Log.Warn().Str("detail", b.Detail)
	}
	line.Int64("upload", b.ID).Int64("project", int64(b.Project)).Int64("files", b.Files).Int64("bytes", b.Bytes).Msg("an upload was assembled")
	s.cfg.Settled(b)
	return nil
}

// errMoved says that something that an upload needs was removed while it was assembled.
var errMoved = errors.New("what it needs was removed meanwhile")

// gone looks whether an upload was removed while it was assembled, which is fine, or
// something that it needs, which the next attempt stores again.
func (s *Shelf) gone(ctx context.Context, b store.Bundle) (bool, error) {
	err := s.cfg.Replica.Read(ctx, func(rx *store.Rx) (err error) {
		b, err = rx.Bundle(b.Project, b.ID)
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && b.State != store.BundleAssembling {
		return true, nil
	}
	return true, errors.Join(errMoved, err)
}

// Tidy removes what is too old or too much, in short transactions, until nothing is.
func (s *Shelf) Tidy(ctx context.Context) error { return s.tidy(ctx, s.cfg.Policy) }

func (s *Shelf) tidy(ctx context.Context, policy store.ArtifactPolicy) error {
	var due bool
	err := s.cfg.Replica.Read(ctx, func(rx *store.Rx) (err error) {
		due, err = rx.ArtifactsDue(policy, s.cfg.Now())
		return err
	})
	for due && err == nil {
		if err = s.cfg.DB.Write(ctx, "tidy uploads", func(tx *store.Tx) (err error) {
			due, err = tx.TidyArtifacts(policy)
			return err
		}); err == nil && due {
			err = loop.Pause(ctx, tidyPause)
		}
	}
	return err
}
