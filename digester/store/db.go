// Package store is the database: every SQL statement of the program.
//
// It exists so that the transaction model is in one place. There are two types
// and two functions. DB.Write is the only place that says BEGIN IMMEDIATE and
// hands out a Tx; Replica.Read begins a deferred transaction on a connection
// that refuses to write and hands out an Rx. Neither nests. Whoever holds an Rx
// cannot write, because it has no method that does.
//
// One connection writes. A queue in front of it lets writers of this process in
// one at a time, in the order in which they came, so that they never meet
// SQLITE_BUSY; another process that holds the lock makes the whole transaction
// run again, never a statement of it. infra/sqlite-busy.md says why it is so.
//
// A write that depends on a long read is two transactions: a Read that takes its
// time, then short Writes that assert what the read found, because meanwhile the
// world went on. The example is Rx.QuietIssues with Tx.ResolveQuiet. An Rx never
// becomes a Tx: that upgrade fails whenever somebody else wrote in between.
//
// The primary is a file or a libSQL server (remote.go). Both give the same DB: a
// transaction of either is the same code over another connection, and a digest the
// same plan (plan.go), which a file runs at once and a server gets with others in
// one request.
//
// Where an event is committed: DB.Digest in digest.go.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"github.com/tursodatabase/libsql-client-go/libsql"
	_ "modernc.org/sqlite" // the driver behind libsql's file: scheme

	"sundew/digester/store/walfs"
	"sundew/schema"
	"sundew/schema/wire"
)

// Config says how to open the primary.
type Config struct {
	Path string           // of the database file; made if missing
	Now  func() time.Time // the clock; nil: time.Now
	Log  zerolog.Logger

	// WALLimit, in bytes, is the size of the WAL beyond which a batch boundary
	// tries to reset it: overlapping readers make it grow past what automatic
	// checkpoints leave. 0: 64 MiB.
	WALLimit int64

	// Checkpoint, if not nil, moves the WAL into the database in the store's place:
	// whoever copies the WAL must be the only one that does, or it misses what it
	// has not copied. See checkpoint.go.
	Checkpoint Checkpoint

	// AttachmentBytes is how much room a project's attachments may take up, with
	// something for each file's rows; 0: 1 GiB. Somebody has to remove the oldest beyond
	// it (DB.EvictAttachments): what comes before that is stored up to a quarter more,
	// and then dropped.
	AttachmentBytes int64

	// ArtifactBytes is how much room the files of uploads may take up together; 0: 5 GiB.
	// Somebody has to remove some beyond it (Tx.TidyArtifacts): what comes
	// before that is stored up to a quarter more, and then refused with ErrNoRoom.
	ArtifactBytes int64

	// Observe is told how long each stage of each write took, and why it was;
	// nil: nobody is. It must be quick and safe for concurrent use.
	Observe func(stage Stage, why string, took time.Duration)

	// Wrap stands between the store's writer and its driver, for a measurement
	// that has to see every statement; nil: nothing does.
	Wrap func(driver.Connector) driver.Connector

	// VFS is SQLite's name of how to write, for tests whose disk fails (package
	// walfs); empty: the product's.
	VFS string
}

// Stage is a part of a write whose time is worth knowing.
type Stage string

// The stages.
const (
	StageWait        Stage = "wait"        // for the turn, behind other writers of this process
	StageTransaction Stage = "transaction" // from BEGIN IMMEDIATE, and waiting for other processes' locks, to COMMIT
	StageCheckpoint  Stage = "checkpoint"  // emptying a WAL that had grown too large
)

