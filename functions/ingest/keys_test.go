package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sundew/functions/ingest/edge"
	"sundew/schema/event"
	"sundew/schema/keyring"
	"sundew/schema/quota"
)

const (
	goodKey = "0123456789abcdef0123456789abcdef"
	offKey  = "00000000000000000000000000000000"
)

var newKey = strings.Repeat("f", 32)

var errSource = errors.New("out of reach")

// scriptedSource is a keySource that takes a while and may fail.
type scriptedSource struct {
	snapshot keyring.Snapshot
	takes    time.Duration
	err      error
	reads    int
}

func (s *scriptedSource) read(ctx context.Context) (*keyring.Snapshot, error) {
	s.reads++
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.err != nil {
		return nil, s.err
	}
	read := s.snapshot
	return &read, nil
}

// keysRig is keys whose source is published at the start of a synctest bubble.
func keysRig() (*scriptedSource, *keys) {
	source := &scriptedSource{takes: 20 * time.Millisecond}
	source.publish(goodKey)
	return source, &keys{source: source, now: time.Now}
}

// publish makes keys known; offKey is one of them, switched off.
func (s *scriptedSource) publish(active ...string) {
	s.snapshot = keyring.Snapshot{At: time.Now(), Keys: []keyring.Key{{Project: 1, Public: offKey}}}
	for _, key := range active {
		s.snapshot.Keys = append(s.snapshot.Keys, keyring.Key{Project: 1, Public: key, Enabled: true})
	}
}

// ask is one invocation with one request; it returns how long it waited for keys, too.
func ask(t *testing.T, k *keys, key string) (edge.KeyStatus, time.Duration) {
	t.Helper()
	began := time.Now()
	k.refresh(t.Context())
	status := k.Lookup(t.Context(), 1, key)
	waited := time.Since(began)
	k.settle()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.under != nil {
		t.Error("a read outlives its invocation")
	}
	return status, waited
}

func TestKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, k := keysRig()
		want := func(when, key string, want edge.KeyStatus, waits time.Duration) {
			t.Helper()
			if got, waited := ask(t, k, key); got != want || waited != waits {
				t.Errorf("%s: %v after %v, want %v after %v", when, got, waited, want, waits)
			}
		}
		want("at a cold start", goodKey, edge.KeyActive, 20*time.Millisecond)
		want("from memory", goodKey, edge.KeyActive, 0)
		want("unknown, from the read just now", newKey, edge.KeyUnknown, 0)
		want("switched off, likewise", offKey, edge.KeyDisabled, 0)
		source.publish(goodKey, newKey)
		time.Sleep(keysProof + time.Millisecond)
		want("made since", newKey, edge.KeyActive, 20*time.Millisecond)
		reads := source.reads
		for range 100 {
			if got, _ := ask(t, k, strings.Repeat("e", 32)); got != edge.KeyUnknown {
				t.Fatalf("a guessed key: %v", got)
			}
		}
		if source.reads != reads {
			t.Errorf("guessed keys cause %d reads at once", source.reads-reads)
		}
		source.publish(newKey)
		time.Sleep(keysEvery - time.Second)
		want("gone, but not read yet", goodKey, edge.KeyActive, 0)
		time.Sleep(time.Second)
		want("gone", goodKey, edge.KeyUnknown, 20*time.Millisecond)
	})
}

// TestKeysOutage checks that nobody is refused because keys cannot be read, and that
// nobody waits long for them.
func TestKeysOutage(t *testing.T) {
	for _, tt := range []struct {
		name       string
		fail       func(*scriptedSource)
		waits      time.Duration // of a known key
		waitsMore  time.Duration // of an unknown one
		atMost     time.Duration // of an invocation
		everybody  edge.KeyStatus
		switchedBy edge.KeyStatus
	}{
		{"fails", func(s *scriptedSource) { s.err = errSource }, 20 * time.Millisecond, 20 * time.Millisecond, 20 * time.Millisecond, edge.KeyUndecided, edge.KeyDisabled},
		{"hangs", func(s *scriptedSource) { s.takes = time.Hour }, keysWait, keysWaitUnknown, keysTimeout, edge.KeyUndecided, edge.KeyDisabled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, k := keysRig()
				ask(t, k, goodKey)
				tt.fail(source)
				time.Sleep(keysEvery)
				began := time.Now()
				if got, waited := ask(t, k, goodKey); got != edge.KeyActive || waited != tt.waits {
					t.Errorf("known: %v after %v", got, waited)
				}
				if took := time.Since(began); took > tt.atMost {
					t.Errorf("the invocation took %v", took)
				}
				if got, waited := ask(t, k, goodKey); got != edge.KeyActive || waited != 0 {
					t.Errorf("known, the next: %v after %v", got, waited)
				}
				time.Sleep(keysProof)
				if got, waited := ask(t, k, newKey); got != tt.everybody || waited != tt.waitsMore {
					t.Errorf("unknown: %v after %v", got, waited)
				}
				if got, waited := ask(t, k, newKey); got != tt.everybody || waited != 0 {
					t.Errorf("unknown, the next: %v after %v", got, waited)
				}
				time.Sleep(time.Hour)
				if got, _ := ask(t, k, goodKey); got != edge.KeyActive {
					t.Errorf("known, much later: %v", got)
				}
				if got, _ := ask(t, k, offKey); got != tt.switchedBy {
					t.Errorf("switched off, much later: %v", got)
				}
			})
		})
	}
}

