package edge

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"sundew/schema/corpus"
	"sundew/schema/event"
	"sundew/schema/scrub"
	"sundew/schema/wire"
)

// nullSender is a queue that takes no time.
type nullSender struct{}

func (nullSender) Send(context.Context, []*wire.Message) error { return nil }

// discard is a ResponseWriter that keeps nothing.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// BenchmarkHandler takes in every recorded request that carries an event, one after
// the other.
func BenchmarkHandler(b *testing.B) { benchmarkHandler(b, nil) }

// BenchmarkHandlerUnscrubbed is what BenchmarkHandler would take if nobody looked for
// secrets. Compare the two in one run.
func BenchmarkHandlerUnscrubbed(b *testing.B) {
	benchmarkHandler(b, scrubberOf(b, scrub.Settings{Off: true}))
}

func benchmarkHandler(b *testing.B, scrubber func(event.ProjectID) *scrub.Scrubber) {
	cases, err := corpus.Captured()
	if err != nil {
		b.Fatal(err)
	}
	h, err := New(Config{Keys: testKeys{}, Sender: nullSender{}, Scrubber: scrubber})
	if err != nil {
		b.Fatal(err)
	}
	var requests []*http.Request
	var bodies [][]byte
	var size int64
	for _, c := range cases {
		check := newRig(b, nil)
		if check.do(replay(c)); len(check.queue.got) == 1 {
			requests = append(requests, replay(c))
			bodies = append(bodies, c.Body)
			size += int64(len(c.Body))
		}
	}
	b.SetBytes(size / int64(len(requests)))
	b.ReportAllocs()
	var body bytes.Reader
	for i := 0; b.Loop(); i++ {
		r := requests[i%len(requests)]
		body.Reset(bodies[i%len(bodies)])
		r.Body = io.NopCloser(&body)
		w := &discard{header: http.Header{}}
		h.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			b.Fatalf("status %d", w.status)
		}
	}
}

// BenchmarkPreflight is the price of the headers that every answer carries.
func BenchmarkPreflight(b *testing.B) {
	h, err := New(Config{Keys: testKeys{}, Sender: nullSender{}})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodOptions, "/api/9/envelope/", nil)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(&discard{header: http.Header{}}, r)
	}
}
