// Package local is the queue of the embedded set-up: both ends in one process,
// with SQS's semantics, over a SQLite file of its own.
//
// It exists so that "accepted means durable" holds without an account anywhere:
// Send returns nil only when the messages are on disk, numbered. Its rules:
//
//   - One committer goroutine owns the only writing connection. Whatever is
//     pending when it becomes free (sends, receives, extends, deletes) goes into
//     one BEGIN IMMEDIATE … COMMIT under synchronous=FULL, so that under load one
//     fsync serves many requests and the digester's receipts too, and a lone
//     Send waits for nobody.
//   - A lane is what one process run (wire.InstanceID) accepted for one project.
//     The number of a message and its lane's new high are part of the
//     transaction that stores the message: a number exists if and only if its
//     message was accepted, so there are never gaps to explain.
//   - When it is not known whether a COMMIT took effect, numbers can no longer be
//     vouched for: the queue stops for good (ErrStopped), and the process has to
//     restart, as another instance. What is on disk then is either all of that
//     transaction or nothing of it.
//   - Delivery is at least once. Whoever reads has to recognise what it has seen.
//
// SQL belongs to digester/store and this package is the one exception: it is
// another file, with a format and an owner of its own, and holds no table that
// anything else may know.
package local

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// Errors that callers tell apart.
var (
	// ErrClosed is returned by everything that comes after Close.
	ErrClosed = errors.New("local queue: closed")

	// ErrStopped is returned by a commit whose outcome is unknown, and by
	// everything after it; likewise when the file cannot be used any more. It does
	// not heal: the process has to restart.
	ErrStopped = errors.New("local queue: stopped, the process has to restart")

	// ErrInUse is returned by Open when another process owns the file.
	ErrInUse = errors.New("local queue: the file belongs to another running process")

	// ErrFormat is returned for a file that a newer program made.
	ErrFormat = errors.New("local queue: file format not known to this program")

	// ErrReceipt is returned for a text that is no receipt of this queue.
	ErrReceipt = errors.New("local queue: malformed receipt")
)

// Config says where the queue is and how it delivers.
type Config struct {
	// Path of the SQLite file, made if missing; its directory must exist. The
	// process keeps a lock on Path + ".lock".
	Path string

	// Instance names this run of the process. Zero means a new random one.
	Instance wire.InstanceID

	// Visibility is how long a received message stays invisible unless extended.
	// Zero means 30 seconds.
	Visibility time.Duration

	// MaxReceives is how often a message is delivered before it is set aside as
	// a dead letter. Zero means 8.
	MaxReceives int

	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// Log hears of what an operator should know. The zero value is silent.
	Log zerolog.Logger

	// onCommit stands between the queue and COMMIT, for tests: whether to send
	// the COMMIT, and the error to report in place of its own.
	onCommit func() (apply bool, err error)
}

