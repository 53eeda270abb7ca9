package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// copyOf is a copy of the primary and what a reader of it has seen.
type copyOf struct {
	replica *store.Replica

	mu    sync.Mutex
	sight []sight       // ascending; guarded by mu
	moved chan struct{} // closed when sight grows, then replaced; guarded by mu
}

// sight is the moment in which a reader first saw a position.
type sight struct {
	position int64
	at       time.Time
}

// look notes what a reader sees.
func (c *copyOf) look(ctx context.Context) {
	p, err := c.replica.Position(ctx)
	if err != nil {
		return // until sees to it
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.sight); n > 0 && c.sight[n-1].position == p.Number {
		return
	}
	c.sight = append(c.sight, sight{p.Number, time.Now()})
	close(c.moved)
	c.moved = make(chan struct{})
}

// until waits for a position and returns all that was seen.
func (c *copyOf) until(ctx context.Context, position int64) ([]sight, error) {
	ctx, cancel := context.WithTimeout(ctx, catchUpWithin)
	defer cancel()
	for {
		c.mu.Lock()
		seen, moved := c.sight, c.moved
		c.mu.Unlock()
		if n := len(seen); n > 0 && seen[n-1].position >= position {
			return seen, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for position %d: %w", position, ctx.Err())
		}
	}
}

// catchUpWithin is how long a copy may be behind at the end.
const catchUpWithin = 5 * time.Minute

// newEvent makes an event of 2 KB, in one of fifty issues.
func newEvent(project event.ProjectID, seq uint64) *store.Incoming {
	now := time.Now()
	random := make([]byte, 950)
	rand.Read(random) // never fails
	body := fmt.Appendf(nil, `{"message":"order %d failed","level":"error","platform":"go","extra":{"noise":"%x"}}`, seq, random)
	in := &store.Incoming{
		Instance: wire.InstanceID{1}, Seq: seq, Project: project, ReceivedAt: now, OccurredAt: now, Category: "error",
		Level: event.LevelError, Platform: "go", Title: "Error", Release: "shop@1.0", Environment: "production",
		Tags: []event.Pair{{Key: "environment", Value: "production"}, {Key: "order", Value: fmt.Sprint(seq)}}, GroupRules: 1,
		Kind: wire.KindEvent, Encoding: wire.EncodingIdentity, Meta: []byte(`{}`), Body: body,
	}
	binary.BigEndian.PutUint64(in.EventID[:], seq*0x9e3779b97f4a7c15) // spread like real ids
	copy(in.Group[:], fmt.Sprint("group ", seq%50))
	return in
}
