//go:build sqld

package hrana_test

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tursodatabase/libsql-client-go/libsql"

	"sundew/digester/store/hrana"
	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
)

// officialPool is libsql-client-go: beside the kinds, the tests keep what its
// errors say, because texts are all that it has.
func officialPool(t testing.TB, address, token string) *sql.DB {
	t.Helper()
	options := []libsql.Option{libsql.WithProxy("http://" + address)}
	if token != "" {
		options = append(options, libsql.WithAuthToken(token))
	}
	connector, err := libsql.NewConnector("http://"+sqld.Namespace+".localhost", options...)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

func officialConn(t testing.TB, address, token string) *sql.Conn {
	t.Helper()
	conn, err := officialPool(t, address, token).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// tried is what a failure looks like to both clients.
type tried struct {
	own      error
	official error
}

func (f tried) check(t *testing.T, kind hrana.Kind, text string) {
	t.Helper()
	if got := hrana.KindOf(f.own); got != kind {
		t.Errorf("kind %d of %v, want %d", got, f.own, kind)
	}
	if f.official == nil || !strings.Contains(f.official.Error(), text) {
		t.Errorf("libsql-client-go says %v, want %q", f.official, text)
	}
	t.Logf("own: %v; libsql-client-go: %v", f.own, f.official)
}

// both runs the same statements by both clients and returns the errors of the last.
func both(t *testing.T, s *sqld.Server, token string, statements ...string) tried {
	t.Helper()
	client, err := hrana.New(hrana.Config{URL: s.URL(), Namespace: sqld.Namespace, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	own, official := client.Stream(), officialConn(t, s.HTTP, token)
	var f tried
	for _, text := range statements {
		_, f.own = own.Run(t.Context(), hrana.Statement{SQL: text})
	}
	if err := own.Close(t.Context()); err != nil && f.own == nil {
		t.Error(err)
	}
	for _, text := range statements {
		_, f.official = official.ExecContext(t.Context(), text)
	}
	_, _ = official.ExecContext(t.Context(), "ROLLBACK") // if there is something
	return f
}

func TestErrorsOfStatements(t *testing.T) {
	s := sqldtest.Start(t, sqld.Config{})
	mustRun(t, dial(t, s.URL()).Stream(), "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE, c NOT NULL DEFAULT 0)", "INSERT INTO t (a, b) VALUES (1, 1)",
		"CREATE TABLE child (t REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED)")
	tests := []struct {
		name       string
		statements []string
		kind       hrana.Kind
		official   string
	}{
		{"unique", []string{"INSERT INTO t (b) VALUES (1)"}, hrana.KindConstraint, "SQLite error: UNIQUE constraint failed: t.b"},
		{"primary key", []string{"INSERT INTO t (a) VALUES (1)"}, hrana.KindConstraint, "SQLite error: UNIQUE constraint failed: t.a"},
		{"not null", []string{"INSERT INTO t (c) VALUES (NULL)"}, hrana.KindConstraint, "SQLite error: NOT NULL constraint failed: t.c"},
		{"foreign key at COMMIT", []string{"BEGIN IMMEDIATE", "INSERT INTO child VALUES (7)", "COMMIT"}, hrana.KindConstraint, "SQLite error: FOREIGN KEY constraint failed"},
		{"assertion", []string{"SELECT abs(-9223372036854775808)"}, hrana.KindStatement, "SQLite error: integer overflow"},
		{"no table", []string{"INSERT INTO nowhere VALUES (1)"}, hrana.KindStatement, "no such table: nowhere"},
		{"syntax", []string{"INSERT INTO"}, hrana.KindStatement, ""},
		{"mismatch", []string{"INSERT INTO t (a) VALUES ('x')"}, hrana.KindStatement, "SQLite error: datatype mismatch"},
		{"no transaction", []string{"COMMIT"}, hrana.KindStatement, "SQLite error: cannot commit - no transaction is active"},
		{"vacuum", []string{"VACUUM"}, hrana.KindStatement, "unsupported statement"},
		{"synchronous", []string{"PRAGMA synchronous = FULL"}, hrana.KindStatement, "unsupported statement"},
		{"page size", []string{"PRAGMA page_size = 2048"}, hrana.KindStatement, "unsupported statement"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { both(t, s, "", test.statements...).check(t, test.kind, test.official) })
	}
}

// TestErrorsOfLocks: a snapshot that is too old is busy at once; a lock that is
// held for long is taken away.
func TestErrorsOfLocks(t *testing.T) {
	t.Parallel()
	s := sqldtest.Start(t, sqld.Config{})
	client := dial(t, s.URL())
	mustRun(t, client.Stream(), "CREATE TABLE t (a)")
	var f tried
	own, other, official := client.Stream(), client.Stream(), officialConn(t, s.HTTP, "")
	mustRun(t, own, "BEGIN", "SELECT * FROM t")
	for _, text := range []string{"BEGIN", "SELECT * FROM t"} {
		if _, err := official.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(t, other, "INSERT INTO t VALUES (1)")
	_, f.own = own.Run(t.Context(), hrana.Statement{SQL: "INSERT INTO t VALUES (2)"})
	_, f.official = official.ExecContext(t.Context(), "INSERT INTO t VALUES (2)")
	f.check(t, hrana.KindBusy, "SQLite error: database is locked")
	if _, err := official.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Error(err)
	}
	mustRun(t, own, "ROLLBACK")

	mustRun(t, own, "BEGIN IMMEDIATE", "INSERT INTO t VALUES (3)")
	mustRun(t, other, "BEGIN IMMEDIATE", "INSERT INTO t VALUES (4)", "COMMIT") // waits five seconds
	_, f.own = own.Run(t.Context(), hrana.Statement{SQL: "COMMIT"})
	if _, err := official.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	mustRun(t, other, "INSERT INTO t VALUES (5)") // likewise
	_, f.official = official.ExecContext(t.Context(), "COMMIT")
	f.check(t, hrana.KindStolen, "Transaction timed out")
	if n := len(mustRun(t, other, "SELECT * FROM t")[0].Rows); n != 3 {
		t.Errorf("%d rows: a stolen transaction left some", n)
	}
}

// TestErrorsOfStreams: what is open is lost when the server forgets the stream,
// and what is not begins another.
func TestErrorsOfStreams(t *testing.T) {
	t.Parallel()
	s := sqldtest.Start(t, sqld.Config{})
	client := dial(t, s.URL())
	mustRun(t, client.Stream(), "CREATE TABLE t (a)")
	idle, own, official := client.Stream(), client.Stream(), officialConn(t, s.HTTP, "")
	begin := func() {
		t.Helper()
		mustRun(t, idle, "SELECT 1")
		mustRun(t, own, "BEGIN IMMEDIATE", "INSERT INTO t VALUES (1)", "SAVEPOINT open")
	}
	commit := func() error {
		_, err := own.Run(t.Context(), hrana.Statement{SQL: "COMMIT"})
		return err
	}
	begin()
	if _, err := official.ExecContext(t.Context(), "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	<-time.After(12 * time.Second)
	var f tried
	f.own = commit()
	_, f.official = official.ExecContext(t.Context(), "SELECT 1")
	f.check(t, hrana.KindExpired, "error code 400: ")
	mustRun(t, idle, "SELECT 1")
	if f.own = commit(); hrana.KindOf(f.own) != hrana.KindExpired {
		t.Errorf("after it was lost, the stream says %v", f.own)
	}

	own, official = client.Stream(), officialConn(t, s.HTTP, "")
	begin()
	if _, err := official.ExecContext(t.Context(), "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	f.own = func() error {
		_, err := client.Stream().Run(t.Context(), hrana.Statement{SQL: "SELECT 1"})
		return err
	}()
	_, f.official = officialConn(t, s.HTTP, "").ExecContext(t.Context(), "SELECT 1")
	f.check(t, hrana.KindUnreachable, "connection refused")
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.own = commit()
	_, f.official = official.ExecContext(t.Context(), "SELECT 1")
	f.check(t, hrana.KindExpired, "invalid baton")
	if rows := mustRun(t, idle, "SELECT * FROM t")[0].Rows; len(rows) != 0 {
		t.Errorf("%d rows of transactions that were lost", len(rows))
	}
}

// TestErrorsOfTokens: without a token, with somebody else's, with one that may
// only read, and from a namespace that is not there.
func TestErrorsOfTokens(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, foreign, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := sqldtest.Start(t, sqld.Config{Key: public})
	tests := []struct {
		name     string
		key      ed25519.PrivateKey
		readOnly bool
		text     string
		kind     hrana.Kind
		official string
	}{
		{"none", nil, false, "SELECT 1", hrana.KindRefused, "error code 401"},
		{"foreign", foreign, false, "SELECT 1", hrana.KindRefused, "error code 401"},
		{"read-only", private, true, "CREATE TABLE t (a)", hrana.KindRefused, "Authorization forbidden"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			token := ""
			if test.key != nil {
				if token, err = sqld.Token(test.key, test.readOnly); err != nil {
					t.Fatal(err)
				}
			}
			both(t, s, token, test.text).check(t, test.kind, test.official)
		})
	}
	token, err := sqld.Token(private, false)
	if err != nil {
		t.Fatal(err)
	}
	if f := both(t, s, token, "CREATE TABLE IF NOT EXISTS t (a)"); f.own != nil || f.official != nil {
		t.Errorf("with a good token: %v", f)
	}
	client, err := hrana.New(hrana.Config{URL: s.URL(), Namespace: "nobody", Token: token})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Stream().Run(t.Context(), hrana.Statement{SQL: "SELECT 1"}); hrana.KindOf(err) != hrana.KindRefused {
		t.Errorf("of an unknown namespace: %v", err)
	}
}

func TestErrorOfFullDisk(t *testing.T) {
	s := sqldtest.Start(t, sqld.Config{})
	own := dial(t, s.URL()).Stream()
	mustRun(t, own, "CREATE TABLE t (a)")
	if err := s.LimitBytes(t.Context(), "100KB"); err != nil {
		t.Fatal(err)
	}
	fill := []string{"INSERT INTO t VALUES (zeroblob(60000))"}
	f := both(t, s, "", append(fill, fill[0], fill[0], fill[0])...)
	f.check(t, hrana.KindFull, "SQLite error: database or disk is full")
	own = dial(t, s.URL()).Stream() // the limit is one of new streams
	outcomes, err := own.Commit(t.Context(), [][]hrana.Statement{{{SQL: fill[0]}}, {{SQL: "UPDATE t SET a = NULL WHERE 0"}}})
	if err != nil || hrana.KindOf(outcomes[0].Err) != hrana.KindFull || outcomes[1].Err != nil {
		t.Errorf("%v %v", outcomes, err)
	}
}

// TestUnknownOutcome cuts the network before and after the server got a
// transaction: the client cannot tell.
func TestUnknownOutcome(t *testing.T) {
	for _, arrived := range []bool{false, true} {
		s := sqldtest.Start(t, sqld.Config{})
		direct := dial(t, s.URL()).Stream()
		mustRun(t, direct, "CREATE TABLE t (a)")
		network := sqldtest.Proxy(t, s.HTTP, 600*time.Millisecond)
		stream := dial(t, "http://"+network.Addr).Stream()
		mustRun(t, stream, "SELECT 1") // the connection is there
		failed := make(chan error, 1)
		go func() {
			_, err := stream.Commit(context.WithoutCancel(t.Context()), [][]hrana.Statement{{{SQL: "INSERT INTO t VALUES (1)"}}})
			failed <- err
		}()
		for arrived && len(mustRun(t, direct, "SELECT * FROM t")[0].Rows) == 0 {
			<-time.After(5 * time.Millisecond)
		}
		if !arrived {
			<-time.After(50 * time.Millisecond)
		}
		network.Cut()
		if err := <-failed; hrana.KindOf(err) != hrana.KindUnknown {
			t.Errorf("arrived %v: kind %d of %v", arrived, hrana.KindOf(err), err)
		}
		if n := len(mustRun(t, direct, "SELECT * FROM t")[0].Rows); (n == 1) != arrived {
			t.Errorf("arrived %v: %d rows", arrived, n)
		}
		network.Restore()
		mustRun(t, stream, "INSERT INTO t VALUES (2)") // the stream goes on
	}
}

func TestDeadline(t *testing.T) {
	s := sqldtest.Start(t, sqld.Config{})
	client := dial(t, s.URL())
	holder, waiter := client.Stream(), client.Stream()
	mustRun(t, holder, "BEGIN IMMEDIATE", "CREATE TABLE t (a)")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := waiter.Run(ctx, hrana.Statement{SQL: "CREATE TABLE u (a)"})
	if !errors.Is(err, context.DeadlineExceeded) || hrana.KindOf(err) != hrana.KindUnknown {
		t.Errorf("kind %d of %v", hrana.KindOf(err), err)
	}
	mustRun(t, holder, "COMMIT")
	mustRun(t, waiter, "INSERT INTO t VALUES (1)")
}
