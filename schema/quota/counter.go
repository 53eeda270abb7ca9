package quota

import (
	"slices"
	"time"
)

// steps is how finely a window is counted.
const steps = 60

// counter counts one window: the step under way and the sixty before it. Its zero
// value has counted nothing.
type counter struct {
	newest int64            // the number of the newest step
	counts [steps + 1]int64 // of the newest step and those before it, at number mod len
}

// Uses is what a counter has counted, to be written down and read again: Counts end
// with those of step Newest.
type Uses struct {
	Newest int64   `json:"newest"`
	Counts []int64 `json:"counts"`
}

func stepOf(at time.Time, w Window) int64 { return at.UnixMilli() / w.step().Milliseconds() }

func place(step int64) int { return int(((step % (steps + 1)) + steps + 1) % (steps + 1)) }

// add counts n items of a step; what is too old for the window counts for nothing.
func (c *counter) add(step, n int64) {
	if step > c.newest {
		for s := max(c.newest+1, step-steps); s <= step; s++ {
			c.counts[place(s)] = 0
		}
		c.newest = step
	}
	if step < c.newest-steps {
		return
	}
	i := place(step)
	c.counts[i] = max(0, c.counts[i]+n)
}

// sum returns what was counted in steps from to to, inclusive.
func (c *counter) sum(from, to int64) (n int64) {
	for s := max(from, c.newest-steps); s <= min(to, c.newest); s++ {
		n += c.counts[place(s)]
	}
	return n
}

// room returns the first step at which the window has less than limit, if nothing
// more is counted.
func (c *counter) room(now, limit int64) int64 {
	left := c.sum(now-steps, max(now, c.newest))
	for s := max(now, c.newest) - steps; left >= limit && s <= c.newest; s++ {
		if s >= c.newest-steps {
			left -= c.counts[place(s)]
		}
		if left < limit {
			return s + steps + 1
		}
	}
	return now + 1
}

// uses returns what is counted, without the steps before the first count.
func (c *counter) uses() Uses {
	u := Uses{Newest: c.newest}
	for s := c.newest - steps; s <= c.newest; s++ {
		if n := c.counts[place(s)]; n != 0 || len(u.Counts) > 0 {
			u.Counts = append(u.Counts, n)
		}
	}
	return u
}

// load makes the counter what uses returned. What is written down may be of another
// version of this program: more steps than there are count for nothing.
func (c *counter) load(u Uses) {
	*c = counter{newest: u.Newest}
	for i, n := range slices.Backward(u.Counts) {
		step := u.Newest - int64(len(u.Counts)-1-i)
		if step < u.Newest-steps {
			return
		}
		c.counts[place(step)] = max(0, n)
	}
}
