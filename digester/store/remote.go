package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"sundew/digester/store/hrana"
	"sundew/schema"
)

const (
	// giveBackWithin bounds giving back a stream.
	giveBackWithin = time.Second

	// full is what PRAGMA synchronous says where each commit is synced.
	full = 2
)

// remote is a libSQL server as a DB's primary: one stream that writes. It is the
// connection of write transactions too, a request a statement. The holder of
// DB.turn owns it.
//
// Nothing is sent in the background but a batch's request while the next one is made
// (remoteBatch), and that is over before the turn is. A stream that was idle for long begins anew
// by itself; one that lost its transaction is replaced (abandon).
type remote struct {
	server RemoteConfig
	client *hrana.Client
	stream *hrana.Stream
}

// OpenRemote opens a libSQL server in place of a file and migrates its schema. It
// refuses a server that does not sync commits, unless that is wanted
// (RemoteConfig.Relaxed). Of cfg only what both have in common matters: Now, Log and
// Observe.
func OpenRemote(ctx context.Context, server RemoteConfig, cfg Config) (*DB, error) {
	client, err := server.client()
	if err != nil {
		return nil, err
	}
	r := &remote{server: server, client: client, stream: client.Stream()}
	d := newDB(cfg)
	d.remote, d.conn = r, r
	if err := r.prepare(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("opening %s: %w", server.URL, err)
	}
	if r.server.Relaxed {
		d.log.Warn().Str("server", server.URL).Msg("nobody checks whether the libSQL server syncs commits: a power cut there may lose events for good")
	}
	return d, nil
}

// prepare asserts durability and migrates.
func (r *remote) prepare(ctx context.Context) error {
	results, err := r.stream.Run(ctx, hrana.Statement{SQL: "PRAGMA synchronous"})
	if err != nil {
		return fromServer(err)
	}
	if err := r.durable(results[0]); err != nil {
		return err
	}
	pool := sql.OpenDB(r.client.Connector())
	_, err = schema.Migrate(ctx, pool)
	return errors.Join(fromServer(err), pool.Close())
}

// durable judges the answer to PRAGMA synchronous.
func (r *remote) durable(answer hrana.Result) error {
	var mode int64
	if err := (memoryRow{answer}).Scan(&mode); err != nil {
		return fromServer(err)
	}
	if mode < full && !r.server.Relaxed {
		return fromServer(errNotDurable)
	}
	return nil
}

// barrier moves the position and makes sure that the connection which committed
// before syncs its commits. It may run twice.
func (r *remote) barrier(ctx context.Context, now time.Time) error {
	results, err := r.stream.Run(ctx,
		hrana.Statement{SQL: "BEGIN IMMEDIATE"},
		hrana.Statement{SQL: moveOn, Args: []any{ms(now)}},
		hrana.Statement{SQL: "PRAGMA synchronous"},
		hrana.Statement{SQL: "COMMIT"})
	if err != nil {
		r.abandon(ctx)
		return fromServer(err)
	}
	if err := r.durable(results[2]); err != nil {
		r.renew(ctx) // only a new connection of the server's has its new settings
		return err
	}
	return nil
}

// abandon makes the stream fit for the next transaction, whatever became of the
// one before.
func (r *remote) abandon(ctx context.Context) {
	if r.stream.Open() {
		if _, err := r.stream.Run(ctx, hrana.Statement{SQL: "ROLLBACK"}); err == nil {
			return
		}
	}
	r.renew(ctx)
}

// renew takes a new stream. What is open on the old one is rolled back, at the
// latest when the server misses it.
func (r *remote) renew(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, giveBackWithin)
	defer cancel()
	_ = r.stream.Close(ctx)
	r.stream = r.client.Stream()
}

func (r *remote) close(ctx context.Context) error {
	r.renew(ctx)
	r.client.Close()
	return nil
}

// run runs one statement.
func (r *remote) run(ctx context.Context, query string, args []any) (hrana.Result, error) {
	values, err := serverValues(args)
	if err != nil {
		return hrana.Result{}, err
	}
	results, err := r.stream.Run(ctx, hrana.Statement{SQL: query, Args: values})
	if err != nil {
		return hrana.Result{}, fromServer(err)
	}
	return results[0], nil
}

// serverValues returns arguments as a server takes them.
func serverValues(args []any) ([]any, error) {
	named, err := bind(nil, args)
	values := make([]any, len(named))
	for i, n := range named {
		values[i] = n.Value
	}
	return values, err
}

func (r *remote) exec(ctx context.Context, query string, args ...any) (driver.Result, error) {
	result, err := r.run(ctx, query, args)
	return effect(result), err
}

func (r *remote) QueryContext(ctx context.Context, query string, args ...any) (cursor, error) {
	result, err := r.run(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return &memoryRows{rest: result.Rows}, nil
}

func (r *remote) QueryRowContext(ctx context.Context, query string, args ...any) row {
	result, err := r.run(ctx, query, args)
	if err != nil {
		return driverRow{err: err}
	}
	return memoryRow{result}
}

// effect is a server's driver.Result.
type effect hrana.Result

func (e effect) LastInsertId() (int64, error) { return e.LastID, nil }
func (e effect) RowsAffected() (int64, error) { return e.Changed, nil }

// memoryRows is a cursor over rows that are there already.
type memoryRows struct {
	rest    [][]any
	current []any
}

func (r *memoryRows) Next() bool {
	if len(r.rest) == 0 {
		return false
	}
	r.current, r.rest = r.rest[0], r.rest[1:]
	return true
}

func (r *memoryRows) Scan(dest ...any) error { return scan(r.current, dest) }
func (r *memoryRows) Err() error             { return nil }
func (r *memoryRows) Close() error           { return nil }

// memoryRow is the only row of a result.
type memoryRow struct{ result hrana.Result }

func (r memoryRow) Scan(dest ...any) error {
	if len(r.result.Rows) == 0 {
		return sql.ErrNoRows
	}
	return scan(r.result.Rows[0], dest)
}
