package digest

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"testing"
	"time"

	"sundew/digester/queue/local"
	"sundew/digester/store/storetest"
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
	fill(b, q, p.ID, b.N)
	d, err := New(Config{Queue: q, Store: db})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	every := time.NewTicker(time.Millisecond)
	defer every.Stop()
	for d.Health().Stored < int64(b.N) {
		<-every.C
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	storetest.MustCheck(b, replica)
}

// fill queues n recorded events, each with an id of its own.
func fill(b *testing.B, q *local.Queue, project event.ProjectID, n int) {
	b.Helper()
	codec := wire.NewCodec()
	payloads := eventtest.Captured(b)
	var batch []*wire.Message
	for i := 0; len(batch) > 0 || i < n; i++ {
		if i < n {
			for len(payloads[i%len(payloads)].JSON) > 50_000 || payloads[i%len(payloads)].Security {
				payloads = append(payloads[:i%len(payloads)], payloads[i%len(payloads)+1:]...)
			}
			body, encoding := codec.Compress(payloads[i%len(payloads)].JSON)
			m := &wire.Message{Kind: wire.KindEvent, Encoding: encoding, Project: project, ReceivedAt: time.Now(), Client: "bench/1.0", RemoteIP: "192.0.2.1", Body: body}
			binary.BigEndian.PutUint64(m.EventID[:], uint64(i+1)*0x9e3779b97f4a7c15) // spread like real ids
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
