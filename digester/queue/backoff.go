package queue

import "time"

// longestBackoff is how long a message that fails again and again is left alone
// at most. Eight deliveries, the usual number before a message is a dead letter,
// take about an hour with a first pause of half a minute.
const longestBackoff = time.Hour

// Backoff returns how long a message is to stay invisible after a delivery that
// came to nothing: first after the first, and twice as long after each further
// one.
func Backoff(first time.Duration, receives int) time.Duration {
	d := first
	for range min(receives, 64) - 1 {
		if d *= 2; d >= longestBackoff {
			return longestBackoff
		}
	}
	return d
}
