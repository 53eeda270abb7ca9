package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// bodyBytes is how large a stored event is on average: what a small one of an SDK is
// once it is compressed.
const bodyBytes = 4 << 10

// load makes events and has them digested, as the digester does: some of them, then a
// barrier.
type load struct {
	db      *store.DB
	project event.ProjectID
	made    int
	rng     *rand.Rand
	issues  *rand.Zipf
	noise   []byte // that bodies are pieces of
}

func newLoad(ctx context.Context, db *store.DB, issues int) (*load, error) {
	rng := rand.New(rand.NewPCG(1, 2))
	l := &load{db: db, rng: rng, issues: rand.NewZipf(rng, 1.2, 5, uint64(issues-1)), noise: make([]byte, 1<<20)}
	for i := range l.noise {
		l.noise[i] = byte(rng.Uint32())
	}
	err := db.Write(ctx, "project", func(tx *store.Tx) error {
		p, err := tx.CreateProject("Shop")
		l.project = p.ID
		return err
	})
	return l, err
}

// message makes the next event.
func (l *load) message(now time.Time) *store.Incoming {
	l.made++
	group := l.issues.Uint64()
	n := bodyBytes/2 + l.rng.IntN(bodyBytes)
	from := l.rng.IntN(len(l.noise) - n)
	in := &store.Incoming{
		Instance: wire.InstanceID{1}, Seq: uint64(l.made), Project: l.project, ReceivedAt: now, OccurredAt: now, Category: store.CategoryError,
		Level: event.LevelError, Platform: "go", Title: fmt.Sprintf("Error %d: it broke", group), Culprit: "main", GroupRules: 1,
		Release: fmt.Sprint("shop@1.", l.made%5), Environment: "production", User: fmt.Sprint("id:", l.rng.IntN(5000)),
		Kind: wire.KindEvent, Encoding: wire.EncodingIdentity, Meta: []byte(`{}`), Body: l.noise[from : from+n],
	}
	for _, key := range []string{"browser", "os", "device", "runtime", "transaction", "url"} {
		in.Tags = append(in.Tags, event.Pair{Key: key, Value: fmt.Sprint(key, " ", l.rng.IntN(20))})
	}
	in.Tags = append(in.Tags, event.Pair{Key: "user", Value: in.User})
	binary.BigEndian.PutUint64(in.EventID[:8], l.rng.Uint64()) // ids are random, so indexes of them are written all over
	binary.BigEndian.PutUint64(in.EventID[8:], uint64(l.made))
	binary.BigEndian.PutUint64(in.Group[:], group+1)
	return in
}

// batch digests n events.
func (l *load) batch(ctx context.Context, n int) error {
	ins := make([]*store.Incoming, n)
	for i := range ins {
		ins[i] = l.message(time.Now())
	}
	for _, o := range l.db.DigestBatch(ctx, ins) {
		if o.Err != nil {
			return o.Err
		}
		if o.Result != store.Stored {
			return fmt.Errorf("an event became %d", o.Result)
		}
	}
	return l.db.Barrier(ctx)
}

// steady digests so many events a second for a time or, if there is something to do
// meanwhile, until that is done.
func (l *load) steady(ctx context.Context, rate int, length time.Duration, meanwhile func() error) error {
	const every = 20 * time.Millisecond
	done := make(chan error, 1)
	if meanwhile != nil {
		go func() { done <- meanwhile() }()
	} else {
		timer := time.AfterFunc(length, func() { done <- nil })
		defer timer.Stop()
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	began, first := time.Now(), l.made
	for {
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		due := int(time.Since(began).Seconds()*float64(rate)) - (l.made - first)
		if due <= 0 {
			continue
		}
		if err := l.batch(ctx, min(due, 100)); err != nil {
			return err
		}
	}
}
