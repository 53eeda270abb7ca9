//go:build sqld

package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sundew/digester/store/hrana"
	"sundew/infra/sqld"
)

// reporter sends some events a second until it is stopped, and counts those that were
// accepted.
type reporter struct {
	accepted atomic.Int64
	stop     chan struct{}
	all      sync.WaitGroup
}

func (p *primary) report(t *testing.T, senders int) *reporter {
	r := &reporter{stop: make(chan struct{})}
	for s := range senders {
		r.all.Go(func() {
			every := time.NewTicker(40 * time.Millisecond)
			defer every.Stop()
			for n := 0; ; n++ {
				select {
				case <-r.stop:
					return
				case <-every.C:
				}
				body := fmt.Sprintf(`{"event_id":"%04x%028x","message":"order %d failed","platform":"go"}`, s+1, n, n%7)
				answer, err := http.Post(p.url+"/api/1/store/?sentry_key="+p.key, "application/json", strings.NewReader(body))
				if err != nil {
					t.Errorf("reporting: %v", err)
					return
				}
				answer.Body.Close()
				if answer.StatusCode != http.StatusOK {
					t.Errorf("an event was answered %d", answer.StatusCode)
					return
				}
				r.accepted.Add(1)
			}
		})
	}
	return r
}

// watcher opens a dashboard's page again and again.
type watcher struct {
	b      *browser
	asked  atomic.Int64
	failed atomic.Int64
	away   atomic.Bool // its replica is killed: the page has to say so
	stop   chan struct{}
	all    sync.WaitGroup
}

func watch(t *testing.T, b *browser) *watcher {
	w := &watcher{b: b, stop: make(chan struct{})}
	w.all.Go(func() {
		every := time.NewTicker(20 * time.Millisecond)
		defer every.Stop()
		for {
			select {
			case <-w.stop:
				return
			case <-every.C:
			}
			before := w.away.Load()
			status, page := b.get("/issues/1")
			w.asked.Add(1)
			switch {
			case status == http.StatusOK && strings.Contains(page, "it broke") && strings.Contains(page, "A copy, as of"):
			case status == http.StatusServiceUnavailable && strings.Contains(page, "The database does not answer") && (before || w.away.Load()):
			default:
				w.failed.Add(1)
				t.Errorf("a dashboard answered %d while its replica was there\n%.600s", status, page)
			}
		}
	})
	return w
}

// rest waits until some more pages were asked for.
func (w *watcher) rest(t *testing.T, pages int64) {
	t.Helper()
	until := w.asked.Load() + pages
	waitWithin(t, 3*time.Minute, "pages are asked for", func() bool { return w.asked.Load() >= until })
}

// TestReplicaKilledUnderLoad: primary and replica are killed by turns while events
// come in. Dashboards answer all the time but for that whose own replica is gone;
// what was accepted is stored once, and in the end every replica has it.
func TestReplicaKilledUnderLoad(t *testing.T) {
	r := startReplicated(t, 2*time.Millisecond)
	watchers := []*watcher{watch(t, r.browsers[0]), watch(t, r.browsers[1])}
	load := r.primary.report(t, 2)
	// A replica that begins anew hands what it is asked to the primary until it has
	// caught up (infra/libsql.md), and so does that of a primary that was killed: they
	// are given time.
	for range 2 {
		watchers[1].rest(t, 150)
		killAndRestart(t, r.server, watchers[1])
	}
	for range 2 {
		watchers[1].rest(t, 15)
		watchers[0].away.Store(true)
		killAndRestart(t, r.replicas[0], watchers[1])
		waitFor(t, "pages are back", func() bool { status, _ := r.browsers[0].get("/issues/1"); return status == http.StatusOK })
		watchers[0].away.Store(false)
	}
	close(load.stop)
	load.all.Wait()
	want := load.accepted.Load() + 1 // the first
	waitFor(t, "everything is decided", func() bool { return r.primary.run.books().InFlight == 0 })
	if b := r.primary.run.books(); balance(b) != nil || b.StoredEvents != want || b.Duplicate != 0 || b.Lost != 0 {
		t.Errorf("%d events were accepted, the books: %+v", want, b.Balance)
	}
	mustCheck(t, func(name string) string { return r.primary.env[name] })
	for i, w := range watchers {
		waitFor(t, "the replica has everything", func() bool { return eventsOn(t, r.replicas[i]) == want })
		close(w.stop)
		w.all.Wait()
		t.Logf("replica %d: %d pages, %d not as they should be", i, w.asked.Load(), w.failed.Load())
	}
	t.Logf("%d events accepted", want)
}

// killAndRestart kills a server, lets somebody look at pages without it, and starts
// it again.
func killAndRestart(t *testing.T, victim *sqld.Server, w *watcher) {
	t.Helper()
	if err := victim.Kill(); err != nil {
		t.Fatal(err)
	}
	w.rest(t, 20)
	if err := victim.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// eventsOn counts the events that a server has.
func eventsOn(t *testing.T, server *sqld.Server) (n int64) {
	t.Helper()
	client, err := hrana.New(hrana.Config{URL: server.URL(), Namespace: sqld.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	pool := sql.OpenDB(client.Connector())
	defer pool.Close()
	if err := pool.QueryRowContext(t.Context(), `SELECT count(*) FROM events`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
