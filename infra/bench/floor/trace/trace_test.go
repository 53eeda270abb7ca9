package trace_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"modernc.org/sqlite"

	"sundew/infra/bench/floor/trace"
)

func sample() *trace.Trace {
	return &trace.Trace{
		Setup: []string{"PRAGMA synchronous = 1"},
		Texts: []string{"BEGIN", "INSERT INTO t VALUES (?, ?, ?, ?, ?)", "SELECT * FROM t"},
		Calls: []trace.Call{
			{Text: 0, Rows: -1},
			{Text: 1, Rows: -1, Args: []any{int64(-7), 1.5, "two\x00 words", []byte{0, 255}, nil}},
			{Text: 2, Rows: 3, Once: true},
			{Text: 1, Rows: -1, Failed: true, Args: []any{""}},
		},
	}
}

func encode(t *testing.T, tr *trace.Trace) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := tr.Encode(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestEncodeDecode(t *testing.T) {
	want := sample()
	got, err := trace.Decode(encode(t, want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecodeDamaged(t *testing.T) {
	whole := encode(t, sample())
	for n := range whole {
		if _, err := trace.Decode(whole[:n]); !errors.Is(err, trace.ErrFormat) {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
	}
	if _, err := trace.Decode(append(whole, 0)); !errors.Is(err, trace.ErrFormat) {
		t.Errorf("with a byte too many: %v", err)
	}
}

func TestEncodeUnknownType(t *testing.T) {
	tr := &trace.Trace{Texts: []string{"SELECT ?"}, Calls: []trace.Call{{Args: []any{true}}}}
	if err := tr.Encode(&bytes.Buffer{}); err == nil {
		t.Error("a parameter that cannot be written was written")
	}
}

// file is a driver.Connector to one database file.
type file struct{ path string }

func (f file) Connect(_ context.Context) (driver.Conn, error) { return f.Driver().Open(f.path) }
func (f file) Driver() driver.Driver                          { return &sqlite.Driver{} }

func TestRecorder(t *testing.T) {
	ctx := t.Context()
	r := trace.NewRecorder()
	if err := r.Start(ctx); err == nil {
		t.Error("recording began without a connection")
	}
	db := sql.OpenDB(r.Wrap(file{filepath.Join(t.TempDir(), "a.db")}))
	defer db.Close()
	db.SetMaxOpenConns(1)
	mustExec(t, db, "CREATE TABLE t (a PRIMARY KEY, b)") // before Start: not recorded
	if err := r.Start(ctx); err != nil {
		t.Fatal(err)
	}
	insert, err := db.PrepareContext(ctx, "INSERT INTO t VALUES (?, ?)")
	if err != nil {
		t.Fatal(err)
	}
	defer insert.Close()
	blob := []byte("blob")
	if _, err := insert.ExecContext(ctx, 1, blob); err != nil {
		t.Fatal(err)
	}
	blob[0] = 'x' // the recorder must have a copy
	if _, err := insert.ExecContext(ctx, 1, "again"); err == nil {
		t.Error("the same key twice")
	}
	mustExec(t, db, "INSERT INTO t VALUES (2, NULL), (3, NULL)")
	var n int
	if err := db.QueryRowContext(ctx, "SELECT a FROM t WHERE a > ?", 0).Scan(&n); err != nil {
		t.Fatal(err)
	}
	got := r.Stop()
	mustExec(t, db, "DELETE FROM t") // after Stop: not recorded
	want := []trace.Call{
		{Text: 0, Rows: -1, Args: []any{int64(1), []byte("blob")}},
		{Text: 0, Rows: -1, Args: []any{int64(1), "again"}, Failed: true},
		{Text: 1, Rows: -1, Once: true},
		{Text: 2, Rows: 1, Once: true, Args: []any{int64(0)}}, // of three rows one was read
	}
	if diff := cmp.Diff(want, got.Calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if texts := []string{"INSERT INTO t VALUES (?, ?)", "INSERT INTO t VALUES (2, NULL), (3, NULL)", "SELECT a FROM t WHERE a > ?"}; !slices.Equal(got.Texts, texts) {
		t.Errorf("texts: %q", got.Texts)
	}
	if !slices.Contains(got.Setup, "PRAGMA synchronous = 2") {
		t.Errorf("setup: %q", got.Setup)
	}
}

func mustExec(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}