// withDefaults returns the configuration with its zero values replaced.
func (c Config) withDefaults() Config {
	if c.Instance == (wire.InstanceID{}) {
		_, _ = rand.Read(c.Instance[:]) // never fails
	}
	if c.Visibility <= 0 {
		c.Visibility = 30 * time.Second
	}
	if c.MaxReceives <= 0 {
		c.MaxReceives = 8
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Queue is both ends of the queue. It is safe for concurrent use.
type Queue struct {
	cfg  Config
	lock *os.File
	db   *sql.DB    // holds one connection, conn
	conn *sql.Conn  // used by the committer only
	stmt statements // likewise
	view *Inspector // reads beside the committer, on connections of its own

	// Owned by the committer.
	lanes    map[event.ProjectID]lane // of this instance, as committed
	nextLane int64
	nextID   int64

	mu       sync.Mutex
	arrived  *sync.Cond    // pending grew, or closing was set
	pending  []*op         // guarded by mu
	closing  bool          // guarded by mu
	refusal  error         // guarded by mu: why new operations are turned away
	refusing error         // guarded by mu: why there was no room for the last send
	wake     chan struct{} // guarded by mu: closed and replaced when receivers should look again

	done chan struct{} // closed when the committer has ended
}

// lane counts what one instance accepted for one project.
type lane struct {
	id     int64
	high   int64 // number of the newest message; every number from 1 to high was accepted
	lastID int64 // id of that message
}

// Open opens or makes the queue and starts its committer. Messages that an
// earlier process had received and not deleted are visible at once: nobody is
// left to delete them. ctx bounds the opening only.
func Open(ctx context.Context, cfg Config) (*Queue, error) {
	q := &Queue{
		cfg:   cfg.withDefaults(),
		lanes: make(map[event.ProjectID]lane),
		wake:  make(chan struct{}),
		done:  make(chan struct{}),
	}
	q.arrived = sync.NewCond(&q.mu)
	if err := q.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening queue %s: %w", cfg.Path, err), q.release())
	}
	go q.run()
	return q, nil
}

// open does what can fail; release undoes it.
func (q *Queue) open(ctx context.Context) (err error) {
	if q.lock, err = lockFile(q.cfg.Path + ".lock"); err != nil {
		return err
	}
	if q.db, err = sql.Open("sqlite", writerDSN(q.cfg.Path)); err != nil {
		return err
	}
	q.db.SetMaxOpenConns(1)
	if q.conn, err = q.db.Conn(ctx); err != nil {
		return err
	}
	if err := createTables(ctx, q.conn); err != nil {
		return err
	}
	if err := q.resume(ctx); err != nil {
		return err
	}
	if err := q.stmt.prepare(ctx, q.conn); err != nil {
		return err
	}
	q.view, err = inspect(ctx, q.cfg.Path, q.cfg.Now)
	return err
}

// resume reads where an earlier process left off and makes visible what it had
// in flight.
func (q *Queue) resume(ctx context.Context) error {
	const last = `SELECT coalesce(max(id), 0), coalesce(max(last_id), 0) FROM lanes`
	if err := q.conn.QueryRowContext(ctx, last).Scan(&q.nextLane, &q.nextID); err != nil {
		return fmt.Errorf("reading lanes: %w", err)
	}
	q.nextLane++
	q.nextID++
	rows, err := q.conn.QueryContext(ctx, `SELECT id, project, high, last_id FROM lanes WHERE instance = ?`, q.cfg.Instance[:])
	if err != nil {
		return fmt.Errorf("reading lanes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var project event.ProjectID
		var l lane
		if err := rows.Scan(&l.id, &project, &l.high, &l.lastID); err != nil {
			return fmt.Errorf("reading lanes: %w", err)
		}
		q.lanes[project] = l
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading lanes: %w", err)
	}
	const appear = `UPDATE messages SET visible_at = ? WHERE visible_at <> ?`
	if _, err := q.conn.ExecContext(ctx, appear, visibleNow, visibleNow); err != nil {
		return fmt.Errorf("making messages visible: %w", err)
	}
	return nil
}

// Instance returns the name of this run, which every message sent carries.
func (q *Queue) Instance() wire.InstanceID { return q.cfg.Instance }

// Close turns away what comes later, finishes what is pending, checkpoints and
// closes the file. When ctx ends first, the committer finishes by itself and the
// file is left as a crash would leave it. Later calls return nil.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	if q.closing {
		q.mu.Unlock()
		return nil
	}
	q.closing = true
	if q.refusal == nil {
		q.refusal = ErrClosed
	}
	q.wakeLocked()
	q.arrived.Signal()
	q.mu.Unlock()

	select {
	case <-q.done:
	case <-ctx.Done():
		return fmt.Errorf("closing queue: %w", ctx.Err())
	}
	_, err := q.conn.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return errors.Join(err, q.release())
}

// release closes whatever open opened.
func (q *Queue) release() error {
	var errs []error
	if q.view != nil {
		errs = append(errs, q.view.Close())
	}
	errs = append(errs, q.stmt.close()...)
	if q.conn != nil {
		errs = append(errs, q.conn.Close())
	}
	if q.db != nil {
		errs = append(errs, q.db.Close())
	}
	if q.lock != nil {
		errs = append(errs, q.lock.Close())
	}
	return errors.Join(errs...)
}

// Err returns nil as long as the queue works, and why it stopped once it has:
// ErrStopped or ErrClosed, wrapped.
func (q *Queue) Err() error { return q.refused() }
