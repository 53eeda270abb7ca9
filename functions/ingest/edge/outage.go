package edge

import (
	"sync"
	"time"
)

// outageEvery is how often the log says that requests are refused for a reason of
// our own. On a full disk every request is, and lines about it would fill it further.
const outageEvery = time.Second

// outages decides which refusals of our own doing get a line in the log. The counts
// have all of them.
type outages struct {
	mu       sync.Mutex
	byReason map[string]outage // guarded by mu; the reasons are few
}

// outage is what the log does not say yet.
type outage struct {
	logged   time.Time // when the last line was written
	unlogged int64     // refusals since then
}

func newOutages() *outages { return &outages{byReason: map[string]outage{}} }

// line reports whether a refusal gets a line, and how many before it got none.
func (o *outages) line(reason string, now time.Time) (unlogged int64, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	last, known := o.byReason[reason]
	if known && now.Sub(last.logged).Abs() < outageEvery {
		last.unlogged++
		o.byReason[reason] = last
		return 0, false
	}
	o.byReason[reason] = outage{logged: now}
	return last.unlogged, true
}
