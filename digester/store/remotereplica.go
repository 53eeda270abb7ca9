package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"sundew/digester/store/hrana"
	"sundew/schema/wire"
)

const (
	// remoteStreams is how many reads of a server are under way at once, each on a
	// connection of the server's.
	remoteStreams = 16

	// streamAge is for how long a connection of the server's is used. A replica whose
	// primary has died begins a new file (infra/libsql.md), and connections from
	// before go on reading the old one.
	streamAge = time.Second

	// snapshotTries is how often a read of a server begins anew because the
	// database moved under it.
	snapshotTries = 4

	// closeWithin bounds closing a stream.
	closeWithin = time.Second
)

// ErrReplicaAway is wrapped by errors of a libSQL server that cannot be asked: it
// does not answer, not in time, or lets nobody in.
var ErrReplicaAway = errors.New("the libSQL server does not answer")

// RemoteConfig says which libSQL server.
type RemoteConfig struct {
	URL       string // http or https, without a path
	Token     string // JWT; empty: none
	Namespace string // of a server with namespaces that the URL's host does not name; empty: none

	// Relaxed accepts a primary that does not sync its commits. Then a power cut there
	// loses events that were deleted from the queue. Replicas are not asked.
	Relaxed bool

	Transport http.RoundTripper // carries the requests; nil: one of the store's own
}

func (c RemoteConfig) client() (*hrana.Client, error) {
	return hrana.New(hrana.Config{URL: c.URL, Token: c.Token, Namespace: c.Namespace, Transport: c.Transport})
}

// OpenRemoteReplica opens a libSQL server for reading: a replica, or the primary
// itself. It reads the database's position: a server that is up may still have no
// database, and its own health endpoint would not know. The error is ErrReplicaAway
// where it helps to try again.
func OpenRemoteReplica(ctx context.Context, cfg RemoteConfig) (*Replica, error) {
	client, err := cfg.client()
	if err != nil {
		return nil, err
	}
	r := &Replica{remote: &remoteReads{client: client, slots: make(chan struct{}, remoteStreams)}, codec: wire.NewCodec(), gate: newGate()}
	if _, err := r.Position(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("opening %s for reading: %w", cfg.URL, err)
	}
	return r, nil
}

// remoteReads reads from a libSQL server.
//
// A server that is a replica cannot hold a transaction over several requests: what
// is left open is begun again on the primary, and fails without it. So the
// statements of a read are requests of their own, and SQLite's data_version on the
// same connection tells whether somebody committed in between. (The place in the log
// that comes with each answer would not do: it is named a little after what it names
// can be read. It tells answers of the primary's, which a replica that has just
// started hands on, from its own.) If the database moved, the read runs
// again, now with answers to the statements of the try before, which came from one
// transaction in one request; mostly these are the statements that it asks again.
// After snapshotTries the last answers are taken as they are. Then two statements
// of the last try may differ by what was committed within a round trip: where what
// one statement found decides what the next one asks, and this changed every time.
type remoteReads struct {
	client *hrana.Client
	slots  chan struct{} // has one for each read under way

	mu   sync.Mutex
	idle []agingStream // guarded by mu; the last was used last
}

// agingStream is a stream and when it began.
type agingStream struct {
	*hrana.Stream
	began time.Time
}

func (r *remoteReads) read(ctx context.Context, fn func(querier) error) error {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return fmt.Errorf("waiting to read: %w", ctx.Err())
	}
	stream := r.take(ctx)
	defer r.giveBack(ctx, stream)
	var asked []hrana.Statement
	for try := 1; ; try++ {
		t := &remoteTry{stream: stream.Stream, known: make(map[string]hrana.Result)}
		if err := t.foresee(ctx, asked); err != nil {
			return err
		}
		err := fn(t)
		if !t.moved || try == snapshotTries || errors.Is(err, ErrReplicaAway) {
			return err
		}
		asked = t.asked
	}
}

// take returns a stream that nobody uses.
func (r *remoteReads) take(ctx context.Context) agingStream {
	r.mu.Lock()
	var s agingStream
	if n := len(r.idle); n > 0 {
		s, r.idle = r.idle[n-1], r.idle[:n-1]
	}
	r.mu.Unlock()
	if s.Stream != nil && time.Since(s.began) < streamAge {
		return s
	}
	if s.Stream != nil {
		closeStream(ctx, s.Stream)
	}
	return agingStream{r.client.Stream(), time.Now()}
}

// giveBack takes a stream back, unless a failed request has left it in a
// transaction.
func (r *remoteReads) giveBack(ctx context.Context, s agingStream) {
	if s.Open() {
		closeStream(ctx, s.Stream)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, s)
}

