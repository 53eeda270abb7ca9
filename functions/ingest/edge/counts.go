package edge

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// The bounds of what is counted between two flushes and, for the words that clients
// choose, in a process's life. Over them a count loses its particulars, never its
// number.
const (
	maxCounters      = 4096
	maxClientReasons = 32
)

const reasonOther = "other"

// counter adds up the outcomes of items that were not queued as events.
type counter struct {
	mu      sync.Mutex
	counts  map[countKey]int64  // guarded by mu
	reasons map[string]struct{} // words of clients that the protocol does not know; guarded by mu
}

// countKey is a wire.Count without its quantity.
type countKey struct {
	project  event.ProjectID
	category string
	outcome  wire.Outcome
	reason   string
	hour     time.Time
}

// hourOf returns the hour to count under.
func hourOf(now time.Time) time.Time { return now.UTC().Truncate(time.Hour) }

func newCounter() *counter {
	return &counter{counts: map[countKey]int64{}, reasons: map[string]struct{}{}}
}

// add counts. The quantity may come from a client: it is brought between 1 and
// maxQuantity.
func (c *counter) add(k countKey, quantity int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addLocked(k, min(max(quantity, 1), maxQuantity))
}

func (c *counter) addLocked(k countKey, quantity int64) {
	if _, ok := c.counts[k]; !ok && len(c.counts) >= maxCounters {
		k = countKey{category: categoryDefault, outcome: k.outcome, reason: reasonOther, hour: k.hour}
	}
	c.counts[k] += quantity
}

// addClient counts what a client says it lost, in its own word for the reason.
func (c *counter) addClient(k countKey, reason string, quantity int64) {
	k.outcome, k.reason = wire.OutcomeClient, c.clientReason(reason)
	c.add(k, quantity)
}

// clientReason returns the word to count under. Words that are not the protocol's are
// taken over as long as there are few.
func (c *counter) clientReason(word string) string {
	word = plainWord(word)
	if knownReason(word) {
		return word
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.reasons[word]; !ok {
		if len(c.reasons) >= maxClientReasons {
			return reasonOther
		}
		c.reasons[word] = struct{}{}
	}
	return word
}

// plainWord reduces a client's word to lower-case letters, digits and underscores.
func plainWord(word string) string {
	word = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, word[:min(len(word), maxReason)])
	if word == "" {
		return reasonOther
	}
	return word
}

// knownReason reports whether a word is one that SDKs use.
func knownReason(word string) bool {
	switch word {
	case "before_send", "event_processor", "sample_rate", "queue_overflow", "cache_overflow", "buffer_overflow",
		"ratelimit_backoff", "network_error", "send_error", "internal_sdk_error", "insufficient_data",
		"backpressure", "no_parent_span", "ignored", "invalid", "too_big", reasonOther:
		return true
	}
	return false
}

// take returns everything counted and begins anew; nil if nothing was. The map it
// returns is the caller's alone.
func (c *counter) take() map[countKey]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.counts) == 0 {
		return nil
	}
	taken := c.counts
	c.counts = map[countKey]int64{}
	return taken
}

// giveBack undoes take.
func (c *counter) giveBack(taken map[countKey]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, quantity := range taken {
		c.addLocked(k, quantity)
	}
}

// FlushCounts sends what was counted since the last flush as one message, nothing
// when there is nothing. When the Sender fails the counts are kept for the next
// flush; should that failed message have arrived all the same they are counted
// twice, which counts can bear and events cannot.
func (h *Handler) FlushCounts(ctx context.Context) error {
	taken := h.counts.take()
	if len(taken) == 0 {
		return nil
	}
	counts := make([]wire.Count, 0, len(taken))
	for k, quantity := range taken {
		counts = append(counts, wire.Count{
			Project: k.project, Category: k.category, Outcome: k.outcome, Reason: k.reason, Quantity: quantity, Hour: k.hour,
		})
	}
	if err := h.sendCounts(ctx, counts); err != nil {
		h.counts.giveBack(taken)
		return fmt.Errorf("sending counts: %w", err)
	}
	return nil
}

func (h *Handler) sendCounts(ctx context.Context, counts []wire.Count) error {
	plain, err := wire.EncodeCounts(counts)
	if err != nil {
		return err
	}
	message := &wire.Message{Kind: wire.KindCounts, EventID: newID(), ReceivedAt: h.cfg.Now(), Region: h.cfg.Region}
	message.Body, message.Encoding = h.cfg.Codec.Compress(plain)
	return h.cfg.Sender.Send(ctx, []*wire.Message{message})
}
