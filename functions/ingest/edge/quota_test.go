package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"sundew/schema/keyring"
	"sundew/schema/wire"
)

// TestQuotas checks that what a project may not report is left out, said and counted,
// and that everything else of the same request is taken.
func TestQuotas(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)
	event := envelopeOf(`{"type":"event"}`, eventJSON(testID))
	mixed := envelopeOf(`{"type":"event"}`, eventJSON(testID), `{"type":"session"}`, "{}",
		`{"type":"client_report"}`, `{"discarded_events":[{"reason":"before_send","category":"error","quantity":4}]}`)
	limit := func(until time.Duration, reason string, categories ...string) keyring.Limit {
		return keyring.Limit{Project: 9, Categories: categories, Until: now.Add(until), Reason: reason}
	}
	for _, tt := range []struct {
		name       string
		limits     []keyring.Limit
		path, body string
		status     int
		queued     int
		header     string
		retry      string
		counts     map[string]int64
	}{
		{"event", []keyring.Limit{limit(90*time.Second, "project_quota", "error", "default")}, "/api/9/envelope/", event,
			429, 0, "90:error;default:project:project_quota", "90", map[string]int64{"error/limited/project_quota": 1}},
		{"store", []keyring.Limit{limit(1500*time.Millisecond, "project_quota", "error")}, "/api/9/store/", eventJSON(testID),
			429, 0, "2:error:project:project_quota", "2", map[string]int64{"error/limited/project_quota": 1}},
		{"store of a transaction", []keyring.Limit{limit(time.Second, "q", "transaction")}, "/api/9/store/", `{"type":"transaction"}`,
			429, 0, "1:transaction:project:q", "1", map[string]int64{"transaction/limited/q": 1}},
		{"security", []keyring.Limit{limit(time.Second, "q", "security")}, "/api/9/security/", `{"csp-report":{}}`,
			429, 0, "1:security:project:q", "1", map[string]int64{"security/limited/q": 1}},
		{"sessions only", []keyring.Limit{limit(time.Minute, "q", "session")}, "/api/9/envelope/", mixed,
			429, 1, "60:session:project:q", "60", map[string]int64{"session/limited/q": 1, "error/client_lost/before_send": 4}},
		{"events only", []keyring.Limit{limit(time.Minute, "q", "error")}, "/api/9/envelope/", mixed,
			429, 0, "60:error:project:q", "60",
			map[string]int64{"error/limited/q": 1, "session/unstored/unsupported": 1, "error/client_lost/before_send": 4}},
		{"everything, for long", []keyring.Limit{limit(1000*time.Hour, "q")}, "/api/9/envelope/", mixed,
			429, 0, "3600::project:q", "3600",
			map[string]int64{"error/limited/q": 1, "session/limited/q": 1, "error/client_lost/before_send": 4}},
		{"two quotas", []keyring.Limit{limit(time.Minute, "a", "error"), limit(time.Second, "b", "session")}, "/api/9/envelope/", mixed,
			429, 0, "60:error:project:a, 1:session:project:b", "1",
			map[string]int64{"error/limited/a": 1, "session/limited/b": 1, "error/client_lost/before_send": 4}},
		{"odd words", []keyring.Limit{limit(time.Second, "a:b,\r\n", "error", "x;y")}, "/api/9/envelope/", event,
			429, 0, "1:error;x_y:project:a_b___", "1", map[string]int64{"error/limited/a_b___": 1}},
		{"another category", []keyring.Limit{limit(time.Second, "q", "session")}, "/api/9/envelope/", event, 200, 1, "", "", map[string]int64{}},
		{"over", []keyring.Limit{limit(0, "q", "error")}, "/api/9/envelope/", event, 200, 1, "", "", map[string]int64{}},
		{"another project", []keyring.Limit{{Project: 8, Until: now.Add(time.Hour), Reason: "q"}}, "/api/9/envelope/", event, 200, 1, "", "", map[string]int64{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newRig(t, func(c *Config) {
				c.Keys = testKeys{quotas: keyring.NewRing(&keyring.Snapshot{Limits: tt.limits})}
			})
			w := b.post(tt.path, tt.body)
			if w.Code != tt.status || len(b.queue.got) != tt.queued {
				t.Errorf("status %d with %d queued, want %d with %d: %s", w.Code, len(b.queue.got), tt.status, tt.queued, w.Body)
			}
			if got := w.Header().Get("X-Sentry-Rate-Limits"); got != tt.header {
				t.Errorf("X-Sentry-Rate-Limits %q, want %q", got, tt.header)
			}
			if got := w.Header().Get("Retry-After"); got != tt.retry {
				t.Errorf("Retry-After %q, want %q", got, tt.retry)
			}
			if diff := cmp.Diff(tt.counts, b.flushed()); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestQuotaAndRate checks that both limits are named when both are met.
func TestQuotaAndRate(t *testing.T) {
	b := newRig(t, func(c *Config) {
		c.KeyRate = 0.1
		c.Keys = testKeys{quotas: keyring.NewRing(&keyring.Snapshot{Limits: []keyring.Limit{
			{Project: 9, Categories: []string{"session"}, Until: time.Date(2026, 11, 21, 9, 31, 0, 0, time.UTC), Reason: "q"}}})}
	})
	w := b.post("/api/9/envelope/", envelopeOf(`{"type":"event"}`, eventJSON(idA), `{"type":"event"}`, eventJSON(idB), `{"type":"session"}`, "{}"))
	const want = "10:error;security;default;attachment;feedback:key:key_quota, 60:session:project:q"
	if got := w.Header().Get("X-Sentry-Rate-Limits"); w.Code != 429 || got != want || len(b.queue.got) != 1 {
		t.Errorf("status %d, X-Sentry-Rate-Limits %q, %d queued", w.Code, got, len(b.queue.got))
	}
}

// TestRefuse checks what wraps the handler and gives up before or after it.
func TestRefuse(t *testing.T) {
	var handlers, requests bytes.Buffer
	b := newRig(t, func(c *Config) { c.Log = zerolog.New(&handlers) })
	for err, want := range map[error]int{
		fmt.Errorf("%w: no path", ErrRequest):     http.StatusBadRequest,
		fmt.Errorf("%w: secret", ErrInternal):     http.StatusInternalServerError,
		errors.New("something else, also secret"): http.StatusInternalServerError,
	} {
		w := httptest.NewRecorder()
		b.handler.Refuse(w, httptest.NewRequest(http.MethodPost, "/", nil), err)
		checkAnswer(t, w)
		if w.Code != want || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%v: status %d: %s", err, w.Code, w.Body)
		}
	}
	want := map[string]int64{"-default/refused/bad_request": 1, "-default/refused/internal": 2}
	if diff := cmp.Diff(want, b.flushed()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	// Of refusals for a reason of our own there is a line a second.
	if got := strings.Count(handlers.String(), "\n"); got != 2 {
		t.Errorf("%d lines: %s", got, &handlers)
	}
	handlers.Reset()
	r := httptest.NewRequest(http.MethodPost, "/nowhere", nil)
	b.do(r.WithContext(zerolog.New(&requests).WithContext(t.Context())))
	if handlers.Len() > 0 || !strings.Contains(requests.String(), "not_found") {
		t.Errorf("the handler's log got %q, the request's %q", &handlers, &requests)
	}
}

// deadlineSender notes until when it may send.
type deadlineSender struct{ deadline time.Time }

func (s *deadlineSender) Send(ctx context.Context, _ []*wire.Message) error {
	s.deadline, _ = ctx.Deadline()
	return ctx.Err()
}

// TestDeadline checks that a Send ends with its request's deadline, though not with
// its request.
func TestDeadline(t *testing.T) {
	sender := &deadlineSender{}
	b := newRig(t, func(c *Config) { c.Sender = sender })
	deadline := time.Now().Add(time.Second)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/9/store/", strings.NewReader("{}"))
	r.Header.Set("X-Sentry-Auth", testAuth)
	if w := b.do(r); w.Code != http.StatusOK || !sender.deadline.Equal(deadline) {
		t.Errorf("status %d, sent until %v, want %v", w.Code, sender.deadline, deadline)
	}
}