// closeStream lets the server have its connection again, of which it has not many.
func closeStream(ctx context.Context, s *hrana.Stream) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	_ = s.Close(ctx) // the server closes it soon enough
}

// remoteTry is one try to read everything from one snapshot.
type remoteTry struct {
	stream  *hrana.Stream
	known   map[string]hrana.Result // answers, from one snapshot, to what will probably be asked
	asked   []hrana.Statement
	version int64  // of the data, 0 before the first answer
	at      uint64 // the place in the primary's log that came with version
	moved   bool   // they were not the same all the time
}

// dataVersion changes when another connection has committed. The PRAGMA itself
// would be handed to the primary (infra/libsql.md).
const dataVersion = `SELECT data_version FROM pragma_data_version`

// foresee asks statements in one request and transaction, for fn to find the
// answers.
func (t *remoteTry) foresee(ctx context.Context, statements []hrana.Statement) error {
	if len(statements) == 0 {
		return nil
	}
	all := append([]hrana.Statement{{SQL: "BEGIN"}, {SQL: dataVersion}}, statements...)
	results, err := t.stream.Run(ctx, append(all, hrana.Statement{SQL: "COMMIT"})...)
	if err != nil {
		return remoteError(err)
	}
	for i, s := range statements {
		t.known[statementKey(s)] = results[i+2]
	}
	return t.note(results[1])
}

// ask returns the answer to a statement, the one that is known if there is.
func (t *remoteTry) ask(ctx context.Context, query string, args []any) (*driverRows, error) {
	bound, err := bind(nil, args)
	if err != nil {
		return nil, err
	}
	s := hrana.Statement{SQL: query, Args: make([]any, len(bound))}
	for i, b := range bound {
		s.Args[i] = b.Value
	}
	t.asked = append(t.asked, s)
	answer, ok := t.known[statementKey(s)]
	if !ok {
		if answer, err = t.askServer(ctx, s); err != nil {
			return nil, err
		}
	}
	return newDriverRows(&remoteRows{answer.Columns, answer.Rows}), nil
}

// askServer asks a statement between two looks at the version, of which the first
// is that after the statement before.
func (t *remoteTry) askServer(ctx context.Context, s hrana.Statement) (hrana.Result, error) {
	all := []hrana.Statement{{SQL: dataVersion}, s, {SQL: dataVersion}}
	if t.version != 0 {
		all = all[1:]
	}
	results, err := t.stream.Run(ctx, all...)
	if err != nil {
		return hrana.Result{}, remoteError(err)
	}
	if t.version == 0 {
		if err := t.note(results[0]); err != nil {
			return hrana.Result{}, err
		}
		results = results[1:]
	}
	return results[0], t.note(results[1])
}

// note takes down a version.
func (t *remoteTry) note(r hrana.Result) error {
	if len(r.Rows) != 1 || len(r.Rows[0]) != 1 {
		return errors.New("the server does not know its data_version")
	}
	v, ok := r.Rows[0][0].(int64)
	if !ok {
		return errors.New("the server's data_version is no number")
	}
	t.moved = t.moved || t.version != 0 && (v != t.version || t.at != t.stream.Latest)
	t.version, t.at = v, t.stream.Latest
	return nil
}

// QueryContext runs a query.
func (t *remoteTry) QueryContext(ctx context.Context, query string, args ...any) (cursor, error) {
	rows, err := t.ask(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// QueryRowContext runs a query for one row.
func (t *remoteTry) QueryRowContext(ctx context.Context, query string, args ...any) row {
	rows, err := t.ask(ctx, query, args)
	return driverRow{rows: rows, err: err}
}

// statementKey is the same for statements that have the same answer.
func statementKey(s hrana.Statement) string { return fmt.Sprintf("%s %#v", s.SQL, s.Args) }

// remoteError wraps what is not about a statement in ErrReplicaAway.
func remoteError(err error) error {
	switch hrana.KindOf(err) {
	case hrana.KindUnreachable, hrana.KindUnknown, hrana.KindRefused, hrana.KindExpired:
		if !errors.Is(err, context.Canceled) { // nobody waits for the answer any more
			return fmt.Errorf("%w: %w", ErrReplicaAway, err)
		}
	}
	return err
}

// remoteRows is driver.Rows over what is there already.
type remoteRows struct {
	columns []string
	rest    [][]any
}

func (r *remoteRows) Columns() []string { return r.columns }
func (r *remoteRows) Close() error      { return nil }

func (r *remoteRows) Next(dest []driver.Value) error {
	if len(r.rest) == 0 {
		return io.EOF
	}
	for i, v := range r.rest[0] {
		dest[i] = v
	}
	r.rest = r.rest[1:]
	return nil
}