const (
	// writeDeadline bounds how long a writer waits for its turn and for other
	// processes' locks together.
	writeDeadline = 30 * time.Second

	// pageSize is set when a database is made. A digest changes about a dozen
	// pages, one or two rows in each, and a commit writes them whole to the WAL:
	// with pages of 2 KB the whole digest measured 1.2 to 1.3 times as fast as
	// with SQLite's default of 4 KB, with 1 KB no faster (BenchmarkDrain).
	pageSize = 2048

	// busyTimeout, in milliseconds, is how long SQLite itself waits for another
	// process's lock. No context can end that wait, so it is short: exclusively
	// looks at the context in between and begins anew.
	busyTimeout = 250

	// openTimeout is busyTimeout of opening and migrating.
	openTimeout = 5000

	// checkpointEvery is after how many transactions the end of a batch moves the
	// WAL into the database; a digest writes about 30 KB. SQLite would do so by
	// itself inside of a commit, but keeps silent when that fails; a failed fsync
	// must not go unseen. Transactions are counted, because the file does not get
	// shorter when SQLite begins the WAL anew: writing over old blocks is cheaper
	// than making new ones.
	checkpointEvery = 500

	// walLimit is the default of Config.WALLimit. To reset the WAL new readers
	// have to wait, at most walPatience, and not more often than walEvery. At
	// walBound times the limit patience ends: readers are cut off.
	walLimit    = 64 << 20
	walPatience = 100 * time.Millisecond
	walEvery    = time.Second
	walBound    = 3

	// attachmentBytes is the default of Config.AttachmentBytes.
	attachmentBytes = 1 << 30

	// artifactBytes is the default of Config.ArtifactBytes.
	artifactBytes = 5 << 30
)

// DB is the primary, a file or a libSQL server. It is safe for concurrent use.
type DB struct {
	path    string
	now     func() time.Time
	log     zerolog.Logger
	observe func(Stage, string, time.Duration)

	turn    chan struct{} // holds one token; taking it is the right to use writer and cache
	waiting atomic.Int32  // how many want the turn

	conn   connection // that writes: writer or remote
	remote *remote    // in place of the file, which all that is left belongs to; nil: it is a file
	writer *writer
	cache  *digestCache
	codec  *wire.Codec
	gate   *gate

	attachmentBytes int64 // of a project
	artifactBytes   int64 // of all

	walLimit   int64
	checkpoint Checkpoint   // nil: the store's own
	unmoved    atomic.Int64 // transactions since the WAL was last moved into the database
	removals   atomic.Int64 // events removed since the last Write
	resetTried time.Time    // of the WAL; owned by the holder of turn
	unsynced   error        // the fsync that failed; owned by the holder of turn
}

// Open opens or makes the database file, sets WAL mode and migrates the schema.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	w, err := openWriter(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", cfg.Path, err)
	}
	d := newDB(cfg)
	d.writer, d.conn = w, w
	if err := d.recover(ctx); err != nil {
		d.noteSync(err)
		return nil, errors.Join(fmt.Errorf("opening %s: %w", cfg.Path, err), d.closeWriter())
	}
	return d, nil
}

// newDB returns a DB without a connection.
func newDB(cfg Config) *DB {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.WALLimit == 0 {
		cfg.WALLimit = walLimit
	}
	if cfg.AttachmentBytes == 0 {
		cfg.AttachmentBytes = attachmentBytes
	}
	if cfg.ArtifactBytes == 0 {
		cfg.ArtifactBytes = artifactBytes
	}
	if cfg.Observe == nil {
		cfg.Observe = func(Stage, string, time.Duration) {}
	}
	d := &DB{
		path: cfg.Path, now: cfg.Now, log: cfg.Log, observe: cfg.Observe, walLimit: cfg.WALLimit, checkpoint: cfg.Checkpoint,
		turn: make(chan struct{}, 1), cache: newDigestCache(cfg.AttachmentBytes + cfg.AttachmentBytes/4), codec: wire.NewCodec(), gate: newGate(),
		attachmentBytes: cfg.AttachmentBytes, artifactBytes: cfg.ArtifactBytes,
	}
	d.turn <- struct{}{}
	return d
}

// openWriter makes the connection that writes, and the file if it is missing.
func openWriter(ctx context.Context, cfg Config) (*writer, error) {
	if cfg.VFS == "" {
		var err error
		if cfg.VFS, err = walfs.Name(); err != nil {
			return nil, err
		}
	}
	connector, err := newConnector(cfg.Path, url.Values{
		"_pragma": {
			"synchronous(normal)", "foreign_keys(1)",
			fmt.Sprintf("busy_timeout(%d)", openTimeout),
			"wal_autocheckpoint(0)", // see checkpointEvery
			"cache_size(-65536)", "temp_store(memory)",
		},
		"vfs": {cfg.VFS},
	})
	if err != nil {
		return nil, err
	}
	if cfg.Wrap != nil {
		connector = cfg.Wrap(connector)
	}
	return newWriter(ctx, connector)
}

