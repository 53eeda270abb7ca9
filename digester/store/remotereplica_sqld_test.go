//go:build sqld

package store

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store/hrana"
	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
	"sundew/schema"
	"sundew/schema/wire"
)

// remoteOf is how tests reach a server.
func remoteOf(s *sqld.Server) RemoteConfig {
	return RemoteConfig{URL: s.URL(), Namespace: sqld.Namespace}
}

// migrated starts a primary with the schema, and returns a stream that writes it.
func migrated(t *testing.T, cfg sqld.Config) (*sqld.Server, *hrana.Stream) {
	t.Helper()
	primary := sqldtest.Start(t, cfg)
	client, err := hrana.New(hrana.Config{URL: primary.URL(), Namespace: sqld.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	pool := sql.OpenDB(client.Connector())
	defer pool.Close()
	if _, err := schema.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	return primary, client.Stream()
}

// openRemote opens a server for reading, once it has the schema.
func openRemote(t *testing.T, s *sqld.Server) *Replica {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	every := time.NewTicker(10 * time.Millisecond)
	defer every.Stop()
	for {
		r, err := OpenRemoteReplica(ctx, remoteOf(s))
		if err == nil {
			t.Cleanup(func() {
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			})
			return r
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			t.Fatal(err)
		}
	}
}

// moveTo commits a position on the primary.
func moveTo(t *testing.T, primary *hrana.Stream, n int) {
	t.Helper()
	_, err := primary.Run(t.Context(), hrana.Statement{SQL: `UPDATE digest_state SET batch = ?, updated_at = ?`, Args: []any{n, time.Now().UnixMilli()}})
	if err != nil {
		t.Fatal(err)
	}
}

// waitForPosition waits until a replica has come to a position.
func waitForPosition(t *testing.T, r *Replica, n int) {
	t.Helper()
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	late := time.After(20 * time.Second)
	for {
		p, err := r.Position(t.Context())
		if err == nil && p.Number == int64(n) {
			return
		}
		select {
		case <-every.C:
		case <-late:
			t.Fatalf("position %d, %v; want %d", p.Number, err, n)
		}
	}
}

// cutWhenOnItsOwn cuts a replica off when it answers from its own file. One that has
// just started hands reads on to its primary, and tries only once in a while to reach
// one that was away: it gets twice the time at each try.
func cutWhenOnItsOwn(t *testing.T, network *sqld.Proxy, r *Replica) {
	t.Helper()
	for try := range 10 {
		network.Cut()
		soon, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		_, err := r.Position(soon)
		cancel()
		if err == nil {
			return
		}
		network.Restore()
		for range 10 << try {
			waitForPosition(t, r, 1)
		}
	}
	t.Fatal("the replica never answers without its primary")
}

// TestReadsOnReplicaLibSQL: every read, and the checker, answer on each of two
// replicas what they answer on a file with the same rows.
func TestReadsOnReplicaLibSQL(t *testing.T) {
	authority, err := sqld.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	file := seeded(t)
	primary, writer := migrated(t, sqld.Config{Authority: authority})
	copyRows(t, file, writer)
	moveTo(t, writer, 1)
	want := readAll(t, &Rx{ctx: t.Context(), q: pooled{file}, codec: wire.NewCodec()})
	for range 2 {
		r := openRemote(t, sqldtest.Start(t, sqld.Config{Authority: authority, Primary: primary.GRPC}))
		waitForPosition(t, r, 1)
		err := r.Read(t.Context(), func(rx *Rx) error {
			got := readAll(t, rx)
			for name := range want {
				if diff := cmp.Diff(want[name], got[name]); diff != "" {
					t.Errorf("%s (-file +libSQL):\n%s", name, diff)
				}
			}
			if err := r.Read(rx.Context(), func(*Rx) error { return nil }); !errors.Is(err, ErrNested) {
				t.Errorf("a read in a read: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if problems, err := r.Check(t.Context()); err != nil || len(problems) > 0 {
			t.Errorf("check: %v, %v", problems, err)
		}
	}
}

// TestSnapshotLibSQL: while the primary commits without a pause, each read sees
// one moment, also where its statements follow from each other; and some reads
// would not have without being tried again.
func TestSnapshotLibSQL(t *testing.T) {
	primary, writer := migrated(t, sqld.Config{})
	r := openRemote(t, sqldtest.Start(t, sqld.Config{Primary: primary.GRPC}))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			default:
				if _, err := writer.Run(t.Context(), hrana.Statement{SQL: `UPDATE digest_state SET batch = ?`, Args: []any{n}}); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	tries, again, reads := 0, 0, 0
	var last int64
	for ; reads < 200 || again == 0 && reads < 5000; reads++ {
		var seen [4]int64
		before := tries
		err := r.Read(t.Context(), func(rx *Rx) error {
			tries++
			for i := range seen {
				p, err := rx.Position()
				if err != nil {
					return err
				}
				seen[i] = p.Number
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if seen[0] != seen[1] || seen[0] != seen[2] || seen[0] != seen[3] {
			t.Fatalf("read %d saw %v", reads, seen)
		}
		last = seen[0]
		if tries > before+1 {
			again++
		}
	}
	if again == 0 || last == 0 {
		t.Errorf("no read of %d was disturbed: %d writes", reads, last)
	}
	t.Logf("%d of %d reads began anew, %d writes", again, reads, last)

	// What follows from what changes all the time ends too.
	tries = 0
	err := r.Read(t.Context(), func(rx *Rx) error {
		tries++
		for range 3 {
			p, err := rx.Position()
			if err != nil {
				return err
			}
			if _, err := rx.texts(fmt.Sprintf(`SELECT batch || '' FROM digest_state WHERE batch >= %d`, p.Number)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || tries > snapshotTries {
		t.Errorf("%d tries, %v", tries, err)
	}
}

// TestAwayLibSQL: a server that is killed, one that starts without its primary, one
// that lets nobody in and one that its primary does not know are told apart from
// wrong statements, in time; without the primary a replica that was there goes on.
func TestAwayLibSQL(t *testing.T) {
	authority, err := sqld.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	primary, writer := migrated(t, sqld.Config{Authority: authority})
	network := sqldtest.Proxy(t, primary.GRPC, 2*time.Millisecond)
	server := sqldtest.Start(t, sqld.Config{Authority: authority, Primary: network.Addr})
	r := openRemote(t, server)
	moveTo(t, writer, 1)
	waitForPosition(t, r, 1)

	cutWhenOnItsOwn(t, network, r)
	for range 10 {
		waitForPosition(t, r, 1)
	}
	moveTo(t, writer, 2)
	waitForPosition(t, r, 1)
	network.Restore()
	waitForPosition(t, r, 2)

	if err := primary.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		waitForPosition(t, r, 2)
	}
	if problems, err := r.Check(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("check without the primary: %v, %v", problems, err)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := r.Position(t.Context()); !errors.Is(err, ErrReplicaAway) || time.Since(began) > time.Second {
		t.Errorf("of a killed replica, after %v: %v", time.Since(began), err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := OpenRemoteReplica(wait, remoteOf(server)); !errors.Is(err, ErrReplicaAway) {
		t.Errorf("a replica that started without its primary: %v", err)
	}
	if err := primary.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitForPosition(t, r, 2)
	testResets(t, primary, r, writer)

	foreign, err := sqld.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []*sqld.Authority{nil, foreign} {
		rogue := sqldtest.Start(t, sqld.Config{Authority: a, Primary: primary.GRPC})
		wait, cancel := context.WithTimeout(t.Context(), time.Second)
		if _, err := OpenRemoteReplica(wait, remoteOf(rogue)); !errors.Is(err, ErrReplicaAway) {
			t.Errorf("a replica without a certificate of ours: %v", err)
		}
		cancel()
	}
	err = r.Read(t.Context(), func(rx *Rx) error {
		_, err := rx.texts(`SELECT x FROM nowhere`)
		return err
	})
	if err == nil || errors.Is(err, ErrReplicaAway) {
		t.Errorf("a wrong statement: %v", err)
	}
}

// testResets: a primary that was killed has a new log, for which its replicas begin
// a new file. Whoever read the old one finds the new one.
func testResets(t *testing.T, primary *sqld.Server, r *Replica, writer *hrana.Stream) {
	t.Helper()
	if err := errors.Join(primary.Kill(), primary.Restart(t.Context())); err != nil {
		t.Fatal(err)
	}
	moveTo(t, writer, 3)
	waitForPosition(t, r, 3)
	for until := time.Now().Add(streamAge); time.Now().Before(until); {
		if p, err := r.Position(t.Context()); err != nil || p.Number != 3 {
			t.Fatalf("position %d, %v", p.Number, err)
		}
	}
}

// TestTokensLibSQL: a read-only token is enough, none is refused.
func TestTokensLibSQL(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	primary := sqldtest.Start(t, sqld.Config{Key: public})
	var tokens [2]string // may write, may not
	for i := range tokens {
		if tokens[i], err = sqld.Token(private, i == 1); err != nil {
			t.Fatal(err)
		}
	}
	client, err := hrana.New(hrana.Config{URL: primary.URL(), Namespace: sqld.Namespace, Token: tokens[0]})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	pool := sql.OpenDB(client.Connector())
	defer pool.Close()
	if _, err := schema.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	cfg := remoteOf(primary)
	if _, err := OpenRemoteReplica(t.Context(), cfg); !errors.Is(err, ErrReplicaAway) {
		t.Errorf("without a token: %v", err)
	}
	cfg.Token = tokens[1]
	r, err := OpenRemoteReplica(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Position(t.Context()); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// BenchmarkReadLibSQL is a page of six queries from one moment, from a replica whose
// primary is quiet, and from one whose primary commits all the time.
func BenchmarkReadLibSQL(b *testing.B) {
	primary := sqldtest.Start(b, sqld.Config{})
	client, err := hrana.New(hrana.Config{URL: primary.URL(), Namespace: sqld.Namespace})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	pool := sql.OpenDB(client.Connector())
	defer pool.Close()
	if _, err := schema.Migrate(b.Context(), pool); err != nil {
		b.Fatal(err)
	}
	replica := sqldtest.Start(b, sqld.Config{Primary: primary.GRPC})
	for _, rtt := range []time.Duration{0, 2 * time.Millisecond} {
		cfg := remoteOf(replica)
		if rtt > 0 {
			cfg.URL = "http://" + sqldtest.Proxy(b, replica.HTTP, rtt).Addr
		}
		r, err := OpenRemoteReplica(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		tries := 0
		page := func(b *testing.B) {
			tries = 0
			for b.Loop() {
				err := r.Read(b.Context(), func(rx *Rx) error {
					tries++
					for range 6 {
						if _, err := rx.Projects(); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(tries)/float64(b.N), "tries/op")
		}
		b.Run("quiet/"+rtt.String(), page)
		ctx, cancel := context.WithCancel(b.Context())
		var writing sync.WaitGroup
		writing.Go(func() {
			s := client.Stream()
			for every := time.NewTicker(10 * time.Millisecond); ctx.Err() == nil; <-every.C {
				_, _ = s.Run(ctx, hrana.Statement{SQL: `UPDATE digest_state SET batch = batch + 1`})
			}
		})
		b.Run("100 commits a second/"+rtt.String(), page)
		cancel()
		writing.Wait()
	}
}