// TestKeysStale checks that a snapshot that nobody renews proves nothing, even if it
// can be read.
func TestKeysStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, k := keysRig()
		ask(t, k, goodKey)
		time.Sleep(keysStale - time.Second)
		if got, _ := ask(t, k, newKey); got != edge.KeyUnknown {
			t.Errorf("just not stale: %v", got)
		}
		time.Sleep(time.Minute)
		for key, want := range map[string]edge.KeyStatus{goodKey: edge.KeyActive, offKey: edge.KeyDisabled, newKey: edge.KeyUndecided} {
			if got, _ := ask(t, k, key); got != want {
				t.Errorf("stale: %.4s… is %v, want %v", key, got, want)
			}
		}
	})
}

// TestKeysBefore checks what holds before anything was read.
func TestKeysBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, k := keysRig()
		source.err = errSource
		if got, _ := ask(t, k, goodKey); got != edge.KeyUndecided {
			t.Errorf("status %v", got)
		}
		if limit, limited := k.Limited(1, "error", time.Now()); limited {
			t.Errorf("limited: %+v", limit)
		}
		source.err = nil
		source.snapshot.Limits = []keyring.Limit{{Project: 1, Until: time.Now().Add(time.Hour), Reason: "q"}}
		time.Sleep(keysRetry)
		ask(t, k, goodKey)
		if _, limited := k.Limited(1, "error", time.Now()); !limited {
			t.Error("a quota goes unnoticed")
		}
		older := source.snapshot
		source.snapshot = keyring.Snapshot{At: older.At.Add(-time.Second)}
		time.Sleep(keysEvery)
		if got, _ := ask(t, k, goodKey); got != edge.KeyActive {
			t.Errorf("an older snapshot replaced a newer one: %v", got)
		}
	})
}

// TestBothSources checks that either source stands in for the other.
func TestBothSources(t *testing.T) {
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		replica, bucket error
		keys            []keyring.Status // of goodKey, newKey
		limited         bool
	}{
		{nil, nil, []keyring.Status{keyring.Active, keyring.Active}, true},
		{errSource, nil, []keyring.Status{keyring.Active, keyring.Unknown}, true},
		{nil, errSource, []keyring.Status{keyring.Active, keyring.Active}, false},
		{errSource, errSource, nil, false},
	} {
		both := &bothSources{
			replica: &scriptedSource{err: tt.replica, snapshot: keyring.Snapshot{At: at.Add(time.Minute), Keys: []keyring.Key{
				{Project: 1, Public: goodKey, Enabled: true}, {Project: 1, Public: newKey, Enabled: true}}}},
			bucket: &scriptedSource{err: tt.bucket, snapshot: keyring.Snapshot{At: at,
				Keys:   []keyring.Key{{Project: 1, Public: goodKey, Enabled: true}},
				Limits: []keyring.Limit{{Project: 1, Until: at.Add(time.Hour), Reason: "q"}}}},
		}
		snapshot, err := both.read(t.Context())
		if tt.keys == nil {
			if !errors.Is(err, errSource) {
				t.Errorf("neither: %+v, %v", snapshot, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		ring := keyring.NewRing(snapshot)
		for i, key := range []string{goodKey, newKey} {
			if got := ring.Lookup(event.ProjectID(1), key); got != tt.keys[i] {
				t.Errorf("replica %v, bucket %v: %.4s… is %v", tt.replica, tt.bucket, key, got)
			}
		}
		if _, limited := ring.Limited(1, "error", at); limited != tt.limited {
			t.Errorf("replica %v, bucket %v: limited %v", tt.replica, tt.bucket, limited)
		}
	}
}

// TestQuotasOfKeys: the quotas that come with the keys are what the edge counts
// against, and those that were known last hold while nothing newer can be read.
func TestQuotasOfKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, k := keysRig()
		k.meter = quota.NewMeter()
		quotas := func(used int64) {
			source.snapshot.QuotasAt = time.Now()
			source.snapshot.Quotas = []quota.Quota{{Project: 1, Class: quota.Events, Window: quota.Hour, Limit: 10, Used: used}}
		}
		taken := func() (n int) {
			ask(t, k, goodKey)
			for n < 100 {
				if _, over := k.meter.Take(1, quota.Events, time.Now()); over {
					return n
				}
				n++
			}
			return n
		}
		quotas(4)
		if n := taken(); n != 6 {
			t.Errorf("%d taken, 6 were left", n)
		}
		time.Sleep(2 * keysEvery)
		quotas(4) // a digester that stands still: then each edge has the whole limit, but no more
		if n := taken(); n != 4 {
			t.Errorf("%d taken, 4 were left", n)
		}
		time.Sleep(2 * keysEvery)
		alone := &bothSources{replica: source, bucket: &scriptedSource{err: errSource}}
		source.snapshot.Quotas, source.snapshot.QuotasAt = nil, time.Time{}
		k.source = alone
		if n := taken(); n != 0 {
			t.Errorf("%d taken while the quotas are out of reach", n)
		}
	})
}
