//go:build sqld

package main

import (
	"database/sql"
	"strconv"
	"strings"
	"testing"
	"time"

	"sundew/digester/store/hrana"
	"sundew/infra/sqld"
)

// primary is what writes a libSQL server and answers forms. It has one event.
type primary struct {
	url  string
	env  map[string]string
	key  string // of the first project
	run  *running
	stop func()
	pool *sql.DB // of the server, for what a test writes by itself
}

// startPrimary starts a digester whose database is the server.
func startPrimary(t *testing.T, server *sqld.Server) *primary {
	t.Helper()
	client, err := hrana.New(hrana.Config{URL: server.URL(), Namespace: sqld.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	p := &primary{pool: sql.OpenDB(client.Connector())}
	t.Cleanup(func() {
		if err := p.pool.Close(); err != nil {
			t.Error(err)
		}
		client.Close()
	})
	env := map[string]string{"SUNDEW_DATA": t.TempDir(), "SUNDEW_LISTEN": "127.0.0.1:0", "SUNDEW_DB": address(server), "SUNDEW_SPIKE": "0"}
	r := startServiceWith(t, env)
	r.postBroken()
	p.url, p.env, p.run, p.stop = r.url, env, r, func() { r.stop() }
	p.key = strings.TrimPrefix(r.dsn(), "http://")[:32]
	return p
}

// postBroken sends the event.
func (r *running) postBroken() {
	r.t.Helper()
	key := strings.TrimPrefix(r.dsn(), "http://")[:32]
	r.post("/api/1/store/?sentry_key="+key, `{"event_id":"`+brokeID+`","message":"it broke"}`, 200)
	waitFor(r.t, "the event is stored", func() bool { return r.books().StoredEvents == 1 })
}

// write runs a statement on the primary.
func (p *primary) write(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := p.pool.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func nowMS() string { return strconv.FormatInt(time.Now().UnixMilli(), 10) }
