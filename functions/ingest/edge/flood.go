package edge

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"sundew/schema/event"
)

// floods keeps a token bucket for each key that is known to be good, so there are
// never more of them than keys. Its zero value limits nothing.
type floods struct {
	rate  rate.Limit
	burst int

	mu      sync.Mutex
	buckets map[bucketKey]*rate.Limiter // guarded by mu
}

type bucketKey struct {
	project event.ProjectID
	key     string
}

// newFloods returns the buckets for perSecond events a second and key, none when
// that is not positive.
func newFloods(perSecond float64, burst int) *floods {
	if perSecond <= 0 {
		return &floods{}
	}
	if burst <= 0 {
		burst = int(math.Ceil(min(perSecond, math.MaxInt32)))
	}
	return &floods{rate: rate.Limit(perSecond), burst: burst, buckets: map[bucketKey]*rate.Limiter{}}
}

// bucket returns the bucket of an active key, nil when there is no limit.
func (f *floods) bucket(project event.ProjectID, key string) *rate.Limiter {
	if f.rate == 0 {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	k := bucketKey{project, key}
	limiter, ok := f.buckets[k]
	if !ok {
		limiter = rate.NewLimiter(f.rate, f.burst)
		f.buckets[k] = limiter
	}
	return limiter
}

// retryAfter returns the seconds until the bucket has a token again, 1 to maxPause.
func retryAfter(bucket *rate.Limiter, now time.Time) int {
	missing := 1 - bucket.TokensAt(now)
	seconds := math.Ceil(missing / float64(bucket.Limit()))
	return int(min(max(seconds, 1), maxPause))
}
