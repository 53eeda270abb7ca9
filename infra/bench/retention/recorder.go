package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"sundew/digester/store"
)

// digestWrite names the transactions of events.
const digestWrite = "digest"

// part is a stage of a kind of writes.
type part struct {
	stage store.Stage
	why   string
}

// recorder keeps how long each write waited and took. It is safe for concurrent use.
type recorder struct {
	mu    sync.Mutex
	times map[part][]time.Duration // guarded by mu
}

func (r *recorder) observe(stage store.Stage, why string, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.times == nil {
		r.times = make(map[part][]time.Duration)
	}
	r.times[part{stage, why}] = append(r.times[part{stage, why}], took)
}

func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.times = nil
}

func (r *recorder) longest(stage store.Stage, why string) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Max(append(r.times[part{stage, why}], 0))
}

// pulse records, until ctx is done, how much later than asked for a goroutine of this
// process wakes up: what a busy machine adds to every other number.
func (r *recorder) pulse(ctx context.Context) {
	const every = time.Millisecond
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := time.Now()
		r.observe("late", "a pulse", max(0, now.Sub(last)-every))
		last = now
	}
}

// print writes a table of everything since reset.
func (r *recorder) print(out io.Writer, title string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(out, "%s:\n%-34s %8s %9s %9s %9s  ms\n", title, "", "times", "median", "p99", "longest")
	var parts []part
	for p := range r.times {
		parts = append(parts, p)
	}
	slices.SortFunc(parts, func(a, b part) int {
		return strings.Compare(a.why+string(a.stage), b.why+string(b.stage))
	})
	for _, p := range parts {
		all := slices.Clone(r.times[p])
		slices.Sort(all)
		fmt.Fprintf(out, "%-34s %8d %9.2f %9.2f %9.2f\n", p.why+", "+string(p.stage), len(all),
			milliseconds(all[len(all)/2]), milliseconds(all[len(all)*99/100]), milliseconds(all[len(all)-1]))
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
