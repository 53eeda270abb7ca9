package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"sundew/digester/replicate"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// copyOf is a follower and what a reader of it has seen.
type copyOf struct {
	follower *replicate.Follower
	replica  *store.Replica
	cancel   context.CancelFunc
	ended    chan error

	mu    sync.Mutex
	sight []sight       // ascending; guarded by mu
	moved chan struct{} // closed when sight grows, then replaced; guarded by mu
}

// sight is the moment in which a reader first saw a position.
type sight struct {
	position int64
	at       time.Time
}

func openCopy(ctx context.Context, path string, target replicate.Target) (*copyOf, error) {
	c := &copyOf{ended: make(chan error, 1), moved: make(chan struct{})}
	var err error
	if c.follower, err = replicate.NewFollower(replicate.FollowerConfig{Path: path, Target: target, Log: quiet()}); err != nil {
		return nil, err
	}
	if err := c.follower.Prepare(ctx); err != nil {
		return nil, err
	}
	if c.replica, err = store.OpenReplica(ctx, path); err != nil {
		return nil, err
	}
	ctx, c.cancel = context.WithCancel(ctx)
	go func() { c.ended <- c.follower.Run(ctx, c.replica.Exclusively, func() { c.look(ctx) }) }()
	return c, nil
}

// look notes what a reader sees.
func (c *copyOf) look(ctx context.Context) {
	p, err := c.replica.Position(ctx)
	if err != nil {
		return // until sees to it
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sight = append(c.sight, sight{p.Number, time.Now()})
	close(c.moved)
	c.moved = make(chan struct{})
}

// until waits for a position and returns all that was seen.
func (c *copyOf) until(ctx context.Context, position int64) ([]sight, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
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

func (c *copyOf) close() error {
	c.cancel()
	return errors.Join(<-c.ended, c.replica.Close(), c.follower.Close())
}

// newEvent makes an event of 2 KB that does not compress, in one of fifty issues.
func newEvent(project event.ProjectID, seq uint64) *store.Incoming {
	now := time.Now()
	body := make([]byte, 2000)
	rand.Read(body) // never fails
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
