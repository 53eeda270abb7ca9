package main

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"sundew/infra/visitor"
)

// receiver takes spans as OTLP says.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex // guards what follows
	spans []*tracepb.Span
	raw   []string
	paths map[string]bool
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{paths: make(map[string]bool)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		var got collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.paths[req.URL.Path] = true
		r.raw = append(r.raw, string(body))
		for _, resource := range got.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				r.spans = append(r.spans, scope.Spans...)
			}
		}
		answer, err := proto.Marshal(&collector.ExportTraceServiceResponse{})
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(answer) // the client went away
	}))
	t.Cleanup(r.Close)
	return r
}

// find returns the spans of a name.
func (r *receiver) find(name string) (found []*tracepb.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.spans {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

func attributeOf(s *tracepb.Span, key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

// With somebody to send them to, requests, batches, their stages, pages with their
// reads, and people's writes are spans; what events say, addresses and keys are in none.
func TestTraces(t *testing.T) {
	otlp := newReceiver(t)
	r := startServiceWith(t, map[string]string{"SUNDEW_DATA": t.TempDir(), "SUNDEW_LISTEN": "127.0.0.1:0", "OTEL_EXPORTER_OTLP_ENDPOINT": otlp.URL + "/otlp"})
	key := strings.TrimPrefix(r.dsn(), "http://")[:32]
	const id = "9ec79c33ec9942ab8353589fcb2e04dc"
	r.post("/api/1/store/?sentry_key="+key, `{"event_id":"`+id+`","message":"hunter2 is my password","user":{"email":"ada@example.com"}}`, http.StatusOK)
	waitFor(t, "it is digested", func() bool { return r.service.digester.Health().Stored == 1 })
	if status, _ := r.get("/issues/1"); status != http.StatusOK {
		t.Fatalf("the issue's page answered %d", status)
	}
	r.stop() // which sends the rest

	if !otlp.paths["/otlp/v1/traces"] || len(otlp.paths) != 1 {
		t.Errorf("spans came to %v", otlp.paths)
	}
	intake := otlp.find("intake /api/{project}/store/")
	if len(intake) != 1 || !strings.Contains(attributeOf(intake[0], "http.response.status_code"), "200") {
		t.Errorf("spans of the intake: %v", intake)
	}
	var batch *tracepb.Span
	for _, s := range otlp.find("digest batch") {
		for _, e := range s.Events {
			if e.Name == "stored" && strings.Contains(e.Attributes[1].Value.String(), id) {
				batch = s
			}
		}
	}
	if batch == nil {
		t.Fatalf("no batch has the event: %v", otlp.find("digest batch"))
	}
	for _, stage := range []string{"prepare", "commit", "barrier", "delete"} {
		below := 0
		for _, s := range otlp.find(stage) {
			if string(s.ParentSpanId) == string(batch.SpanId) && s.StartTimeUnixNano <= s.EndTimeUnixNano && s.EndTimeUnixNano <= batch.EndTimeUnixNano {
				below++
			}
		}
		if below != 1 {
			t.Errorf("the batch has %d spans of %s", below, stage)
		}
	}
	page := otlp.find("pages /issues/{id}")
	reads := 0
	for _, s := range otlp.find("read") {
		if len(page) == 1 && string(s.ParentSpanId) == string(page[0].SpanId) && attributeOf(s, "queries") != "" {
			reads++
		}
	}
	if len(page) != 1 || reads != 1 {
		t.Errorf("%d spans of the issue's page, with %d reads", len(page), reads)
	}
	if signIn := otlp.find("pages /sign-in"); len(signIn) == 0 || len(otlp.find("write sign in")) > 1 {
		t.Errorf("spans of signing in: %v", signIn)
	}
	otlp.mu.Lock()
	defer otlp.mu.Unlock()
	for _, secret := range []string{"hunter2", "ada@example.com", key, visitor.Password, visitor.Email, "sentry_key"} {
		if strings.Contains(strings.Join(otlp.raw, ""), secret) {
			t.Errorf("spans have %q in them", secret)
		}
	}
	for _, s := range otlp.spans {
		if len(s.TraceId) != 16 || strings.Trim(hex.EncodeToString(s.TraceId), "0") == "" {
			t.Errorf("span %s has no trace", s.Name)
		}
	}
}

// A receiver that is away holds nothing up and is no failure.
func TestTracesAway(t *testing.T) {
	otlp := newReceiver(t)
	otlp.Close()
	r := startServiceWith(t, map[string]string{"SUNDEW_DATA": t.TempDir(), "SUNDEW_LISTEN": "127.0.0.1:0", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": otlp.URL + "/v1/traces"})
	if status, _ := r.get("/"); status != http.StatusOK {
		t.Errorf("the dashboard answered %d", status)
	}
	r.stop()
}

// Without one there is nothing in the way.
func TestNoTraces(t *testing.T) {
	r := startService(t, t.TempDir())
	if r.service.tracing != nil {
		t.Error("spans are made for nobody")
	}
	if r.service.tracing.batch("local") != nil {
		t.Error("batches are reported to nobody")
	}
}
