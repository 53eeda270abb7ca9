package replicate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"sync"
	"time"

	"github.com/benbjohnson/litestream"
	"github.com/rs/zerolog"

	"sundew/digester/store"
)

const (
	// checkpointWait is how long a batch may wait for a copy under way before it
	// goes on with the WAL as it is.
	checkpointWait = 250 * time.Millisecond

	// patience is the default of BackupConfig.Patience. What is not copied when a
	// process ends is at the next start.
	patience = 10 * time.Second

	// complainEvery is how often a failure that lasts is logged.
	complainEvery = 30 * time.Second

	// snapshotEvery is how often the whole database is copied; it bounds what has to
	// be read to restore.
	snapshotEvery = 6 * time.Hour
)

// levels are the steps in which Litestream puts its files together, so that a
// restore does not read a day of tenths of a second. The first step is the
// precision of a restore.
func levels() litestream.CompactionLevels {
	return litestream.CompactionLevels{
		{Level: 0},
		{Level: 1, Interval: time.Second},
		{Level: 2, Interval: time.Minute},
		{Level: 3, Interval: time.Hour},
	}
}

// BackupConfig says what to copy where.
type BackupConfig struct {
	Path   string // of the database
	Target Target
	Log    zerolog.Logger

	// Patience is how long the start and the end wait for a target that does not
	// answer; 10 s.
	Patience time.Duration
}

// Backup copies a database as it is written. It is safe for concurrent use.
//
// Litestream holds a read transaction on the WAL, so that nobody can begin it
// anew, except in its own checkpoint, which copies all of the WAL first and has
// the write lock meanwhile. The store says when: between two batches, when
// nobody of this process writes, so that no write ever waits for it. Litestream's
// own reasons for a checkpoint, size and time, are out of reach; one of them
// would copy the whole database while holding the lock.
type Backup struct {
	cfg     BackupConfig
	client  *client
	db      *litestream.DB
	manager *litestream.Store

	copying chan struct{} // holds one token; taking it is the right to copy or to checkpoint
	started bool          // guarded by copying: Litestream has its read transaction
	keeper  io.Closer     // guarded by copying; see store.KeepWAL
	pruner  pruner        // owned by Run

	mu        sync.Mutex // guards what follows
	health    Health
	mentioned time.Time // of the failure, in the log
}

// Health is how a backup does.
type Health struct {
	LastCopy time.Time // when everything written by then was at the target; zero: not yet
	TXID     uint64    // Litestream's number of the last file at the target
	Problem  error     // why copying does not work at the moment
}

// NewBackup returns a backup that does nothing yet.
func NewBackup(cfg BackupConfig) (*Backup, error) {
	target, err := cfg.Target.client()
	if err != nil {
		return nil, err
	}
	if cfg.Patience == 0 {
		cfg.Patience = patience
	}
	b := &Backup{cfg: cfg, client: &client{ReplicaClient: target}, copying: make(chan struct{}, 1)}
	b.copying <- struct{}{}
	b.db = litestream.NewDB(cfg.Path)
	b.db.MonitorInterval = 0 // Run copies
	b.db.MinCheckpointPageN = math.MaxInt32
	b.db.TruncatePageN = math.MaxInt32
	b.db.CheckpointInterval = 0
	b.db.Replica = litestream.NewReplicaWithClient(b.db, b.client)
	b.db.Replica.MonitorEnabled = false
	b.manager = litestream.NewStore([]*litestream.DB{b.db}, levels())
	b.manager.SnapshotInterval = snapshotEvery
	b.manager.SnapshotRetention = cfg.Target.Keep + snapshotEvery
	b.manager.L0Retention, b.db.L0Retention = 0, 0 // see pruner
	b.manager.ShutdownSyncTimeout, b.db.ShutdownSyncTimeout = cfg.Patience, cfg.Patience
	log := quietLogger(cfg.Log)
	b.manager.Logger = log
	b.db.SetLogger(log)
	return b, nil
}

// quietLogger passes on what Litestream warns of; it says a lot.
func quietLogger(log zerolog.Logger) *slog.Logger {
	if log.GetLevel() < zerolog.WarnLevel {
		log = log.Level(zerolog.WarnLevel)
	}
	return slog.New(zerolog.NewSlogHandler(log.With().Str("part", "litestream").Logger()))
}

