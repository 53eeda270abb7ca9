package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/alert/teller"
	"sundew/digester/courier"
	"sundew/digester/dashboard"
	"sundew/digester/digest"
	"sundew/digester/notify"
	"sundew/digester/outbound"
	"sundew/digester/queue/local"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// told is what a webhook gets, as far as it matters here.
type told struct {
	Kind        notify.Kind    `json:"kind"`
	Others      []notify.Issue `json:"others"`
	OthersCount int64          `json:"others_count"`
}

// Five thousand new issues in a minute, through the queue, the digester and the courier,
// are a handful of messages for a receiver, which name or count every issue.
func TestAlertStorm(t *testing.T) {
	t.Parallel()
	const issues = 5000
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	var mu sync.Mutex
	var got []told // guarded by mu
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m told
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, m)
	}))
	defer receiver.Close()

	db, replica := storetest.Open(t, now)
	p := storetest.MustCreateProject(t, db, "Web shop", "")
	if err := db.Write(t.Context(), "test", func(tx *store.Tx) error {
		_, err := tx.AddChannel(p.ID, store.Channel{Kind: notify.Webhook, Name: "Hook", Config: notify.Config{URL: receiver.URL, Secret: "sundew_secret"}})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	q, err := local.Open(t.Context(), local.Config{Path: filepath.Join(t.TempDir(), "queue.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close(context.WithoutCancel(t.Context()))
	d, err := digest.New(digest.Config{Queue: q, Store: db, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	networks, err := outbound.Parse("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	carrier := courier.New(courier.Config{DB: db, Replica: replica, Client: outbound.New(outbound.Config{Networks: networks}), Now: now, Log: zerolog.Nop()})
	pages := dashboard.NewAddresses("https://errors.example.com")
	tells := teller.New(teller.Config{
		Replica: replica, DB: db, Log: zerolog.Nop(), Now: now, Issue: pages.Issue, Project: pages.Project, Settings: pages.AlertSettings, Sent: carrier.Call,
	})

	var running sync.WaitGroup
	defer running.Wait()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	running.Go(func() {
		if err := d.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() { carrier.Run(ctx) })
	queueIssues(t, q, p.ID, issues)
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	settle := func() {
		for ; ; <-every.C {
			digested := d.Health().Stored
			more, err := tells.Step(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !more && digested == issues {
				return
			}
		}
	}
	settle()
	for range 4 { // the summaries, and that it is quiet again
		ahead.Add(int64(time.Hour))
		settle()
	}
	sum := func() (messages int, all int64) {
		mu.Lock()
		defer mu.Unlock()
		for _, m := range got {
			all += max(1, m.OthersCount)
			if m.Kind == notify.KindStorm && len(m.Others) == 0 {
				t.Error("a summary names nothing")
			}
		}
		return len(got), all
	}
	waitFor(t, "every issue is told of", func() bool { _, all := sum(); return all >= issues })
	if messages, all := sum(); all != issues || messages > 8 {
		t.Errorf("%d messages tell of %d issues", messages, all)
	}
}

// queueIssues queues so many events, each of an issue of its own.
func queueIssues(t *testing.T, q *local.Queue, project event.ProjectID, n int) {
	t.Helper()
	codec := wire.NewCodec()
	var batch []*wire.Message
	for i := range n {
		body, encoding := codec.Compress(fmt.Appendf(nil, `{"message":"it broke","fingerprint":["storm","%d"],"environment":"production"}`, i))
		m := &wire.Message{Kind: wire.KindEvent, Encoding: encoding, Project: project, ReceivedAt: time.Now(), Body: body}
		binary.BigEndian.PutUint64(m.EventID[:], uint64(i+1)*0x9e3779b97f4a7c15)
		if batch = append(batch, m); len(batch) == 500 || i == n-1 {
			if err := q.Send(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			batch = batch[:0]
		}
	}
}