// recover brings the file into the state from which the writer starts. What an
// earlier process left behind in the WAL when it died is in the database then,
// and on disk.
func (d *DB) recover(ctx context.Context) error {
	// Another process may be about the same thing, and switching to WAL does not
	// wait for locks by itself. The deadline is for the locks of others only: a
	// migration itself may take as long as it has to.
	waiting, cancel := context.WithTimeout(ctx, writeDeadline)
	defer cancel()
	if err := untilFree(waiting, func() error { return d.prepareFile(ctx) }); err != nil {
		return err
	}
	if err := d.rewriteWAL(ctx); err != nil {
		return fmt.Errorf("writing the WAL again: %w", err)
	}
	if err := untilFree(waiting, func() error { return d.migrate(ctx) }); err != nil {
		return err
	}
	if d.checkpoint == nil { // else the WAL stays, for the copy to be continued
		if err := d.resetWAL(ctx); err != nil {
			return fmt.Errorf("emptying the WAL: %w", err)
		}
	}
	return d.writer.once(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", busyTimeout))
}

// untilFree runs fn, and again with growing pauses for as long as the database
// says that somebody else holds a lock.
func untilFree(ctx context.Context, fn func() error) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 250*time.Millisecond) {
		err := fn()
		if !KindOf(err).Again() {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// prepareFile sets what is on the file for good, in this order: a page size can
// be set only before there is a page, and WAL makes the first.
func (d *DB) prepareFile(ctx context.Context) error {
	for _, pragma := range []string{fmt.Sprintf("PRAGMA page_size = %d", pageSize), "PRAGMA journal_mode = WAL"} {
		if err := d.writer.once(ctx, pragma); err != nil {
			return fmt.Errorf("%s: %w", pragma, err)
		}
	}
	return nil
}

// migrate brings the schema up to date, by connections of its own.
func (d *DB) migrate(ctx context.Context) error {
	pool, err := openPool(d.path, url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"foreign_keys(1)", fmt.Sprintf("busy_timeout(%d)", openTimeout), "wal_autocheckpoint(0)"},
	})
	if err != nil {
		return err
	}
	_, err = schema.Migrate(ctx, pool)
	return errors.Join(err, pool.Close())
}

