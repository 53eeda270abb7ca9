package edge

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/corpus"
)

// TestFlood drives a key into its limit and out of it again.
func TestFlood(t *testing.T) {
	b := newRig(t, func(c *Config) { c.KeyRate, c.KeyBurst = 0.5, 2 })
	ev := `{"type":"event"}`
	session := []string{`{"type":"session"}`, "{}"}
	three := envelopeOf(append([]string{ev, eventJSON(idA), ev, eventJSON(idA), ev, eventJSON(idB)}, session...)...)

	w := b.post("/api/9/envelope/", three)
	if w.Code != http.StatusTooManyRequests || len(b.queue.got) != 2 {
		t.Fatalf("status %d with %d events, want 429 with 2", w.Code, len(b.queue.got))
	}
	if got := w.Header().Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After %q", got)
	}
	if got := w.Header().Get("X-Sentry-Rate-Limits"); got != "2:error;security;default;attachment;feedback:key:key_quota" {
		t.Errorf("X-Sentry-Rate-Limits %q", got)
	}
	// What is not an event goes on, other projects and bad events too.
	for path, want := range map[string]int{"/api/9/envelope/": 200, "/api/8/envelope/": 200} {
		if w := b.post(path, envelopeOf(session...)); w.Code != want {
			t.Errorf("session to %s: status %d", path, w.Code)
		}
	}
	if w := b.post("/api/8/store/", "{}"); w.Code != http.StatusOK {
		t.Errorf("another project's event: status %d", w.Code)
	}
	if w := b.post("/api/9/store/", "{}"); w.Code != http.StatusTooManyRequests {
		t.Errorf("store over the limit: status %d", w.Code)
	}
	if w := b.post("/api/9/security/", `{"csp-report":{}}`); w.Code != http.StatusTooManyRequests {
		t.Errorf("report over the limit: status %d", w.Code)
	}
	want := map[string]int64{
		"error/limited/key_quota": 2, "security/limited/key_quota": 1, "session/unstored/unsupported": 3,
	}
	if diff := cmp.Diff(want, b.flushed()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	b.now = b.now.Add(2 * time.Second)
	if w := b.post("/api/9/store/", "{}"); w.Code != http.StatusOK {
		t.Errorf("after Retry-After: status %d", w.Code)
	}
}

// TestFloodMemory checks that only keys that exist cost memory.
func TestFloodMemory(t *testing.T) {
	b := newRig(t, func(c *Config) { c.KeyRate = 1 })
	for _, key := range []string{undecidedKey, disabledKey, "ffffffffffffffffffffffffffffffff", corpus.Key} {
		for range 3 {
			b.post("/api/9/store/", "{}", "X-Sentry-Auth", "Sentry sentry_key="+key)
		}
	}
	if got := len(b.handler.floods.buckets); got != 1 {
		t.Errorf("%d buckets", got)
	}
	if got := len(b.queue.got); got != 3+1 {
		t.Errorf("%d events, want 3 of the undecided key and 1 of the known one", got)
	}
}