// Start begins to hold the WAL. It is called after the store was opened and
// before anybody writes much. A target that cannot be reached is an error only
// where nothing was ever copied: then it may be the wrong one.
func (b *Backup) Start(ctx context.Context) error {
	<-b.copying
	defer func() { b.copying <- struct{}{} }()
	if err := b.client.Init(ctx); err != nil {
		return fmt.Errorf("backup at %s: %w", b.cfg.Target, err)
	}
	asking, cancel := context.WithTimeout(ctx, b.cfg.Patience)
	defer cancel()
	if _, err := list(asking, b.client, litestream.SnapshotLevel, 0); err != nil {
		if _, statErr := os.Stat(b.db.LTXLevelDir(0)); statErr != nil {
			return fmt.Errorf("backup at %s cannot be read: %w", b.cfg.Target, err)
		}
		b.fail(err)
		b.client.blind.Store(true)
		defer b.client.blind.Store(false)
	}
	keeper, err := store.KeepWAL(ctx, b.cfg.Path)
	if err != nil {
		return err
	}
	b.keeper = keeper
	if err := b.db.Open(); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := b.db.Sync(ctx); err != nil {
		return errors.Join(fmt.Errorf("backup: copying the WAL: %w", err), b.db.Close(context.WithoutCancel(ctx)), b.keeper.Close())
	}
	b.started = true
	if err := b.manager.Open(ctx); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// Run copies what is new until ctx is done. A failure is logged, shown by Health
// and tried again.
func (b *Backup) Run(ctx context.Context) {
	every := time.NewTicker(b.cfg.Target.Every)
	defer every.Stop()
	for {
		err := b.copyOnce(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			b.fail(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// copyOnce brings everything that was committed before it was called to the
// target.
func (b *Backup) copyOnce(ctx context.Context) error {
	select {
	case <-b.copying:
	case <-ctx.Done():
		return ctx.Err()
	}
	now := time.Now()
	err := b.db.Sync(ctx)
	b.copying <- struct{}{}
	if err != nil {
		return fmt.Errorf("copying the WAL: %w", err)
	}
	if err := b.db.Replica.Sync(ctx); err != nil {
		return fmt.Errorf("sending copies to %s: %w", b.cfg.Target, err)
	}
	txid := b.db.Replica.Pos().TXID
	b.mu.Lock()
	b.health = Health{LastCopy: now, TXID: uint64(txid)}
	b.mu.Unlock()
	if err := b.pruner.prune(ctx, b, txid, now); err != nil {
		return fmt.Errorf("removing old copies: %w", err)
	}
	return nil
}

// Checkpoint is made for store.Config.Checkpoint.
func (b *Backup) Checkpoint(ctx context.Context) (later bool, err error) {
	wait := time.NewTimer(checkpointWait)
	defer wait.Stop()
	select {
	case <-b.copying:
	case <-wait.C:
		return true, nil
	case <-ctx.Done():
		return true, ctx.Err()
	}
	defer func() { b.copying <- struct{}{} }()
	// A whole copy reads the database page by page, and pages must not move into
	// it meanwhile.
	if !b.started || b.client.snapshots.Load() > 0 {
		return true, nil
	}
	// Once begun it runs to its end: Litestream gives its read transaction back for a
	// moment, and could not take it again with a context that is over.
	if err := b.db.Checkpoint(context.WithoutCancel(ctx), litestream.CheckpointModePassive); err != nil {
		return false, fmt.Errorf("moving the WAL: %w", err)
	}
	return false, nil
}

// Health returns how the backup does.
func (b *Backup) Health() Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.health
}

func (b *Backup) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.health.Problem = err
	if now := time.Now(); now.Sub(b.mentioned) > complainEvery {
		b.mentioned = now
		b.cfg.Log.Error().Err(err).Str("target", b.cfg.Target.String()).Msg("the backup does not work at the moment; what is not copied is kept beside the database")
	}
}

// Close copies what is left and lets the WAL go. It is called after the store
// was closed: what holds SQLite's locks for this process is closed last.
func (b *Backup) Close(ctx context.Context) error {
	<-b.copying
	defer func() { b.copying <- struct{}{} }()
	if !b.started {
		return nil
	}
	b.started = false
	if err := b.manager.Close(ctx); err != nil {
		b.cfg.Log.Error().Err(err).Str("target", b.cfg.Target.String()).Msg("the backup lacks the last changes; the next start copies them")
	}
	return b.keeper.Close()
}
