//go:build sqld

package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/dashboard"
	"sundew/digester/store"
	"sundew/digester/store/hrana"
	"sundew/infra/sqld"
	"sundew/schema"
)

// primary is what writes a libSQL server and answers forms. It has one event.
type primary struct {
	url  string
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
	env := map[string]string{"SUNDEW_DATA": t.TempDir(), "SUNDEW_LISTEN": "127.0.0.1:0", "SUNDEW_DB": address(server)}
	cfg, err := configFromEnv(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	if cfg.refuseServer() != nil {
		p.standIn(t, server)
		return p
	}
	r := startServiceWith(t, env)
	r.postBroken()
	p.url, p.stop = r.url, func() { r.stop() }
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

// standIn is a primary for as long as no digester writes libSQL servers: the rows
// of one that wrote a file, pages read from the server, two forms, and the sign of
// life.
func (p *primary) standIn(t *testing.T, server *sqld.Server) {
	t.Helper()
	dir := t.TempDir()
	r := startService(t, dir)
	r.postBroken()
	r.stop()
	if _, err := schema.Migrate(t.Context(), p.pool); err != nil {
		t.Fatal(err)
	}
	copyDatabase(t, filepath.Join(dir, "sundew.db"), p.pool)
	replica, err := store.OpenRemoteReplica(t.Context(), store.RemoteConfig{URL: server.URL(), Namespace: sqld.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(nil)
	p.url = "http://" + web.Listener.Addr().String()
	pages, err := dashboard.New(dashboard.Config{Replica: replica, PublicURL: p.url, Log: zerolog.New(zerolog.NewTestWriter(t))})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.HandleFunc("POST /issues/1/resolve", p.setState(1))
	mux.HandleFunc("POST /issues/1/reopen", p.setState(0))
	web.Config.Handler = mux
	web.Start()
	ctx, cancel := context.WithCancel(t.Context())
	var living sync.WaitGroup
	living.Go(func() { p.live(ctx) })
	p.stop = sync.OnceFunc(func() {
		cancel()
		living.Wait()
		web.Close()
		if err := replica.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(p.stop)
}

func (p *primary) live(ctx context.Context) {
	every := time.NewTicker(lifeEvery / 10)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			_, _ = p.advance(ctx, p.pool) // a test may have killed the server
		case <-ctx.Done():
			return
		}
	}
}

// advance gives a transaction its position.
func (p *primary) advance(ctx context.Context, in interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (position int64, err error) {
	err = in.QueryRowContext(ctx, `UPDATE digest_state SET batch = batch + 1, updated_at = ? WHERE id = 1 RETURNING batch`, time.Now().UnixMilli()).Scan(&position)
	return position, err
}

// setState answers a form as the product's does.
func (p *primary) setState(state int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		position, err := func() (int64, error) {
			tx, err := p.pool.BeginTx(r.Context(), nil)
			if err != nil {
				return 0, err
			}
			defer tx.Rollback()
			var at any
			if state == 1 {
				at = time.Now().UnixMilli()
			}
			if _, err := tx.ExecContext(r.Context(), `UPDATE issues SET state = ?, resolved_at = ? WHERE id = 1`, state, at); err != nil {
				return 0, err
			}
			position, err := p.advance(r.Context(), tx)
			if err != nil {
				return 0, err
			}
			return position, tx.Commit()
		}()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "sundew_position", Value: strconv.FormatInt(position, 10), Path: "/"})
		http.Redirect(w, r, "/issues/1", http.StatusSeeOther)
	}
}

// copyDatabase copies all rows of all tables, parents first.
func copyDatabase(t *testing.T, path string, to *sql.DB) {
	t.Helper()
	from, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	tables := texts(t, from, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%' ORDER BY rowid`)
	if _, err := to.ExecContext(t.Context(), `DELETE FROM digest_state`); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		rows, err := from.QueryContext(t.Context(), "SELECT * FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		values, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		insert := fmt.Sprintf("INSERT INTO %s VALUES (?%s)", table, strings.Repeat(", ?", len(columns)-1))
		for rows.Next() {
			if err := rows.Scan(places...); err != nil {
				t.Fatal(err)
			}
			if _, err := to.ExecContext(t.Context(), insert, values...); err != nil {
				t.Fatalf("%s: %v", table, err)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func texts(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
