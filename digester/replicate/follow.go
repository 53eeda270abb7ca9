package replicate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/benbjohnson/litestream"
	"github.com/rs/zerolog"
	"github.com/superfly/ltx"

	"sundew/digester/loop"
)

const (
	// A follower asks for what is new twice as often as the backup is made, within
	// these bounds.
	pollMost  = 10 * time.Millisecond
	pollLeast = time.Second

	// listEvery is how often a follower to which nothing new comes looks whether it
	// has missed something. To ask for the next file by its name is cheaper.
	listEvery = 5 * time.Second

	// settleEvery is how often it notes how far it has come. It begins there anew
	// after a crash; what it applies again is the same.
	settleEvery = 5 * time.Second
)

// FollowerConfig says what to follow.
type FollowerConfig struct {
	Path   string // of the copy
	Target Target // where the backup is
	Log    zerolog.Logger
}

// Follower keeps a copy of the database up to date from a backup.
//
// The file is a plain database outside of WAL mode, and pages are written into
// it in place, so it is a database only while nothing is written, and not before
// Prepare has returned: a process that died may have left half of something.
// Apply writes only where the caller says that nobody reads; SQLite's own locks
// would not do, since they do not keep a process from itself.
type Follower struct {
	cfg    FollowerConfig
	client litestream.ReplicaClient

	// Owned by whoever calls Prepare, then Run.
	lock    *os.File
	file    *os.File
	spool   *os.File // what was fetched, until it is applied
	at      ltx.TXID // applied
	changes uint32   // of SQLite's change counter
	listed  time.Time
	settled time.Time

	mu        sync.Mutex // guards what follows
	status    FollowerStatus
	mentioned time.Time
}

// FollowerStatus is how a follower does.
type FollowerStatus struct {
	TXID    uint64    // Litestream's number of what was applied last
	Reached time.Time // when the backup last answered; zero: not yet
	Problem error     // why following does not work at the moment
}

// ErrFollowed is returned where another process keeps the same copy.
var ErrFollowed = errors.New("another process keeps this copy up to date")

// errBehind says that the backup no longer, or not yet, has what would come next.
var errBehind = errors.New("the backup does not continue the copy")

