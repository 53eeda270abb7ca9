package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"time"

	"sundew/schema/wire"
)

// readDeadline bounds a read transaction: a snapshot held for longer keeps the
// WAL from being reset.
const readDeadline = 5 * time.Second

// Replica reads. It is safe for concurrent use.
type Replica struct {
	pool  *sql.DB
	codec *wire.Codec
}

// OpenReplica opens a database file for reading; it must exist. Every
// connection refuses to write.
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
	return &Replica{pool: pool, codec: wire.NewCodec()}, nil
}

// Read runs fn in one deferred transaction: all that it reads is from one
// moment. It is cut off after five seconds, or when ctx is done. With the context
// of a transaction it returns ErrNested.
func (r *Replica) Read(ctx context.Context, fn func(*Rx) error) error {
	if err := refuseNested(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(inTransaction(ctx), readDeadline)
	defer cancel()
	tx, err := r.pool.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	defer tx.Rollback() // there is nothing to commit
	return fn(&Rx{ctx: ctx, q: tx, codec: r.codec})
}

// Close closes the connections.
func (r *Replica) Close() error { return r.pool.Close() }
