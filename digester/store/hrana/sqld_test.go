//go:build sqld

package hrana_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store/hrana"
	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
	"sundew/schema"
)

// dial returns a client of a server.
func dial(t testing.TB, url string) *hrana.Client {
	t.Helper()
	c, err := hrana.New(hrana.Config{URL: url, Namespace: sqld.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func mustRun(t *testing.T, s *hrana.Stream, statements ...string) []hrana.Result {
	t.Helper()
	var all []hrana.Statement
	for _, text := range statements {
		all = append(all, hrana.Statement{SQL: text})
	}
	results, err := s.Run(t.Context(), all...)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func TestValues(t *testing.T) {
	s := dial(t, sqldtest.Start(t, sqld.Config{}).URL()).Stream()
	mustRun(t, s, "CREATE TABLE t (a, b, c, d, e)")
	row := []any{int64(-1 << 63), 1.5, "zwölf \"\\\x00\n\u2028", []byte{0, 255, 1}, nil}
	if _, err := s.Run(t.Context(), hrana.Statement{SQL: "INSERT INTO t VALUES (?, ?, ?, ?, ?)", Args: row}); err != nil {
		t.Fatal(err)
	}
	got := mustRun(t, s, "SELECT * FROM t")[0]
	if diff := cmp.Diff([][]any{row}, got.Rows); diff != "" {
		t.Errorf("(-sent +read):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, got.Columns); diff != "" {
		t.Error(diff)
	}
}

func TestCommit(t *testing.T) {
	s := dial(t, sqldtest.Start(t, sqld.Config{}).URL()).Stream()
	mustRun(t, s, "CREATE TABLE t (a INTEGER PRIMARY KEY, n INTEGER NOT NULL)", "INSERT INTO t VALUES (1, 0)")
	stale := errors.New("stale")
	move := func(from int) hrana.Statement {
		return hrana.Statement{SQL: "UPDATE t SET n = n + 1 WHERE a = 1 AND n = ?", Args: []any{from}, OneRow: stale}
	}
	insert := func(a int) hrana.Statement {
		return hrana.Statement{SQL: "INSERT INTO t VALUES (?, 0)", Args: []any{a}}
	}
	outcomes, err := s.Commit(t.Context(), [][]hrana.Statement{
		{move(0), insert(2)},
		{move(1), insert(2)}, // the same key
		{insert(3), move(7)}, // a wrong assumption
		{move(1), insert(4)},
		{{SQL: "INSERT INTO nowhere VALUES (1)"}},
		{insert(5)},
	})
	if err != nil {
		t.Fatal(err)
	}
	type what struct {
		Kind      hrana.Kind
		Statement int
	}
	var got []what
	for _, o := range outcomes {
		got = append(got, what{hrana.KindOf(o.Err), o.Statement})
	}
	want := []what{{}, {hrana.KindConstraint, 1}, {hrana.KindAssumption, 1}, {}, {hrana.KindStatement, 0}, {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if !errors.Is(outcomes[2].Err, stale) {
		t.Errorf("the assumption's error: %v", outcomes[2].Err)
	}
	rows := mustRun(t, s, "SELECT a, n FROM t ORDER BY a")[0].Rows
	if diff := cmp.Diff([][]any{{int64(1), int64(2)}, {int64(2), int64(0)}, {int64(4), int64(0)}, {int64(5), int64(0)}}, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// TestMigrate: the schema's migrations run as they are, by either client.
func TestMigrate(t *testing.T) {
	own := sql.OpenDB(dial(t, sqldtest.Start(t, sqld.Config{}).URL()).Connector())
	defer own.Close()
	for name, pool := range map[string]*sql.DB{"own": own, "libsql-client-go": officialPool(t, sqldtest.Start(t, sqld.Config{}).HTTP, "")} {
		for i, fresh := range []bool{true, false} {
			versions, err := schema.Migrate(context.Background(), pool)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if (len(versions) > 0) != fresh {
				t.Errorf("%s: run %d applied %v", name, i, versions)
			}
		}
	}
}
