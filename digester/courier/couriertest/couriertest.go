// Package couriertest has a service on loopback to bring messages to, and a courier who
// goes there.
//
// It exists so that tests of what sets up channels try them over HTTP, as people do.
package couriertest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"sundew/digester/courier"
	"sundew/digester/outbound"
)

// Hook is a service that takes messages.
type Hook struct {
	URL string // with a path that is secret, "…/hooks/very-secret-path"

	mu     sync.Mutex
	status int     // of its answers; guarded by mu
	visits []Visit // guarded by mu
}

// Visit is a request that a Hook got.
type Visit struct {
	Header http.Header
	Body   string
}

// NewHook starts a service that answers a text with status 200, until the test ends.
func NewHook(t testing.TB, text string) *Hook {
	t.Helper()
	h := &Hook{status: http.StatusOK}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.visits = append(h.visits, Visit{r.Header, string(body)})
		w.WriteHeader(h.status)
		io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	h.URL = server.URL + "/hooks/very-secret-path"
	return h
}

// Answer makes status the one of later answers.
func (h *Hook) Answer(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

// Visits are the requests so far.
func (h *Hook) Visits() []Visit {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.visits)
}

// NewClient returns a client that goes to loopback, and nowhere else that is private.
func NewClient(t testing.TB) *outbound.Client {
	t.Helper()
	networks, err := outbound.Parse("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	return outbound.New(outbound.Config{Networks: networks})
}

// Run lets a courier run until the test ends.
func Run(t testing.TB, c *courier.Courier) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
}
