package edge

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sundew/schema/corpus"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// FuzzHandler throws requests at the handler: whatever comes, it does not panic, does
// not blame the server, and queues nothing but valid events.
func FuzzHandler(f *testing.F) {
	for _, load := range []func() ([]corpus.Request, error){corpus.Crafted, corpus.Captured} {
		cases, err := load()
		if err != nil {
			f.Fatal(err)
		}
		for _, c := range cases {
			if len(c.Body) < 8<<10 {
				f.Add(c.Path, c.Query, c.Header.Get("X-Sentry-Auth"), c.Header.Get("Content-Encoding"), c.Body)
			}
		}
	}
	f.Fuzz(func(t *testing.T, path, query, auth, encoding string, body []byte) {
		b := newRig(t, func(c *Config) { c.KeyRate = 2 })
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
		r.URL.Path, r.URL.RawQuery = path, query
		r.Header.Set("X-Sentry-Auth", auth)
		r.Header.Set("Content-Encoding", encoding)
		w := b.do(r)
		if w.Code >= 500 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if w.Code == http.StatusOK && len(b.queue.got) > 0 && answeredID(t, w) != b.queue.got[0].EventID.String() {
			t.Errorf("answered %s for %s", w.Body, b.queue.got[0].EventID)
		}
		for _, m := range b.queue.got {
			if m.Kind == wire.KindAttachment {
				b.file(m)
			} else if _, err := event.Scan([]byte(b.plain(m)), defaultDepth); err != nil {
				t.Errorf("queued an event that is none: %v", err)
			}
			if m.EventID.IsZero() || m.Project == 0 {
				t.Errorf("queued without an id or a project: %+v", m)
			}
		}
		if err := b.handler.FlushCounts(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
