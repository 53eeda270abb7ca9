package edge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/wire"
)

// TestCounts checks under what every kind of item is counted.
func TestCounts(t *testing.T) {
	b := newRig(t, nil)
	lines := []string{`{"type":"event"}`, "{}"}
	for _, kind := range []string{
		"unreal_report", "check_in", "session", "sessions", "transaction", "profile", "profile_chunk",
		"replay_event", "replay_recording", "trace_metric", "statsd", "brand_new_thing", "raw_security",
	} {
		lines = append(lines, `{"type":"`+kind+`"}`, "x")
	}
	lines = append(lines,
		`{"type":"log","item_count":12}`, "x", `{"item_count":3,"type":"span"}`, "x",
		`{"type":"log","item_count":99999999999}`, "x", `{"type":"span","item_count":"x"}`, "x", `{"type":"span","item_count":-5}`, "x")
	if w := b.post("/api/9/envelope/", envelopeOf(lines...)); w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	want := map[string]int64{
		"attachment/unstored/unsupported": 1, "monitor/unstored/unsupported": 1,
		"session/unstored/unsupported": 2, "transaction/unstored/unsupported": 1, "profile/unstored/unsupported": 1,
		"profile_chunk/unstored/unsupported": 1, "replay/unstored/unsupported": 2, "trace_metric/unstored/unsupported": 1,
		"metric_bucket/unstored/unsupported": 1, "default/unstored/unsupported": 1, "security/unstored/unsupported": 1,
		"log_item/unstored/unsupported": 12 + maxQuantity, "span/unstored/unsupported": 3 + 1 + 1,
	}
	if diff := cmp.Diff(want, b.flushed()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	calls := b.queue.calls
	if got := b.flushed(); len(got) != 0 || b.queue.calls != calls {
		t.Errorf("a second flush sent %v", got)
	}
}

func TestClientReports(t *testing.T) {
	b := newRig(t, nil)
	report := func(payload string) int {
		return b.post("/api/9/envelope/", "{}\n{\"type\":\"client_report\"}\n"+payload).Code
	}
	for _, payload := range []string{
		`{"timestamp":1,"discarded_events":[{"reason":"before_send","category":"error","quantity":4},{"reason":"Odd one!","category":"nonsense","quantity":2}]}`,
		`{"rate_limited_events":[{"reason":"ratelimit_backoff","category":"monitor","quantity":1}],"filtered_events":[{"reason":"","category":"error","quantity":1e99}]}`,
		`{"discarded_events":[{"reason":7,"category":"span","quantity":"x"},{"reason":"sample_rate","category":"span","quantity":3.0},{"quantity":-5}]}`,
		`{"discarded_events":{}}`, `[]`, `null`,
		`{`,
		`{"x":"` + strings.Repeat("x", 4<<10) + `"}`,
	} {
		if status := report(payload); status != http.StatusOK {
			t.Errorf("%.60s: status %d", payload, status)
		}
	}
	want := map[string]int64{
		"error/client_lost/before_send": 4, "default/client_lost/odd_one_": 2, "monitor/client_lost/ratelimit_backoff": 1,
		"error/client_lost/other": maxQuantity, "span/client_lost/sample_rate": 3,
		"internal/refused/bad_json": 1, "internal/refused/too_large": 1,
	}
	if diff := cmp.Diff(want, b.flushed()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// TestCountsBounded checks that clients cannot make the books grow.
func TestCountsBounded(t *testing.T) {
	b := newRig(t, nil)
	const reports = 100
	for i := range reports {
		b.post("/api/9/envelope/", fmt.Sprintf("{}\n{\"type\":\"client_report\"}\n"+
			`{"discarded_events":[{"reason":"r%d%s","category":"error","quantity":1},{"reason":"before_send","category":"c%d","quantity":1}]}`,
			i, strings.Repeat("x", 100), i))
	}
	counts := b.flushed()
	if len(counts) != maxClientReasons+2 || counts["error/client_lost/other"] != reports-maxClientReasons || counts["default/client_lost/before_send"] != reports {
		t.Errorf("%d counts: %v", len(counts), counts)
	}
	for name := range counts {
		if len(name) > len("default/client_lost/")+maxReason {
			t.Errorf("a reason is too long: %s", name)
		}
	}
	// An undecided key names any project it likes.
	for i := range maxCounters + 100 {
		b.post(fmt.Sprintf("/api/%d/envelope/", i+1), "{}\n{\"type\":\"session\"}\n", "X-Sentry-Auth", "Sentry sentry_key="+undecidedKey)
	}
	if got := len(b.handler.counts.counts); got != maxCounters+1 {
		t.Errorf("%d counters", got)
	}
	if got := b.flushed(); got["session/unstored/unsupported"] != maxCounters || got["-default/unstored/other"] != 100 {
		t.Errorf("counts %v", got)
	}
}

// TestFlushFails injects a failing queue, with and without effect: no count is lost.
func TestFlushFails(t *testing.T) {
	for _, applied := range []bool{false, true} {
		b := newRig(t, nil)
		session := envelopeOf(`{"type":"session"}`, "{}")
		b.post("/api/9/envelope/", session)
		b.queue.fail = func() (bool, error) { return applied, errQueueDown }
		if err := b.handler.FlushCounts(t.Context()); !errors.Is(err, errQueueDown) {
			t.Errorf("flush: %v", err)
		}
		b.post("/api/9/envelope/", session)
		b.queue.fail = nil
		if got := b.flushed()["session/unstored/unsupported"]; got != 2 {
			t.Errorf("applied %v: %d counted after the failure", applied, got)
		}
	}
}

// TestQueueFails injects a failing queue into requests: never an id for an event that
// may not be there.
func TestQueueFails(t *testing.T) {
	for _, applied := range []bool{false, true} {
		b := newRig(t, nil)
		b.queue.fail = func() (bool, error) { return applied, errQueueDown }
		w := b.post("/api/9/envelope/", envelopeOf(`{"type":"event"}`, "{}", `{"type":"event"}`, "{}", `{"type":"session"}`, "{}"))
		if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), errQueueDown.Error()) || w.Header().Get("Retry-After") != "" {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if got := len(b.queue.got); got != map[bool]int{false: 0, true: 2}[applied] {
			t.Errorf("applied %v: %d events", applied, got)
		}
		// What needs no queue goes on.
		if w := b.post("/api/9/envelope/", envelopeOf(`{"type":"session"}`, "{}")); w.Code != http.StatusOK {
			t.Errorf("session: status %d", w.Code)
		}
		b.queue.fail = nil
		want := map[string]int64{"error/refused/queue_unavailable": 2, "session/unstored/unsupported": 2}
		if diff := cmp.Diff(want, b.flushed()); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
	}
}

// TestCancelledRequest checks that an event that has arrived is queued although its
// client does not wait for the answer.
func TestCancelledRequest(t *testing.T) {
	b := newRig(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/9/store/", strings.NewReader("{}"))
	r.Header.Set("X-Sentry-Auth", testAuth)
	if w := b.do(r); w.Code != http.StatusOK || len(b.queue.got) != 1 {
		t.Errorf("status %d with %d events", w.Code, len(b.queue.got))
	}
}

// TestHours checks that counts stay apart by the hour in which they were made.
func TestHours(t *testing.T) {
	b := newRig(t, nil)
	session := envelopeOf(`{"type":"session"}`, "{}")
	b.post("/api/9/envelope/", session)
	b.now = b.now.Add(40 * 60e9)
	b.post("/api/9/envelope/", session)
	if err := b.handler.FlushCounts(t.Context()); err != nil {
		t.Fatal(err)
	}
	counts, err := wire.DecodeCounts([]byte(b.plain(b.queue.got[0])))
	if err != nil || len(counts) != 2 || counts[0].Hour.Sub(counts[1].Hour).Abs().Hours() != 1 || counts[0].Hour.Minute() != 0 {
		t.Errorf("counts %+v, %v", counts, err)
	}
}
