package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sundew/schema/keyring"
)

// memoryBucket notes what is put and when.
type memoryBucket struct {
	mu    *sync.Mutex // guards all below, and is held by tests that look
	fails bool
	tries int
	at    []time.Time
	keys  []int // how many keys each object had
}

func (b *memoryBucket) Put(_ context.Context, key, _ string, body []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tries++
	if b.fails {
		return errors.New("the bucket is away")
	}
	snapshot, err := keyring.Decode(body)
	if err != nil || key != keysObject {
		return errors.Join(errors.New("not the keys"), err)
	}
	b.at = append(b.at, time.Now())
	b.keys = append(b.keys, len(snapshot.Keys))
	return nil
}

// Keys are published at once when they change and every few minutes when they do
// not; a region that is away gets them when it is back, and keeps none from
// theirs.
func TestKeyPublisher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		keys := []keyring.Key{{Project: 1, Public: "a", Enabled: true}}
		var mu sync.Mutex // held while the test is at work, not while time passes
		near, far := &memoryBucket{mu: &mu}, &memoryBucket{mu: &mu, fails: true}
		nearTarget, farTarget := newKeyTarget(near, noLog), newKeyTarget(far, noLog)
		var unreadable error
		p := &keyPublisher{
			read: func(context.Context) (*keyring.Snapshot, error) {
				mu.Lock()
				defer mu.Unlock()
				return &keyring.Snapshot{At: time.Now(), Keys: slices.Clone(keys)}, unreadable
			},
			targets: []*keyTarget{nearTarget, farTarget}, log: noLog,
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			p.run(ctx)
			close(ended)
		}()
		mu.Lock()
		defer mu.Unlock()
		pass := func(d time.Duration) {
			mu.Unlock()
			<-time.After(d)
			synctest.Wait()
			mu.Lock()
		}
		pass(90*time.Second + time.Second/2)
		keys = append(keys, keyring.Key{Project: 2, Public: "b", Enabled: true})
		pass(10 * time.Minute)
		unreadable = errors.New("the database is busy")
		pass(5 * time.Minute)

		if at, problem := farTarget.state(); !at.IsZero() || problem == nil || far.tries < 15 || far.tries > 30 {
			t.Errorf("the region that is away: published %v, problem %v after %d attempts", at, problem, far.tries)
		}
		far.fails = false
		pass(61 * time.Second)
		if at, problem := farTarget.state(); at.IsZero() || problem != nil || len(far.keys) != 1 || far.keys[0] != 2 {
			t.Errorf("the region that is back: published %v, problem %v, %v", at, problem, far.keys)
		}
		stop()
		mu.Unlock()
		<-ended
		mu.Lock()
		var after []time.Duration
		for _, at := range near.at {
			after = append(after, at.Sub(began))
		}
		const second = time.Second
		if want := []time.Duration{0, 91 * second, 331 * second, 571 * second, 811 * second, 1051 * second}; !slices.Equal(after, want) {
			t.Errorf("published after %v, want %v", after, want)
		}
		if want := []int{1, 2, 2, 2, 2, 2}; !slices.Equal(near.keys, want) {
			t.Errorf("published %v keys, want %v", near.keys, want)
		}
		if at, _ := nearTarget.state(); at.After(began.Add(691 * second)) {
			t.Errorf("keys that could not be read are said to be of %v", at.Sub(began))
		}
	})
}
