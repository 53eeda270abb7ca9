package edge

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/quota"
	"sundew/schema/wire"
)

// metered has an edge count, with limits of project 9.
func metered(limits quota.Limits, installation quota.Limits) (*quota.Meter, func(*Config)) {
	m := quota.NewMeter()
	m.Set(append(limits.Quotas(9), installation.Quotas(quota.Installation)...), time.Time{})
	return m, func(c *Config) { c.Quotas = m }
}

// TestMeter checks that an edge stops by itself, item by item, while everything behind
// it stands still.
func TestMeter(t *testing.T) {
	var limits, all quota.Limits
	limits[quota.Events][quota.FiveMinutes], limits[quota.Attachments][quota.Hour] = 2, 1
	all[quota.Feedback][quota.Hour] = 1
	_, configure := metered(limits, all)
	b := newRig(t, configure)
	const file = `{"type":"attachment","length":1,"filename":"a"}`
	const feedback = `{"contexts":{"feedback":{"message":"hi"}}}`
	envelope := envelopeOf(`{"type":"event"}`, eventJSON(idA), file, "x", `{"type":"feedback"}`, feedback, `{"type":"session"}`, "{}")
	for _, tt := range []struct {
		path, body string
		status     int
		queued     int
		header     string
		counts     map[string]int64
	}{
		{"/api/9/envelope/", envelope, 200, 3, "", map[string]int64{"session/unstored/unsupported": 1}},
		// One more event, but neither file nor feedback.
		{"/api/9/envelope/", envelope, 429, 1, "3600:attachment:project:project_quota, 3600:feedback:organization:installation_quota",
			map[string]int64{"attachment/limited/project_quota": 1, "feedback/limited/installation_quota": 1, "session/unstored/unsupported": 1}},
		{"/api/9/store/", eventJSON(idB), 429, 0, "305:error;default;security:project:project_quota", map[string]int64{"error/limited/project_quota": 1}},
		{"/api/9/security/", `{"csp-report":{}}`, 429, 0, "305:error;default;security:project:project_quota", map[string]int64{"security/limited/project_quota": 1}},
		{"/api/9/store/", `{"type":"transaction"}`, 200, 0, "", map[string]int64{"transaction/unstored/unsupported": 1}},
	} {
		before := len(b.queue.got)
		w := b.post(tt.path, tt.body)
		if queued := len(b.queue.got) - before; w.Code != tt.status || queued != tt.queued {
			t.Errorf("%s: status %d with %d queued, want %d with %d: %s", tt.path, w.Code, queued, tt.status, tt.queued, w.Body)
		}
		if got := w.Header().Get("X-Sentry-Rate-Limits"); got != tt.header {
			t.Errorf("%s: X-Sentry-Rate-Limits %q, want %q", tt.path, got, tt.header)
		}
		if diff := cmp.Diff(tt.counts, b.flushed()); diff != "" {
			t.Errorf("%s: counts (-want +got):\n%s", tt.path, diff)
		}
	}
	b.now = b.now.Add(305 * time.Second)
	if w := b.post("/api/9/store/", eventJSON(idB)); w.Code != http.StatusOK {
		t.Errorf("when there is room again: status %d", w.Code)
	}
}

// TestMeterGivesBack checks that what could not be queued, or was left out by the rate
// limit, uses nothing up.
func TestMeterGivesBack(t *testing.T) {
	var limits quota.Limits
	limits[quota.Events][quota.Hour] = 1
	_, configure := metered(limits, quota.Limits{})
	fails := &failingSender{}
	b := newRig(t, func(c *Config) {
		configure(c)
		c.Sender = fails
	})
	for range 3 {
		if w := b.post("/api/9/store/", eventJSON(idA)); w.Code != http.StatusServiceUnavailable {
			t.Fatalf("status %d", w.Code)
		}
	}
	b = newRig(t, func(c *Config) {
		configure(c)
		c.KeyRate = 0.01
	})
	if w := b.post("/api/9/envelope/", envelopeOf(`{"type":"event"}`, eventJSON(idA), `{"type":"event"}`, eventJSON(idB))); w.Code != 429 || len(b.queue.got) != 1 {
		t.Fatalf("status %d with %d queued", w.Code, len(b.queue.got))
	}
	if got := b.flushed(); got["error/limited/key_quota"] != 1 {
		t.Errorf("counts %v", got)
	}
	// A key that nobody vouches for uses nothing up either.
	m, configure := metered(limits, quota.Limits{})
	b = newRig(t, configure)
	for range 3 {
		if w := b.post("/api/9/store/", eventJSON(idA), "X-Sentry-Auth", "Sentry sentry_key="+undecidedKey); w.Code != http.StatusOK {
			t.Fatalf("status %d", w.Code)
		}
	}
	if over := m.Over(b.now); len(over) > 0 {
		t.Errorf("over: %v", over)
	}
}

// failingSender is a queue that takes nothing.
type failingSender struct{}

func (*failingSender) Send(context.Context, []*wire.Message) error { return errors.New("no") }

// countingSender is a queue that many may use.
type countingSender struct{ n atomic.Int64 }

func (s *countingSender) Send(_ context.Context, messages []*wire.Message) error {
	s.n.Add(int64(len(messages)))
	return nil
}

// TestMeterRace checks that many requests at once do not pass together what they may
// not one by one.
func TestMeterRace(t *testing.T) {
	var limits quota.Limits
	limits[quota.Events][quota.Hour] = 100
	_, configure := metered(limits, quota.Limits{})
	var sent countingSender
	b := newRig(t, func(c *Config) {
		configure(c)
		c.Sender = &sent
	})
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 100 {
				b.post("/api/9/envelope/", envelopeOf(`{"type":"event"}`, eventJSON(idA), `{"type":"event"}`, eventJSON(idB)))
			}
		})
	}
	clients.Wait()
	if n := sent.n.Load(); n != 100 {
		t.Errorf("%d of 1,600 were accepted, 100 may be", n)
	}
	if !strings.HasPrefix(b.post("/api/9/store/", eventJSON(idA)).Header().Get("X-Sentry-Rate-Limits"), "36") {
		t.Error("the answer does not say for how long")
	}
}
