package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/store"
	"sundew/schema/keyring"
)

const (
	// keysObject is where the edge looks for the keys.
	keysObject = "keys/v1.json"

	// publishEvery is how often the keys are published though nothing changed, so
	// that the edge and its operators can tell old keys from a publisher that is
	// gone: at least every five minutes, a failed attempt and its retries included.
	publishEvery = 4 * time.Minute
)

// keyPublisher brings the keys to where the edge runs: on a change within a
// second or so, and every few minutes anyway. Each region is on its own.
type keyPublisher struct {
	read    func(context.Context) (*keyring.Snapshot, error)
	targets []*keyTarget
	log     zerolog.Logger
}

// objectWriter is a bucket.
type objectWriter interface {
	// Put writes an object, as a whole or not at all.
	Put(ctx context.Context, key, contentType string, body []byte) error
}

// keyTarget is one region's bucket.
type keyTarget struct {
	bucket objectWriter
	log    zerolog.Logger
	latest atomic.Pointer[keyring.Snapshot]
	news   chan struct{} // holds one while latest says something new

	mu          sync.Mutex // guards all below
	publishedAt time.Time  // when what is published was read; zero: nothing is
	problem     error      // of the last attempt
}

func newKeyTarget(bucket objectWriter, log zerolog.Logger) *keyTarget {
	return &keyTarget{bucket: bucket, log: log, news: make(chan struct{}, 1)}
}

// readKeys returns what reads the keys from a database.
func readKeys(replica *store.Replica) func(context.Context) (*keyring.Snapshot, error) {
	return func(ctx context.Context) (*keyring.Snapshot, error) {
		snapshot := &keyring.Snapshot{At: time.Now()}
		err := replica.Read(ctx, func(rx *store.Rx) error {
			all, err := rx.Keys()
			snapshot.Keys, snapshot.Origins, snapshot.Privacy = nil, nil, nil // a read may run again
			for _, k := range all {
				snapshot.Keys = append(snapshot.Keys, keyring.Key{Project: k.Project, Public: k.Public, Enabled: k.Enabled})
			}
			if err != nil {
				return err
			}
			origins, err := rx.AllOrigins()
			for project, text := range origins {
				// What does not parse was refused when it was set; nothing is
				// locked out by what a later version may think of it.
				if allowed, err := keyring.ParseOrigins(text); err == nil {
					snapshot.Origins = append(snapshot.Origins, keyring.Origins{Project: project, Allowed: allowed})
				}
			}
			if err != nil {
				return err
			}
			privacy, err := rx.AllPrivacy()
			for project, settings := range privacy {
				snapshot.Privacy = append(snapshot.Privacy, keyring.Privacy{Project: project, Settings: settings})
			}
			return err
		})
		return snapshot, err
	}
}

// run publishes until ctx is done. Without targets there is nothing to do.
func (p *keyPublisher) run(ctx context.Context) {
	if len(p.targets) == 0 {
		return
	}
	var writers sync.WaitGroup
	defer writers.Wait()
	for _, t := range p.targets {
		writers.Go(func() { t.run(ctx) })
	}
	ticker := time.NewTicker(keysEvery)
	defer ticker.Stop()
	for known := (*keyring.Snapshot)(nil); ; {
		snapshot, err := p.read(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			p.log.Warn().Err(err).Msg("the keys could not be read; the last ones stay published")
		default:
			changed := known == nil || !known.SameKeys(snapshot)
			known = snapshot
			for _, t := range p.targets {
				t.offer(snapshot, changed)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// offer hands a target the newest keys.
func (t *keyTarget) offer(snapshot *keyring.Snapshot, changed bool) {
	t.latest.Store(snapshot)
	if changed {
		select {
		case t.news <- struct{}{}:
		default: // it knows
		}
	}
}

// run publishes what is offered until ctx is done.
func (t *keyTarget) run(ctx context.Context) {
	timer := time.NewTimer(publishEvery)
	defer timer.Stop()
	for failures := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-t.news:
		case <-timer.C:
		}
		if err := t.publish(ctx); err != nil && ctx.Err() == nil {
			failures++
			t.log.Warn().Err(err).Int("failures", failures).Msg("the keys could not be published; the region keeps those it has")
			timer.Reset(min(time.Second<<min(failures-1, 6), time.Minute))
			continue
		}
		failures = 0
		timer.Reset(publishEvery)
	}
}

func (t *keyTarget) publish(ctx context.Context) error {
	snapshot := t.latest.Load()
	if snapshot == nil {
		return nil // they could not be read yet
	}
	encoded, err := snapshot.Encode()
	if err == nil {
		err = t.bucket.Put(ctx, keysObject, "application/json", encoded)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.problem = err; err == nil {
		t.publishedAt = snapshot.At
	}
	return err
}

// state returns when the published keys were read, and why newer ones could not
// be published.
func (t *keyTarget) state() (publishedAt time.Time, problem error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.publishedAt, t.problem
}
