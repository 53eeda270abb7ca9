package main

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"sundew/functions/ingest/edge"
	"sundew/schema/event"
	"sundew/schema/keyring"
	"sundew/schema/quota"
	"sundew/schema/scrub"
)

const (
	// keysEvery is how old what is known of the keys may get before an invocation
	// reads them again.
	keysEvery = time.Minute

	// keysRetry is how long after a read that failed the next one may begin.
	keysRetry = 10 * time.Second

	// keysProof is how long a read proves that a key is unknown. It also bounds the
	// extra reads that guessed keys cause.
	keysProof = 2 * time.Second

	// keysStale is from what age on a snapshot proves nothing: the digester writes
	// one every five minutes, so it must be out of reach.
	keysStale = 15 * time.Minute

	// keysTimeout bounds one read.
	keysTimeout = time.Second

	// keysWait and keysWaitUnknown bound how long a request waits for a read: for
	// the usual one, and for the one before its key is refused.
	keysWait        = 100 * time.Millisecond
	keysWaitUnknown = 250 * time.Millisecond
)

// keySource reads a snapshot of the keys. One call at a time.
type keySource interface {
	read(ctx context.Context) (*keyring.Snapshot, error)
}

// keys is edge.Keys in a process that sleeps between requests. Reads run beside the
// handling of a request, which waits for them only briefly, and end before its
// invocation does. What was known last stays known while the source is out of reach.
//
//   - A key that was made works as soon as the digester has published it, plus at
//     most keysProof: no is said only after a read that succeeded and began at most
//     keysProof before the request.
//   - A key that was switched off is refused as soon as that is published, plus at
//     most keysEvery, as long as reads take no longer than keysWait; each that does
//     costs an environment one more invocation, a source that cannot be read as
//     long as that lasts.
//   - Where it cannot be proved that a key is unknown, because the source cannot be
//     read or the snapshot is older than keysStale, the answer is KeyUndecided:
//     accepted, with the key in the message, by which the digester decides. A key
//     that is known to be switched off stays so: nobody's decision lapses because
//     something is out of reach.
type keys struct {
	source keySource
	now    func() time.Time // by the wall: other clocks stop while the process sleeps
	meter  *quota.Meter     // gets the quotas that are read; nil: nobody asks for them

	mu      sync.Mutex
	ring    *keyring.Ring // nil before the first read
	readAt  time.Time     // when the last read that succeeded began
	triedAt time.Time     // when the last read began
	under   chan struct{} // closed when the read under way ends; nil: there is none
}

// refresh begins a read if one is due.
func (k *keys) refresh(ctx context.Context) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if now.Sub(k.readAt) >= keysEvery && now.Sub(k.triedAt) >= keysRetry {
		k.beginLocked(ctx)
	}
}

// settle waits until no read is under way: an invocation must not end before.
func (k *keys) settle() {
	k.mu.Lock()
	under := k.under
	k.mu.Unlock()
	if under != nil {
		<-under
	}
}

// beginLocked begins a read unless one is under way.
func (k *keys) beginLocked(ctx context.Context) {
	if k.under != nil {
		return
	}
	began := k.now()
	k.triedAt = began
	k.under = make(chan struct{})
	go k.read(ctx, began)
}

// read reads once. It returns at the latest after keysTimeout.
func (k *keys) read(ctx context.Context, began time.Time) {
	ctx, cancel := context.WithTimeout(ctx, keysTimeout)
	defer cancel()
	snapshot, err := k.source.read(ctx)
	if err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Msg("the keys could not be read; the last ones stay valid")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		k.readAt = began
		if k.ring == nil || !snapshot.At.Before(k.ring.At()) {
			k.ring = k.ring.Next(snapshot)
			if k.meter != nil && !snapshot.QuotasAt.IsZero() { // else they are out of reach, and the last ones hold
				k.meter.Set(snapshot.Quotas, snapshot.QuotasAt)
			}
		}
	}
	close(k.under)
	k.under = nil
}

// wait waits for the read under way, but not long.
func (k *keys) wait(ctx context.Context, limit time.Duration) {
	k.mu.Lock()
	under := k.under
	k.mu.Unlock()
	if under == nil {
		return
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-under:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Lookup says whether a key may report to a project.
func (k *keys) Lookup(ctx context.Context, project event.ProjectID, key string) edge.KeyStatus {
	asked := k.now()
	k.wait(ctx, keysWait)
	if status, proved := k.lookup(project, key, asked); proved {
		return status
	}
	k.mu.Lock()
	if asked.Sub(k.triedAt) > keysProof {
		k.beginLocked(ctx)
	}
	k.mu.Unlock()
	k.wait(ctx, keysWaitUnknown)
	status, proved := k.lookup(project, key, asked)
	if status == edge.KeyUnknown && !proved {
		return edge.KeyUndecided
	}
	return status
}

// lookup returns what is known of a key, and whether that may be answered: a yes
// always, a no only if it is proved.
func (k *keys) lookup(project event.ProjectID, key string, asked time.Time) (status edge.KeyStatus, proved bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ring == nil {
		return edge.KeyUndecided, false
	}
	proved = asked.Sub(k.readAt) <= keysProof && asked.Sub(k.ring.At()) <= keysStale
	switch k.ring.Lookup(project, key) {
	case keyring.Active:
		return edge.KeyActive, true
	case keyring.Disabled:
		return edge.KeyDisabled, proved
	}
	return edge.KeyUnknown, proved
}

// Limited says which quota a project is over. Quotas end by themselves, so an old
// snapshot does no harm.
func (k *keys) Limited(project event.ProjectID, category string, now time.Time) (keyring.Limit, bool) {
	ring := k.last()
	if ring == nil {
		return keyring.Limit{}, false
	}
	return ring.Limited(project, category, now)
}

// Allows says whether a browser's page may report to a project. What was known last
// holds while the source is out of reach; before the first read everything may.
func (k *keys) Allows(project event.ProjectID, page string) bool {
	ring := k.last()
	return ring == nil || ring.Allows(project, page)
}

// scrubber returns what takes secrets out of what a project reports; nil before the
// first read: the usual one.
func (k *keys) scrubber(project event.ProjectID) *scrub.Scrubber {
	if ring := k.last(); ring != nil {
		return ring.Scrubber(project)
	}
	return nil
}

// last returns what was read last, nil before the first read.
func (k *keys) last() *keyring.Ring {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ring
}
