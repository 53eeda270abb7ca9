//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/getsentry/sentry-go"
	sentryhttp "github.com/getsentry/sentry-go/http"
)

// goShop is a program that reports with sentry-go, in this process.
type goShop struct {
	hub    *sentry.Hub
	events chan string // ids of what was sent
	sent   expectation // the last handled error
}

func newGoShop(t *testing.T, dsn string) *goShop {
	t.Helper()
	s := &goShop{events: make(chan string, 8)}
	client, err := sentry.NewClient(sentry.ClientOptions{
		Dsn: dsn, Release: release, Environment: environment,
		BeforeSend: func(e *sentry.Event, _ *sentry.EventHint) *sentry.Event {
			s.events <- string(e.EventID)
			return e
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s.hub = sentry.NewHub(client, sentry.NewScope())
	s.hub.ConfigureScope(func(scope *sentry.Scope) {
		scope.SetUser(sentry.User{ID: "4711", Username: "jo", Email: "jo@example.com"})
		scope.SetTag("shop", "north")
	})
	s.hub.AddBreadcrumb(&sentry.Breadcrumb{
		Category: "cart", Message: "added blue-kettle to the cart", Data: map[string]any{"quantity": 3},
	}, nil)
	return s
}

// flush waits until everything is sent and returns the id of the one event.
func (s *goShop) flush(t *testing.T) string {
	t.Helper()
	if !s.hub.Flush(5 * time.Second) {
		t.Fatal("sentry-go could not send everything within 5 seconds")
	}
	if n := len(s.events); n != 1 {
		t.Fatalf("sentry-go sent %d events, want 1", n)
	}
	return <-s.events
}

// handled reports a wrapped error.
func (s *goShop) handled(t *testing.T) expectation {
	t.Helper()
	reportOrder(s.hub)
	s.sent = expectation{
		EventID: s.flush(t),
		Type:    "*fmt.wrapError", Value: "order 1001 cannot be checked out: only 2 of blue-kettle left",
		Cause: "*errors.errorString", CauseValue: "only 2 of blue-kettle left",
		Function: "reportOrder",
	}.reportedBy("sentry.go", "error")
	return s.sent
}

// unhandled panics in an HTTP handler behind the SDK's middleware.
func (s *goShop) unhandled(t *testing.T) expectation {
	t.Helper()
	invoices := sentryhttp.New(sentryhttp.Options{}).HandleFunc(serveInvoice)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		invoices.ServeHTTP(w, r.WithContext(sentry.SetHubOnContext(r.Context(), s.hub.Clone())))
	}))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/invoice?order=1001", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return expectation{
		EventID: s.flush(t),
		Type:    "runtime.boundsError", Value: "runtime error: index out of range [2] with length 2",
		Function: "serveInvoice",
		Request:  "/invoice",
	}.reportedBy("sentry.go", "fatal")
}

func reportOrder(hub *sentry.Hub) {
	if err := checkOut(1001); err != nil {
		hub.CaptureException(err)
	}
}

func checkOut(order int) error {
	if err := reserve(); err != nil {
		return fmt.Errorf("order %d cannot be checked out: %w", order, err)
	}
	return nil
}

func reserve() error { return errors.New("only 2 of blue-kettle left") }

func serveInvoice(w http.ResponseWriter, r *http.Request) {
	lines := []string{"blue-kettle", r.FormValue("order")}
	fmt.Fprintln(w, lines[len(lines)])
}
