package main

import (
	"sync"
	"time"
)

const (
	// rateEvery is how often a rate looks at its counter, and rateOver how far back it
	// reaches.
	rateEvery = 10 * time.Second
	rateOver  = 5 * time.Minute
)

// rate is how fast a counter grew lately. The zero value knows nothing.
type rate struct {
	mu      sync.Mutex // guards samples
	samples []sample   // the oldest first, none older than rateOver when it was added
}

type sample struct {
	at    time.Time
	count int64
}

// note takes down what the counter is at.
func (r *rate) note(at time.Time, count int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := r.samples[:0]
	for _, s := range r.samples {
		if at.Sub(s.at) <= rateOver {
			kept = append(kept, s)
		}
	}
	r.samples = append(kept, sample{at, count})
}

// perMinute returns the growth a minute, and over how long it was seen.
func (r *rate) perMinute() (float64, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.samples) < 2 {
		return 0, 0
	}
	first, last := r.samples[0], r.samples[len(r.samples)-1]
	over := last.at.Sub(first.at)
	return float64(last.count-first.count) / over.Minutes(), over
}
