package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"time"

	"sundew/digester/store/sandbox"
	"sundew/schema/wire"
)

// readDeadline bounds a read transaction: a snapshot held for longer keeps the
// WAL from being reset.
const readDeadline = 5 * time.Second

// Replica reads: a database file, or a libSQL server (remotereplica.go). It is
// safe for concurrent use.
type Replica struct {
	path   string
	pool   *sql.DB      // of the file
	remote *remoteReads // in its place; nil: it is a file
	codec  *wire.Codec
	gate   *gate // shared with the DB of this process, if it has one

	ask    asker         // people's own statements (statement.go)
	asking chan struct{} // has one for each that runs

	observe func(context.Context, ReadReport) // nil: nobody is told of reads
}

// ReadReport is what a read transaction took.
type ReadReport struct {
	Began   time.Time
	Took    time.Duration
	Queries int
	Failed  bool
}

// ObserveReads has f told of every Read, with the context that it was given. It is
// called before the replica is used; f must be quick and safe for concurrent use.
func (r *Replica) ObserveReads(f func(context.Context, ReadReport)) { r.observe = f }

// counting counts the queries of a transaction.
type counting struct {
	querier
	n *int
}

func (c counting) QueryContext(ctx context.Context, query string, args ...any) (cursor, error) {
	*c.n++
	return c.querier.QueryContext(ctx, query, args...)
}

func (c counting) QueryRowContext(ctx context.Context, query string, args ...any) row {
	*c.n++
	return c.querier.QueryRowContext(ctx, query, args...)
}

// OpenReplica opens the database for reading beside its writer.
func (d *DB) OpenReplica(ctx context.Context) (*Replica, error) {
	if d.remote != nil {
		return OpenRemoteReplica(ctx, d.remote.server) // over connections of its own
	}
	r, err := OpenReplica(ctx, d.path)
	if err == nil {
		r.gate = d.gate
	}
	return r, err
}

// OpenReplica opens a database file for reading from a process that does not
// write it; it must exist. Every connection refuses to write.
func OpenReplica(ctx context.Context, path string) (*Replica, error) {
	pool, err := openPool(path, url.Values{
		"mode":    {"rw"}, // read-only opening cannot recover a WAL that a crash left
		"_pragma": {"query_only(1)", "busy_timeout(5000)", "cache_size(-16384)", "temp_store(memory)"},
	})
	if err != nil {
		return nil, err
	}
	// More readers than cores only take turns, each with a page cache.
	pool.SetMaxOpenConns(max(4, runtime.NumCPU()))
	pool.SetMaxIdleConns(4)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s for reading: %w", path, err), pool.Close())
	}
	return &Replica{path: path, pool: pool, codec: wire.NewCodec(), gate: newGate(),
		ask: sandbox.Run, asking: make(chan struct{}, statementsAtOnce)}, nil
}

// Read runs fn on one snapshot: all that it reads is from one moment. Of a file
// that is one deferred transaction; of a libSQL server fn may run several times,
// so that it must do nothing but read and assign what it found. It is cut off
// after five seconds, when ctx is done, or, with ErrCut, when the WAL has grown
// beyond its bound and must be reset. With the context of a transaction it returns
// ErrNested.
func (r *Replica) Read(ctx context.Context, fn func(*Rx) error) (err error) {
	if err := refuseNested(ctx); err != nil {
		return err
	}
	if r.observe != nil {
		report, told, whole := ReadReport{Began: time.Now()}, ctx, fn
		fn = func(rx *Rx) error {
			rx.q = counting{rx.q, &report.Queries}
			return whole(rx)
		}
		defer func() {
			report.Took, report.Failed = time.Since(report.Began), err != nil
			r.observe(told, report)
		}()
	}
	ctx, cancel := context.WithTimeout(inTransaction(ctx), readDeadline)
	defer cancel()
	ctx, leave, err := r.gate.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	err = r.snapshot(ctx, fn)
	if err != nil && errors.Is(context.Cause(ctx), ErrCut) {
		return fmt.Errorf("%w: %w", ErrCut, err)
	}
	return err
}

// snapshot is Read without its bounds.
func (r *Replica) snapshot(ctx context.Context, fn func(*Rx) error) error {
	if r.remote != nil {
		return r.remote.read(ctx, func(q querier) error { return fn(&Rx{ctx: ctx, q: q, codec: r.codec}) })
	}
	tx, err := r.pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	defer tx.Rollback() // there is nothing to commit
	return fn(&Rx{ctx: ctx, q: pooled{tx}, codec: r.codec})
}

// Exclusively runs fn while nobody reads through this replica: for a file that
// is brought up to date by other means than SQLite's. It must not be called twice
// at once, nor for the replica of a DB.
func (r *Replica) Exclusively(ctx context.Context, fn func() error) error {
	defer r.gate.open()
	if err := r.gate.closeAndWait(ctx); err != nil {
		return fmt.Errorf("waiting for readers: %w", err)
	}
	return fn()
}

// Path returns the file that the replica reads; empty: it is a server.
func (r *Replica) Path() string { return r.path }

// Close closes the connections.
func (r *Replica) Close() error {
	if r.remote != nil {
		r.remote.client.Close()
		return nil
	}
	return r.pool.Close()
}
