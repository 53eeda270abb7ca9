//go:build sqld

package sqld_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"sundew/digester/store/hrana"
	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
)

func stream(t *testing.T, address string) *hrana.Stream {
	t.Helper()
	c, err := hrana.New(hrana.Config{URL: "http://" + address, Namespace: sqld.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.Stream()
}

// number returns the one value of a statement's result.
func number(ctx context.Context, s *hrana.Stream, at uint64, text string) (int64, error) {
	results, err := s.RunAt(ctx, at, hrana.Statement{SQL: text})
	if err != nil || len(results[0].Rows) == 0 {
		return 0, err
	}
	n, ok := results[0].Rows[0][0].(int64)
	if !ok {
		return 0, fmt.Errorf("%v is no number", results[0].Rows[0][0])
	}
	return n, nil
}

func mustNumber(t *testing.T, s *hrana.Stream, text string) int64 {
	t.Helper()
	n, err := number(t.Context(), s, 0, text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestKill: what was committed is there after a kill, and commits are synced as
// before it.
func TestKill(t *testing.T) {
	for _, strong := range []bool{false, true} {
		s := sqldtest.Start(t, sqld.Config{Strong: strong})
		rows := stream(t, s.HTTP)
		mustNumber(t, rows, "CREATE TABLE t (a)")
		for range 3 {
			mustNumber(t, rows, "INSERT INTO t VALUES (1)")
		}
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := s.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := mustNumber(t, rows, "SELECT count(*) FROM t"); n != 3 {
			t.Errorf("%d rows after the kill", n)
		}
		want := int64(1) // NORMAL
		if strong {
			want = 2 // FULL
		}
		if mode := mustNumber(t, stream(t, s.HTTP), "PRAGMA synchronous"); mode != want {
			t.Errorf("strong %v: synchronous is %d after the kill", strong, mode)
		}
	}
}

// TestReplica: a replica behind a network that can be cut follows its primary,
// answers while it cannot, and catches up. Who has no certificate gets nothing.
func TestReplica(t *testing.T) {
	authority, err := sqld.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	primary := sqldtest.Start(t, sqld.Config{Authority: authority})
	network := sqldtest.Proxy(t, primary.GRPC, 10*time.Millisecond)
	replica := sqldtest.Start(t, sqld.Config{Authority: authority, Primary: network.Addr})
	writer, reader := stream(t, primary.HTTP), stream(t, replica.HTTP)
	mustNumber(t, writer, "CREATE TABLE t (a)")
	mustNumber(t, writer, "INSERT INTO t VALUES (1)")
	read := func(s *hrana.Stream, at uint64, within time.Duration) (int64, error) {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		return number(ctx, s, at, "SELECT count(*) FROM t")
	}
	if n, err := read(reader, writer.Position, 5*time.Second); n != 1 || err != nil {
		t.Errorf("the replica has %d rows, %v", n, err)
	}

	network.Cut()
	// What is begun and ended in one request is the replica's own snapshot. What a
	// request leaves open is begun again on the primary, deferred or not.
	whole := []hrana.Statement{{SQL: "BEGIN"}, {SQL: "SELECT count(*) FROM t"}, {SQL: "COMMIT"}}
	snapshot := func() ([]hrana.Result, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		return stream(t, replica.HTTP).Run(ctx, whole...)
	}
	results, err := snapshot()
	for n := 0; err != nil && n < 3; n++ { // one that comes while the replica notices the cut may be lost with it
		results, err = snapshot()
	}
	if err != nil || results[1].Rows[0][0] != int64(1) {
		t.Errorf("a snapshot of the replica: %v, %v", results, err)
	}
	for _, begin := range []string{"BEGIN", "BEGIN READONLY"} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if _, err := stream(t, replica.HTTP).Run(ctx, hrana.Statement{SQL: begin}, whole[1]); err == nil {
			t.Errorf("%s on a replica without its primary", begin)
		}
		cancel()
	}
	mustNumber(t, writer, "INSERT INTO t VALUES (2)")
	if n, err := read(stream(t, replica.HTTP), 0, 5*time.Second); n != 1 || err != nil {
		t.Errorf("while cut off the replica has %d rows, %v", n, err)
	}
	if n, err := read(stream(t, replica.HTTP), writer.Position, 300*time.Millisecond); err == nil {
		t.Errorf("a replica that is behind said %d without waiting", n)
	}
	network.Restore()
	if n, err := read(stream(t, replica.HTTP), writer.Position, 10*time.Second); n != 2 || err != nil {
		t.Errorf("caught up, the replica has %d rows, %v", n, err)
	}

	foreign, err := sqld.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	stranger := sqldtest.Start(t, sqld.Config{Authority: foreign, Primary: primary.GRPC})
	if n, err := read(stream(t, stranger.HTTP), 0, time.Second); err == nil {
		t.Errorf("a stranger read %d", n)
	}
}

func TestProxyDelays(t *testing.T) {
	s := sqldtest.Start(t, sqld.Config{})
	far := stream(t, sqldtest.Proxy(t, s.HTTP, 100*time.Millisecond).Addr)
	mustNumber(t, far, "SELECT 1")
	began := time.Now()
	mustNumber(t, far, "SELECT 1")
	if took := time.Since(began); took < 100*time.Millisecond || took > time.Second {
		t.Errorf("a round trip took %v", took)
	}
}
