package edge

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/functions/ingest/envelope"
	"sundew/schema/corpus"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// TestCrafted holds the handler to what CRAFTED.md expects of every case.
func TestCrafted(t *testing.T) {
	// The statuses and the number of events of cases that are not one event
	// accepted under testID.
	type outcome struct {
		status int
		events int
		anyID  bool
	}
	accepted := outcome{status: http.StatusOK, events: 1}
	refused := func(status int) outcome { return outcome{status: status} }
	special := map[string]outcome{
		"no-event-id-anywhere":          {status: http.StatusOK, events: 1, anyID: true},
		"header-only":                   {status: http.StatusOK},
		"length-too-long":               refused(http.StatusBadRequest),
		"length-wrong-no-newline-after": refused(http.StatusBadRequest),
		"bad-json-header":               refused(http.StatusBadRequest),
		"bad-json-payload":              refused(http.StatusBadRequest),
		"missing-type":                  refused(http.StatusBadRequest),
		"empty-body":                    refused(http.StatusBadRequest),
		"two-events":                    {status: http.StatusOK, events: 2},
		"gzip-bomb-60MB":                refused(http.StatusRequestEntityTooLarge),
		"truncated-gzip":                refused(http.StatusBadRequest),
		"auth-missing":                  refused(http.StatusUnauthorized),
		"auth-wrong-key":                refused(http.StatusForbidden),
		"deep-json":                     refused(http.StatusRequestEntityTooLarge),
	}
	cases, err := corpus.Crafted()
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) != 40 {
		t.Errorf("%d crafted cases, want 40", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			want, ok := special[c.Name]
			if !ok {
				want = accepted
			}
			b := newRig(t, nil)
			w := b.do(replay(c))
			events := b.events()
			if w.Code != want.status || len(events) != want.events {
				t.Fatalf("status %d with %d events, want %d with %d (%s): %s", w.Code, len(events), want.status, want.events, c.Expect, w.Body)
			}
			if w.Code != http.StatusOK {
				return
			}
			if id := answeredID(t, w); want.anyID && len(id) != 32 || !want.anyID && id != testID {
				t.Errorf("answered id %q", id)
			}
			for _, m := range events {
				if m.Project != 9 || m.EventID.String() != answeredID(t, w) {
					t.Errorf("queued kind %d, project %d, id %s", m.Kind, m.Project, m.EventID)
				}
				if _, err := event.Scan([]byte(b.plain(m)), defaultDepth); err != nil {
					t.Errorf("queued body: %v", err)
				}
			}
		})
	}
}

// TestBombMemory checks that a bomb is not unpacked into memory, be it all one line of
// headers, one event, or an attachment, of which more may be read.
func TestBombMemory(t *testing.T) {
	const size = 24 << 20
	for name, start := range map[string]string{
		"header":     "",
		"event":      "{}\n{\"type\":\"event\"}\n",
		"attachment": "{\"event_id\":\"" + testID + "\"}\n{\"type\":\"attachment\"}\n",
	} {
		body := string(compress(t, "gzip", append([]byte(start), bytes.Repeat([]byte(" "), size)...)))
		b := newRig(t, nil)
		b.post("/api/9/envelope/", "{}", "Content-Encoding", "gzip") // makes what a pool keeps
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w := b.post("/api/9/envelope/", body, "Content-Encoding", "gzip")
		runtime.ReadMemStats(&after)
		limit := uint64(8 << 20)
		if name == "attachment" {
			limit = 6 * defaultAttachment // a buffer that grows
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > limit {
			t.Errorf("%s: allocated %d bytes", name, allocated)
		}
		if w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: status %d, want 413", name, w.Code)
		}
	}
}

// tooLargeCaptures are the two recorded events of 1.5 MB, over the limit of an event.
var tooLargeCaptures = []string{"node-event-huge--02", "php-large-nocompress"}

// TestCaptured sends every recorded request of a real SDK.
func TestCaptured(t *testing.T) {
	cases, err := corpus.Captured()
	if err != nil {
		t.Fatal(err)
	}
	accepted := 0
	for _, c := range cases {
		b := newRig(t, nil)
		w := b.do(replay(c))
		route, _, ok := parsePath(c.Path)
		switch {
		case !ok:
			if w.Code != http.StatusNotFound || Handles(c.Path) == strings.HasPrefix(c.Path, "/api/0/") {
				t.Errorf("%s: %s %s: status %d, handles %v", c.Name, c.Method, c.Path, w.Code, Handles(c.Path))
			}
		case c.Method == http.MethodOptions:
			if w.Code != http.StatusOK || len(b.queue.got) != 0 {
				t.Errorf("%s: preflight has status %d", c.Name, w.Code)
			}
		case slices.Contains(tooLargeCaptures, c.Name):
			if w.Code != http.StatusRequestEntityTooLarge || len(b.queue.got) != 0 {
				t.Errorf("%s: status %d with %d events, want 413", c.Name, w.Code, len(b.queue.got))
			}
		default:
			accepted++
			checkCaptured(t, b, c, route, w)
		}
	}
	if accepted < 500 {
		t.Errorf("only %d recorded requests were accepted", accepted)
	}
}

// checkCaptured compares what was queued with what a reading of the body by other
// means expects.
func checkCaptured(t *testing.T, b *rig, c corpus.Request, route endpoint, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code != http.StatusOK {
		t.Errorf("%s: status %d: %s", c.Name, w.Code, w.Body)
		return
	}
	want := expectedIDs(t, c, route)
	var got []string
	for _, m := range b.queue.got {
		got = append(got, m.EventID.String())
		if m.Client == "" && c.Header.Get("User-Agent") != "" {
			t.Errorf("%s: no client", c.Name)
		}
	}
	if route == endpointSecurity {
		if len(got) != 1 || b.queue.got[0].Kind != wire.KindCSP || b.queue.got[0].Environment != "production" ||
			b.queue.got[0].Release != "web@3.2.0" || b.plain(b.queue.got[0]) != string(c.Body) {
			t.Errorf("%s: queued %d messages: %+v", c.Name, len(got), b.queue.got)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: ids (-want +got):\n%s", c.Name, diff)
	}
	if len(got) > 0 && answeredID(t, w) != got[0] {
		t.Errorf("%s: answered %s, queued %s", c.Name, w.Body, got[0])
	}
}

// expectedIDs reads a recorded body the simple way: all of it, at once.
func expectedIDs(t *testing.T, c corpus.Request, route endpoint) []string {
	t.Helper()
	plain := decompress(t, c.Body)
	if route == endpointStore {
		head, err := event.Scan(plain, 0)
		if err != nil {
			t.Fatal(err)
		}
		return []string{head.ID.String()}
	}
	if route == endpointSecurity {
		return nil
	}
	reader := envelope.NewReader(bytes.NewReader(plain), envelope.Limits{HeaderLine: 64 << 10, Items: 1000})
	header, err := reader.Header()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for item, err := reader.Next(); err == nil; item, err = reader.Next() {
		if slices.Contains([]string{itemEvent, itemFeedback, itemUserReport, itemAttachment}, item.Type) {
			want = append(want, header.EventID.String())
		}
	}
	return want
}
