package digest

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sundew/digester/queue/local"
	"sundew/digester/store/storetest"
	"sundew/digester/symbolicate/scripts"
	recorded "sundew/schema/corpus"
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
	"sundew/schema/wire"
)

// BenchmarkDrain is the whole digest from a filled queue: receive, decode, parse,
// group, commit, barrier, delete, with the recorded events below 50 KB.
func BenchmarkDrain(b *testing.B) {
	db, replica := storetest.Open(b, nil)
	q, err := local.Open(b.Context(), local.Config{Path: filepath.Join(b.TempDir(), "queue.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer q.Close(context.WithoutCancel(b.Context()))
	p := storetest.MustCreateProject(b, db, "Shop", "")
	fill(b, q, p.ID, b.N, eventtest.Captured(b))
	b.ResetTimer()
	drain(b, Config{Queue: q, Store: db}, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	storetest.MustCheck(b, replica)
}

// drain digests until n messages are stored.
func drain(b *testing.B, cfg Config, n int) {
	b.Helper()
	d, err := New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	every := time.NewTicker(time.Millisecond)
	defer every.Stop()
	for d.Health().Stored < int64(n) {
		<-every.C
	}
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMapped is the whole digest of events of a minified application, as they were
// sent and read by source maps that are in memory, in one run: what maps cost.
func BenchmarkMapped(b *testing.B) {
	app, err := recorded.LoadWebApp()
	if err != nil {
		b.Fatal(err)
	}
	var thrown []eventtest.Payload
	for _, p := range eventtest.Captured(b) {
		if len(p.JSON) <= 50_000 && slices.ContainsFunc(app.Cases[p.Name].Frames, func(f recorded.WebAppFrame) bool { return f.Original != nil }) {
			thrown = append(thrown, p)
		}
	}
	rate := func(mapped bool) float64 {
		db, replica := storetest.Open(b, nil)
		q, err := local.Open(b.Context(), local.Config{Path: filepath.Join(b.TempDir(), "queue.db")})
		if err != nil {
			b.Fatal(err)
		}
		defer q.Close(context.WithoutCancel(b.Context()))
		p := storetest.MustCreateProject(b, db, "Shop", "")
		cfg := Config{Queue: q, Store: db}
		if mapped {
			storetest.MustPublish(b, db, p.ID, "", app.Bundle)
			cfg.Scripts = scripts.New(scripts.Config{From: replica, Within: time.Minute})
		}
		const warm = 50
		fill(b, q, p.ID, warm, thrown)
		drain(b, cfg, warm)
		fillFrom(b, q, p.ID, warm, b.N, thrown)
		began := time.Now()
		drain(b, cfg, b.N)
		return float64(b.N) / time.Since(began).Seconds()
	}
	b.ResetTimer()
	asSent, mapped := rate(false), rate(true)
	b.ReportMetric(asSent, "as-sent/s")
	b.ReportMetric(mapped, "mapped/s")
	b.ReportMetric(mapped/asSent, "ratio")
}

// fill queues n of the recorded events, each with an id of its own.
func fill(b *testing.B, q *local.Queue, project event.ProjectID, n int, payloads []eventtest.Payload) {
	b.Helper()
	fillFrom(b, q, project, 0, n, payloads)
}

// fillFrom is fill with ids behind the first ones.
func fillFrom(b *testing.B, q *local.Queue, project event.ProjectID, first, n int, payloads []eventtest.Payload) {
	b.Helper()
	codec := wire.NewCodec()
	payloads = slices.Clone(payloads)
	var batch []*wire.Message
	for i := 0; len(batch) > 0 || i < n; i++ {
		if i < n {
			for len(payloads[i%len(payloads)].JSON) > 50_000 || payloads[i%len(payloads)].Security {
				payloads = append(payloads[:i%len(payloads)], payloads[i%len(payloads)+1:]...)
			}
			body, encoding := codec.Compress(payloads[i%len(payloads)].JSON)
			m := &wire.Message{Kind: wire.KindEvent, Encoding: encoding, Project: project, ReceivedAt: time.Now(), Client: "bench/1.0", RemoteIP: "192.0.2.1", Body: body}
			binary.BigEndian.PutUint64(m.EventID[:], uint64(first+i+1)*0x9e3779b97f4a7c15) // spread like real ids
			batch = append(batch, m)
		}
		if len(batch) == 500 || i >= n {
			if err := q.Send(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch = nil
		}
	}
}
