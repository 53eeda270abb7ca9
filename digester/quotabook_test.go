package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
	"sundew/schema/keyring"
	"sundew/schema/quota"
	"sundew/schema/wire"
)

func setQuotas(t *testing.T, db *store.DB, project event.ProjectID, spike int64, class quota.Class, window quota.Window, limit int64) {
	t.Helper()
	q := store.Quotas{Spike: spike}
	q.Limits[class][window] = limit
	if err := db.Write(t.Context(), "test", func(tx *store.Tx) error { return tx.SetQuotas(project, q) }); err != nil {
		t.Fatal(err)
	}
}

// flood sends events at once by several clients and returns how many were answered 200.
func flood(t *testing.T, handler http.Handler, key string, n int) (accepted int) {
	t.Helper()
	var mu sync.Mutex
	var clients sync.WaitGroup
	for c := range 8 {
		clients.Go(func() {
			for i := range n / 8 {
				body := fmt.Sprintf(`{"message":"order %d failed"}`, i%7)
				r := httptest.NewRequest(http.MethodPost, "/api/1/store/?sentry_key="+key, strings.NewReader(body))
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if mu.Lock(); w.Code == http.StatusOK {
					accepted++
				} else if limits := w.Header().Get("X-Sentry-Rate-Limits"); w.Code != http.StatusTooManyRequests || !strings.Contains(limits, ":error;default;security:project:project_quota") {
					t.Errorf("client %d: status %d, %q", c, w.Code, limits)
				}
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	return accepted
}

func firstKey(t *testing.T, s *service) (key string) {
	t.Helper()
	storetest.MustRead(t, s.replica, func(rx *store.Rx) error {
		p, err := rx.Project(1)
		key = p.Keys[0]
		return err
	})
	return key
}

// openStopped opens everything on a directory and digests nothing.
func openStopped(t *testing.T, dir string) *service {
	t.Helper()
	env := map[string]string{"SUNDEW_DATA": dir, "SUNDEW_LISTEN": "127.0.0.1:0"}
	cfg, err := configFromEnv(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	s := &service{cfg: cfg, log: noLog}
	if err := errors.Join(s.openIntake(t.Context()), s.open(t.Context())); err != nil {
		t.Fatal(err)
	}
	if _, err := s.firstDSN(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// A flood of one key at a hundred times its quota gets no more in than the quota,
// though nothing is digested, and neither does a restart let more in. What got in is
// digested, what did not is counted.
func TestFloodWithoutDigester(t *testing.T) {
	const limit = 50
	dir := t.TempDir()
	s := openStopped(t, dir)
	setQuotas(t, s.db, 1, 0, quota.Events, quota.Hour, limit)
	if err := s.quotas.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	key := firstKey(t, s)
	if n := flood(t, s.edge, key, 100*limit); n != limit {
		t.Errorf("%d of %d were accepted, the quota is %d", n, 100*limit, limit)
	}
	if held, err := s.queue.Inventory(t.Context()); err != nil || held.Waiting != limit {
		t.Errorf("%d wait in the queue, %v", held.Waiting, err)
	}
	if err := s.edge.FlushCounts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.quotas.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}

	s = openStopped(t, dir)
	if n := flood(t, s.edge, key, 8); n != 0 {
		t.Errorf("%d were accepted after a restart", n)
	}
	if err := s.edge.FlushCounts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}

	r := startService(t, dir)
	waitFor(t, "everything is digested", func() bool {
		b := r.books()
		return b.InFlight == 0 && b.Edge[string(wire.OutcomeLimited)]["error:project_quota"] == 99*limit+8
	})
	if b := r.books(); balance(b) != nil || b.StoredEvents != limit || b.DroppedTotal() != 0 {
		t.Errorf("books %+v", b)
	}
	// A limit that is raised lets more in at once.
	setQuotas(t, r.service.db, 1, 0, quota.Events, quota.Hour, limit+1)
	waitFor(t, "the limit is known", func() bool { return flood(t, r.service.edge, key, 8) == 1 })
	r.stop()
	mustCheck(t, envOf(dir))
}

// When a limit is lowered what waits is dropped by when it was accepted.
func TestBacklogOverQuota(t *testing.T) {
	dir := t.TempDir()
	s := openStopped(t, dir)
	key := firstKey(t, s)
	if n := flood(t, s.edge, key, 400); n != 400 {
		t.Fatalf("%d accepted", n)
	}
	setQuotas(t, s.db, 1, 0, quota.Events, quota.Hour, 30)
	if err := s.close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	r := startService(t, dir)
	waitFor(t, "everything is decided", func() bool { return r.books().InFlight == 0 })
	if b := r.books(); balance(b) != nil || b.StoredEvents != 30 || b.Dropped[quota.ReasonProject] != 370 {
		t.Errorf("books %+v", b)
	}
	r.stop()
	mustCheck(t, envOf(dir))
}

// Copies of an edge that let through too much together: the digester drops it, and
// counts all of it for those who ask how far the quota is used up.
func TestRegionsOverQuota(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	project := storetest.MustCreateProject(t, db, "Shop", "").ID
	setQuotas(t, db, project, 0, quota.Events, quota.Hour, 10)
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ever := func(context.Context) (map[event.ProjectID]int64, error) { return map[event.ProjectID]int64{}, nil }
	b := newQuotaBook(300, ever, noLog)
	b.now = func() time.Time { return now }
	if err := b.open(t.Context(), db, replica); err != nil {
		t.Fatal(err)
	}
	admit := func(in *store.Incoming) bool {
		reason, _ := b.Admit(in)
		in.Drop = reason
		return reason == ""
	}
	message := func(at time.Time) *store.Incoming {
		return &store.Incoming{Project: project, Region: "eu-central-1", Category: store.CategoryError, ReceivedAt: at}
	}
	passed := 0
	var last *store.Incoming
	for range 20 {
		if last = message(now); admit(last) {
			passed++
		}
	}
	if passed != 10 {
		t.Errorf("%d passed, want 10", passed)
	}
	first := message(now)
	b.Forget(last) // it was decided before: that it was dropped then changes nothing
	if admit(first) {
		t.Error("forgetting what was dropped made room")
	}
	first.Drop = ""
	b.Forget(first)
	if !admit(message(now.Add(time.Hour))) { // by a clock that is wrong: it counts as of now
		t.Error("forgetting what was not dropped made no room")
	}
	read := b.publish(func(context.Context) (*keyring.Snapshot, error) { return &keyring.Snapshot{At: now}, nil })
	snapshot, err := read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal([]any{snapshot.Quotas, snapshot.Limits, snapshot.QuotasAt})
	const want = `[[{"project":1,"class":0,"window":1,"limit":10,"used":20}],` +
		`[{"project":1,"categories":["error","default","security"],"until":"2026-11-21T13:01:00Z","reason":"project_quota"}],"2026-11-21T12:00:00Z"]`
	if err != nil || string(text) != want {
		t.Errorf("published\n%s, want\n%s", text, want)
	}
	// What is written down is known to the next process.
	if err := b.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := newQuotaBook(300, ever, noLog)
	if err := next.open(t.Context(), db, replica); err != nil {
		t.Fatal(err)
	}
	if q := next.accepted.Quotas(now); len(q) != 1 || q[0].Used != 20 {
		t.Errorf("the next process knows %v", q)
	}
	if b.Spike(project) != 0 || b.Spike(project+1) != 300 {
		t.Errorf("spikes %d, %d", b.Spike(project), b.Spike(project+1))
	}
}

// limitStopped sets a limit while nothing runs, under what waits.
func limitStopped(t *testing.T, dir string, limit int64, waiting int) {
	t.Helper()
	s := openStopped(t, dir)
	if waiting > 0 {
		setQuotas(t, s.db, 1, 5, quota.Events, quota.FiveMinutes, quota.MaxLimit)
		if err := s.quotas.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := flood(t, s.edge, firstKey(t, s), waiting); n != waiting {
			t.Fatalf("%d of %d accepted", n, waiting)
		}
	}
	setQuotas(t, s.db, 1, 5, quota.Events, quota.FiveMinutes, limit)
	if err := s.quotas.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.quotas.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// Killed at random moments while most of what comes is over a quota or only counted,
// the program loses nothing that it accepted, forgets nothing of it, and the books
// balance. Limits that are lowered drop what waits, under the next kill.
func TestKillUnderQuota(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var accepted sync.Map
	for round, limit := range []int64{40, 40, 60, 60, 60} {
		limitStopped(t, dir, limit, 1600*(round/2))
		child := startChild(t, dir)
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for s := range senders {
			all.Go(func() { child.load(ctx, fmt.Sprintf("%02x%02x", round, s), &accepted) })
		}
		if round == 0 {
			waitFor(t, "the limit is reached", func() bool { return sizeOf(&accepted) >= int(limit) })
		}
		moment := time.NewTimer(time.Duration(20+rand.IntN(200)) * time.Millisecond)
		<-moment.C
		child.kill(t)
		stop()
		all.Wait()
		if n := int64(sizeOf(&accepted)); round < 2 && n != limit {
			t.Errorf("%d were accepted by %d processes, the limit is %d", n, round+1, limit)
		}
	}
	r := startService(t, dir)
	waitFor(t, "the queue is empty", func() bool { return r.books().InFlight == 0 })
	b := r.books()
	if err := balance(b); err != nil || b.Digested+b.DroppedTotal() < int64(sizeOf(&accepted)) || b.DroppedTotal() < 1000 {
		t.Errorf("%d were answered 200; the books say %+v (%v)", sizeOf(&accepted), b, err)
	}
	t.Logf("%d answered 200, %d digested, %d dropped, %d repeated", sizeOf(&accepted), b.Digested, b.DroppedTotal(), b.Redelivered)
	r.stop()
	mustCheck(t, envOf(dir))
}
