package api

import (
	"sync"
	"time"
)

// perMinute is how many requests a token has in a minute: many times what a person's
// tools need, and less than what would keep a machine busy.
const perMinute = 1800

// maxCounted bounds for how many tokens requests are counted.
const maxCounted = 10_000

// limits counts the requests of each token, in minutes by the clock. With most its
// zero value is ready; it is safe for concurrent use.
type limits struct {
	most int

	mu     sync.Mutex
	minute time.Time     // guarded by mu
	counts map[int64]int // of that minute; guarded by mu
}

// quota is what a token has left of a minute.
type quota struct {
	most, left int
	reset      time.Time
	refused    bool
}

// take counts one request of a token.
func (l *limits) take(token int64, now time.Time) quota {
	minute := now.Truncate(time.Minute)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !minute.Equal(l.minute) || len(l.counts) >= maxCounted {
		l.minute, l.counts = minute, make(map[int64]int)
	}
	q := quota{most: l.most, reset: minute.Add(time.Minute)}
	if l.counts[token] >= l.most {
		q.refused = true
		return q
	}
	l.counts[token]++
	q.left = l.most - l.counts[token]
	return q
}
