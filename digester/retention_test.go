package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/retention"
	"sundew/digester/store"
)

func TestRetentionConfig(t *testing.T) {
	for _, c := range []struct {
		days, events string
		want         retention.Policy
		refused      bool
	}{
		{want: retention.Policy{Days: 90, Events: 100_000}},
		{days: "30", events: "5000", want: retention.Policy{Days: 30, Events: 5000}},
		{days: "0", events: "0", want: retention.Policy{}},
		{days: "-1", refused: true},
		{days: "4000", refused: true},
		{events: "10", refused: true},
		{events: "many", refused: true},
	} {
		cfg, err := configFromEnv(func(name string) string {
			return map[string]string{"SUNDEW_RETENTION_DAYS": c.days, "SUNDEW_RETENTION_EVENTS": c.events}[name]
		})
		if (err != nil) != c.refused {
			t.Errorf("%q, %q: %v", c.days, c.events, err)
		}
		if err != nil && !strings.Contains(err.Error(), "SUNDEW_RETENTION") {
			t.Errorf("%q, %q: %v does not say which variable", c.days, c.events, err)
		}
		if diff := cmp.Diff(c.want, cfg.Retention); err == nil && diff != "" {
			t.Errorf("%q, %q: %s", c.days, c.events, diff)
		}
	}
}

// The process is killed while it removes events, and others come in: whatever the
// moment, what is counted fits what is stored, and the next process goes on.
func TestKillWhileRemoving(t *testing.T) {
	const limit = 100
	dir := t.TempDir()
	var accepted sync.Map
	load := func(c *child, round int, until func() bool) {
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for s := range senders {
			all.Go(func() { c.load(ctx, fmt.Sprintf("%02x%02x", round, s), &accepted) })
		}
		waitFor(t, "events are accepted", until)
		stop()
		all.Wait()
	}
	t.Setenv("SUNDEW_RETENTION_EVENTS", "0")
	c := startChild(t, dir)
	load(c, 0, func() bool { return sizeOf(&accepted) >= 3000 })
	c.kill(t)
	t.Setenv("SUNDEW_RETENTION_EVENTS", fmt.Sprint(limit))
	left := storedIn(t, dir)
	for round := range kills {
		c := startChild(t, dir)
		load(c, 1+round, func() bool {
			moment := time.NewTimer(time.Duration(rand.IntN(400)) * time.Millisecond)
			<-moment.C
			return true
		})
		c.kill(t)
		mustCheck(t, envOf(dir))
		t.Logf("%d events are stored, %d were", storedIn(t, dir), left)
	}
	r := startServiceWith(t, map[string]string{"SUNDEW_DATA": dir, "SUNDEW_LISTEN": "127.0.0.1:0", "SUNDEW_RETENTION_EVENTS": fmt.Sprint(limit)})
	waitFor(t, "the queue is empty", func() bool { return r.books().InFlight == 0 })
	if b := r.books(); balance(b) != nil || b.StoredEvents < int64(sizeOf(&accepted)) {
		t.Errorf("%d events were answered 200; the books say %+v", sizeOf(&accepted), b)
	}
	r.stop()
	r = startServiceWith(t, map[string]string{"SUNDEW_DATA": dir, "SUNDEW_LISTEN": "127.0.0.1:0", "SUNDEW_RETENTION_EVENTS": fmt.Sprint(limit)})
	waitFor(t, "no more is stored than the limit", func() bool { return storedBy(t, r.service.replica) <= limit })
	r.stop()
	mustCheck(t, envOf(dir))
}

// storedIn returns how many events a directory's database has, which nobody has open.
func storedIn(t *testing.T, dir string) int64 {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Path: dir + "/sundew.db"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	replica, err := db.OpenReplica(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer replica.Close()
	return storedBy(t, replica)
}

func storedBy(t *testing.T, replica *store.Replica) (n int64) {
	t.Helper()
	if err := replica.Read(t.Context(), func(rx *store.Rx) error {
		all, err := rx.Retentions()
		n = 0
		for _, p := range all {
			n += p.Stored
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}