// NewFollower returns a follower that does nothing yet.
func NewFollower(cfg FollowerConfig) (*Follower, error) {
	c, err := cfg.Target.client()
	if err != nil {
		return nil, err
	}
	lock, err := lockFile(cfg.Path + "-lock")
	if err != nil {
		return nil, err
	}
	spool, err := os.OpenFile(cfg.Path+"-incoming", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &Follower{cfg: cfg, client: c, lock: lock, spool: spool, changes: uint32(time.Now().UnixMilli())}, nil
}

// Prepare makes the copy, or brings one that is there up to date. It tries until
// that has worked or ctx is done. After it the file is whole and can be opened
// for reading.
func (f *Follower) Prepare(ctx context.Context) error {
	for {
		err := f.prepare(ctx)
		if err == nil {
			f.succeed()
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f.fail(err)
		if errors.Is(err, errBehind) {
			if err := f.forget(); err != nil {
				return err
			}
		}
		if err := loop.Pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

func (f *Follower) prepare(ctx context.Context) error {
	if err := f.client.Init(ctx); err != nil {
		return err
	}
	at, err := litestream.ReadTXIDFile(f.cfg.Path)
	if err != nil {
		return errors.Join(errBehind, err)
	}
	if _, err := os.Stat(f.cfg.Path); at == 0 || errors.Is(err, fs.ErrNotExist) {
		if at, err = f.fetch(ctx); err != nil {
			return err
		}
	}
	if f.file == nil {
		if f.file, err = os.OpenFile(f.cfg.Path, os.O_RDWR, 0); err != nil {
			return err
		}
	}
	f.at = at
	if err := f.stamp(); err != nil {
		return err
	}
	for {
		n, err := f.catchUp(ctx, func(apply func() error) error { return apply() })
		if err != nil {
			return err
		}
		f.listed = time.Time{}
		if n == 0 {
			return f.settle()
		}
	}
}

// fetch makes the copy from the newest backup there is.
func (f *Follower) fetch(ctx context.Context) (ltx.TXID, error) {
	if err := f.forget(); err != nil {
		return 0, err
	}
	plan, err := litestream.CalcRestorePlan(ctx, f.client, 0, time.Time{}, quietLogger(f.cfg.Log))
	if errors.Is(err, litestream.ErrTxNotAvailable) {
		return 0, fmt.Errorf("%s: %w", f.cfg.Target, ErrNoBackup)
	}
	if err != nil {
		return 0, err
	}
	at := plan[len(plan)-1].MaxTXID
	db := litestream.NewDB(f.cfg.Path) // for its logger; it is never opened
	db.SetLogger(quietLogger(f.cfg.Log))
	opt := litestream.NewRestoreOptions()
	opt.OutputPath, opt.TXID = f.cfg.Path, at
	if err := litestream.NewReplicaWithClient(db, f.client).Restore(ctx, opt); err != nil {
		return 0, err
	}
	return at, litestream.WriteTXIDFile(f.cfg.Path, at)
}

// forget removes the copy, for another to be made.
func (f *Follower) forget() error {
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
	var errs []error
	for _, path := range append(Besides(f.cfg.Path), litestream.TXIDPath(f.cfg.Path)) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Run applies what comes until ctx is done. exclusively has to run what it is
// given while nobody reads the copy; applied is called after each step. An error
// means that the copy cannot be continued: the process has to begin anew.
func (f *Follower) Run(ctx context.Context, exclusively func(context.Context, func() error) error, applied func()) error {
	every := time.NewTicker(max(pollMost, min(f.cfg.Target.Every/2, pollLeast)))
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return f.settle()
		case <-every.C:
		}
		n, err := f.catchUp(ctx, func(apply func() error) error { return exclusively(ctx, apply) })
		if n > 0 {
			applied()
		}
		switch {
		case ctx.Err() != nil:
			return f.settle()
		case errors.Is(err, errBehind):
			return err
		case err != nil:
			f.fail(err)
			continue
		}
		f.succeed()
		if time.Since(f.settled) > settleEvery {
			if err := f.settle(); err != nil {
				f.fail(err)
			}
		}
	}
}

// catchUp applies all that there is and returns how many files that were.
func (f *Follower) catchUp(ctx context.Context, exclusively func(func() error) error) (n int, err error) {
	for {
		next, err := f.next(ctx)
		if err != nil || next == nil {
			return n, err
		}
		err = f.take(ctx, next, exclusively)
		if errors.Is(err, fs.ErrNotExist) {
			return n, nil // not there yet, or just put together with others
		}
		if err != nil {
			return n, err
		}
		n++
	}
}

// next returns the file to apply next: the one with the next number, without
// knowing whether it exists, or where none came for a while what a look at the
// whole backup says.
func (f *Follower) next(ctx context.Context) (*ltx.FileInfo, error) {
	if now := time.Now(); now.Sub(f.listed) > listEvery {
		f.listed = now
		return f.search(ctx)
	}
	return &ltx.FileInfo{MinTXID: f.at + 1, MaxTXID: f.at + 1}, nil
}

// search looks for what continues the copy the furthest. None is fine if the
// backup has nothing newer.
func (f *Follower) search(ctx context.Context) (best *ltx.FileInfo, err error) {
	newest := ltx.TXID(0)
	for level := 0; level <= litestream.SnapshotLevel; level++ {
		files, err := list(ctx, f.client, level, 0)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			newest = max(newest, file.MaxTXID)
			if file.MinTXID <= f.at+1 && file.MaxTXID > f.at && (best == nil || file.MaxTXID > best.MaxTXID && level < litestream.SnapshotLevel) {
				best = file
			}
		}
		if level == 0 && (best != nil || newest <= f.at) {
			break // the newest file of all is of this level
		}
	}
	switch {
	case best != nil || newest == f.at:
		return best, nil
	case newest > 0:
		return nil, fmt.Errorf("%w: it is at %s, the copy at %s", errBehind, newest, f.at)
	}
	return nil, fmt.Errorf("%s: %w", f.cfg.Target, ErrNoBackup)
}

// take downloads a file, verifies it and applies it.
func (f *Follower) take(ctx context.Context, info *ltx.FileInfo, exclusively func(func() error) error) error {
	r, err := f.client.OpenLTXFile(ctx, info.Level, info.MinTXID, info.MaxTXID, 0, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := f.spool.Truncate(0); err != nil {
		return err
	}
	if _, err := io.Copy(io.NewOffsetWriter(f.spool, 0), r); err != nil {
		return fmt.Errorf("fetching %s: %w", info.MaxTXID, err)
	}
	dec := ltx.NewDecoder(newReader(f.spool))
	if err := dec.Verify(); err != nil {
		return fmt.Errorf("%s is damaged: %w", ltx.FormatFilename(info.MinTXID, info.MaxTXID), err)
	}
	err = exclusively(func() error { return f.apply(ctx) })
	if err != nil {
		return fmt.Errorf("applying %s: %w", info.MaxTXID, err)
	}
	f.at = info.MaxTXID
	f.listed = time.Now()
	return nil
}

// Status returns how the follower does.
func (f *Follower) Status() FollowerStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

func (f *Follower) succeed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status = FollowerStatus{TXID: uint64(f.at), Reached: time.Now()}
}

func (f *Follower) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status.Problem = err
	if now := time.Now(); now.Sub(f.mentioned) > complainEvery {
		f.mentioned = now
		f.cfg.Log.Error().Err(err).Str("target", f.cfg.Target.String()).Msg("the copy is not kept up to date at the moment")
	}
}

// Close lets the copy go. Readers must be closed before.
func (f *Follower) Close() error {
	var err error
	if f.file != nil {
		err = f.file.Close()
	}
	return errors.Join(err, f.spool.Close(), f.lock.Close())
}