// newConnector returns libSQL's connector, because sql.Open("libsql") leaks a
// goroutine for each connection.
func newConnector(path string, query url.Values) (driver.Connector, error) {
	return libsql.NewConnector("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode())
}

func openPool(path string, query url.Values) (*sql.DB, error) {
	connector, err := newConnector(path, query)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return sql.OpenDB(connector), nil
}

// Close waits for the transaction under way, empties the WAL into the database,
// unless that is somebody else's to do (Config.Checkpoint), and closes it. After a
// failed fsync it does neither, and says so: the process has to end.
func (d *DB) Close(ctx context.Context) error {
	select {
	case <-d.turn:
	case <-ctx.Done():
		return fmt.Errorf("closing the database: %w", ctx.Err())
	}
	if d.unsynced != nil {
		d.turn <- struct{}{} // nothing is closed
		return d.unsynced
	}
	if d.remote != nil {
		return d.remote.close(ctx)
	}
	var err error
	if d.checkpoint == nil {
		err = d.writer.once(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
		d.noteSync(err)
	}
	return errors.Join(err, d.closeWriter())
}

// Write runs fn in one BEGIN IMMEDIATE transaction and returns nil only when it
// is committed and on disk. An error of fn rolls back and is returned as it is.
// Where another process holds the lock the whole transaction runs again, so fn
// must not do anything but use its Tx; what has to follow the commit goes into
// Tx.OnCommit. The database is then at a new position (Tx.Position), by which a
// copy of it can be told to have the transaction. Transactions do not nest: with
// the context of a transaction (Rx.Context) Write returns ErrNested.
//
// why names the transaction in errors and metrics.
func (d *DB) Write(ctx context.Context, why string, fn func(*Tx) error) error {
	moving := func(tx *Tx) error {
		if err := tx.advance(); err != nil {
			return err
		}
		return fn(tx)
	}
	if d.remote != nil {
		return d.exclusively(ctx, why, func() error { return d.writeLocked(ctx, moving) })
	}
	err := d.exclusively(ctx, why, func() error {
		if err := d.writer.setSync(ctx, "FULL"); err != nil {
			return err
		}
		err := d.writeLocked(ctx, moving)
		if errBack := d.writer.setSync(ctx, "NORMAL"); errBack != nil {
			// What is committed must not run again because of this; the next
			// transactions are slower than they need to be, and as safe.
			d.log.Error().Err(errBack).Msg("commits stay synchronous")
		}
		return err
	})
	if err != nil {
		return err
	}
	d.removals.Store(0)
	if err := d.boundWAL(ctx); err != nil {
		// The transaction is committed and on disk; the next write tries again.
		d.log.Error().Err(err).Msg("the WAL could not be moved into the database")
	}
	return nil
}

// exclusively waits for the writer's turn, runs fn and again as long as the
// database says that somebody else holds the lock.
func (d *DB) exclusively(ctx context.Context, why string, fn func() error) error {
	if err := refuseNested(ctx); err != nil {
		return fmt.Errorf("%s: %w", why, err)
	}
	ctx, cancel := context.WithTimeout(ctx, writeDeadline)
	defer cancel()
	asked := time.Now()
	d.waiting.Add(1)
	select {
	case <-d.turn:
		d.waiting.Add(-1)
		defer func() { d.turn <- struct{}{} }()
	case <-ctx.Done():
		d.waiting.Add(-1)
		return fmt.Errorf("%s: waiting to write: %w", why, ctx.Err())
	}
	if d.unsynced != nil {
		return fmt.Errorf("%s: %w", why, d.unsynced)
	}
	began := time.Now()
	d.observe(StageWait, why, began.Sub(asked))
	defer func() { d.observe(StageTransaction, why, time.Since(began)) }()
	return wrapWhy(why, untilFree(ctx, func() error {
		err := fn()
		d.noteSync(err)
		return err
	}))
}

// wrapWhy names the transaction in errors of the database; what fn itself
// returned stays as it is.
func wrapWhy(why string, err error) error {
	if err == nil || KindOf(err) == KindOther {
		return err
	}
	return fmt.Errorf("%s: %w", why, err)
}

// writeLocked runs one transaction. The caller has the turn.
func (d *DB) writeLocked(ctx context.Context, fn func(*Tx) error) (err error) {
	// A transaction is short and once begun runs to its end: no half-cancelled
	// statements, and no goroutine per statement to watch for it.
	ctx = inTransaction(context.WithoutCancel(ctx))
	if _, err := d.conn.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	committed := false
	defer func() {
		if committed {
			return
		}
		if d.remote != nil {
			d.remote.abandon(ctx)
			return
		}
		if _, rbErr := d.writer.exec(ctx, "ROLLBACK"); rbErr != nil && !noTransaction(rbErr) {
			// The only connection that writes is stuck in a transaction.
			err = fmt.Errorf("%w: %w", ErrCommitUnknown, errors.Join(err, rbErr))
		}
	}()
	tx := &Tx{Rx: Rx{ctx: ctx, q: d.conn, codec: d.codec}, w: d.conn, now: d.now().UTC().Truncate(time.Millisecond)}
	if err := fn(tx); err != nil {
		return err
	}
	if _, err := d.conn.exec(ctx, "COMMIT"); err != nil {
		return commitError(err)
	}
	committed = true
	d.unmoved.Add(1)
	for _, f := range tx.afterCommit {
		f()
	}
	return nil
}

// Barrier makes everything that was committed so far survive a power cut: the
// end of a batch. It is a Write of nothing but the position: a FULL commit that
// changed nothing would sync nothing (infra/sqlite-busy.md). A libSQL server syncs
// each commit, and the barrier makes sure that it still does.
func (d *DB) Barrier(ctx context.Context) error {
	if d.remote != nil {
		return d.exclusively(ctx, "batch barrier", func() error { return d.remote.barrier(ctx, d.now()) })
	}
	return d.Write(ctx, "batch barrier", func(*Tx) error { return nil })
}
