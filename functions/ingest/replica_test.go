package main

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // a real database behind the fake replica

	"sundew/schema"
	"sundew/schema/keyring"
)

// newReplica returns the address of a libSQL server over HTTP, as far as one query
// takes it, whose database has the real schema and three keys. Its token is "token".
func newReplica(t *testing.T) string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+t.TempDir()+"/keys.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := schema.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO projects (id, slug, name, created_at) VALUES (1, 'shop', 'Shop', 0), (2, 'blog', 'Blog', 0)`,
		`INSERT INTO project_keys (project_id, public_key, enabled, created_at) VALUES (1, 'a', 1, 0), (2, 'a', 0, 0), (2, 'b', 1, 0)`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer token" {
			http.Error(w, `{"error":"no"}`, http.StatusUnauthorized)
			return
		}
		answerPipeline(w, r, db)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// value is a value of libSQL's protocol.
type value struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// answerPipeline runs the one query of a request. Its rows are integer, text, integer.
func answerPipeline(w http.ResponseWriter, r *http.Request, db *sql.DB) {
	var in struct {
		Requests []struct {
			Type string
			Stmt struct{ SQL string }
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Requests) != 1 || in.Requests[0].Type != "execute" {
		http.Error(w, `{"error":"unexpected"}`, http.StatusBadRequest)
		return
	}
	rows, err := db.QueryContext(r.Context(), in.Requests[0].Stmt.SQL)
	if err != nil {
		http.Error(w, `{"error":"query"}`, http.StatusBadRequest)
		return
	}
	defer rows.Close()
	var result [][]value
	for rows.Next() {
		var project, enabled int64
		var key string
		if err := rows.Scan(&project, &key, &enabled); err != nil {
			panic(err)
		}
		result = append(result, []value{{"integer", strconv.FormatInt(project, 10)}, {"text", key}, {"integer", strconv.FormatInt(enabled, 10)}})
	}
	columns := []map[string]string{{"name": "project_id"}, {"name": "public_key"}, {"name": "enabled"}}
	_ = json.NewEncoder(w).Encode(map[string]any{"results": []any{map[string]any{"type": "ok",
		"response": map[string]any{"type": "execute", "result": map[string]any{"cols": columns, "rows": result}}}}})
}

// TestReplica reads keys through libSQL's driver from a database with today's schema.
func TestReplica(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	address := newReplica(t)
	r, err := openReplica(address, "token", func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	want := &keyring.Snapshot{At: now, Keys: []keyring.Key{
		{Project: 1, Public: "a", Enabled: true}, {Project: 2, Public: "a"}, {Project: 2, Public: "b", Enabled: true}}}
	for range 2 { // the second over a connection that was used before
		got, err := r.read(t.Context())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("keys, %v (-want +got):\n%s", err, diff)
		}
	}
	if r, err = openReplica(address, "", time.Now); err != nil {
		t.Fatal(err)
	}
	if got, err := r.read(t.Context()); err == nil {
		t.Errorf("without a token: %+v", got)
	}
}

// TestReplicaOddAnswers checks that a replica that answers nonsense is an error.
func TestReplicaOddAnswers(t *testing.T) {
	for _, rows := range []string{
		`[[{"type":"integer","value":7},{"type":"text","value":"a"},{"type":"integer","value":"1"}]]`,
		`[[{"type":"integer","value":"1"}]]`,
		`7`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[{"name":"a"},{"name":"b"},{"name":"c"}],"rows":` + rows + `}}}]}`))
		}))
		r, err := openReplica(server.URL, "", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.read(t.Context()); err == nil {
			t.Errorf("%s: %+v", rows, got)
		}
		server.Close()
	}
}
