//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// proxy stands between an SDK and the product and keeps what went through.
type proxy struct {
	server *httptest.Server
	mu     sync.Mutex
	past   []recording
}

// recording is a request that went through a proxy.
type recording struct {
	path   string
	header http.Header
	body   []byte
	status int
}

func newProxy(t *testing.T, productURL string) *proxy {
	t.Helper()
	target, err := url.Parse(productURL)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := recording{path: r.URL.RequestURI(), header: r.Header.Clone()}
		var err error
		if rec.body, err = io.ReadAll(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(rec.body))
		answer := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		forward.ServeHTTP(answer, r)
		rec.status = answer.status
		p.mu.Lock()
		defer p.mu.Unlock()
		p.past = append(p.past, rec)
	}))
	t.Cleanup(p.server.Close)
	return p
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// dsn returns a DSN that leads through the proxy.
func (p *proxy) dsn(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = strings.TrimPrefix(p.server.URL, "http://")
	return u.String()
}

// requireBrotli fails the test unless everything that went through was an
// envelope compressed with brotli and was accepted. It returns one of them.
func (p *proxy) requireBrotli(t *testing.T) recording {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.past) == 0 {
		t.Fatal("nothing went through the proxy")
	}
	for _, rec := range p.past {
		if coding := rec.header.Get("Content-Encoding"); coding != "br" || rec.status != http.StatusOK {
			t.Errorf("POST %s with Content-Encoding %q was answered with %d, want br and 200", rec.path, coding, rec.status)
		}
	}
	return p.past[0]
}

// sendAgain sends a recorded request once more, as a client does that did not
// hear the answer.
func (rec recording) sendAgain(ctx context.Context, t *testing.T, productURL string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, productURL+rec.path, bytes.NewReader(rec.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = rec.header.Clone()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("the same event once more: status %d, want 200", res.StatusCode)
	}
}
