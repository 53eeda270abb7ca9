package edge

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/event"
)

const (
	idA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	idB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// queuedIDs returns the ids of what was queued.
func (b *rig) queuedIDs() []string {
	ids := []string{}
	for _, m := range b.queue.got {
		ids = append(ids, m.EventID.String())
	}
	return ids
}

// TestPartial checks what becomes of an envelope that is good in parts: no good event
// is lost, and every fault is counted.
func TestPartial(t *testing.T) {
	huge := `{"message":"` + strings.Repeat("x", 2000) + `"}`
	deep := `{"a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`
	good := eventJSON(idA)
	ev := `{"type":"event"}`
	for _, tt := range []struct {
		name   string
		body   string
		status int
		ids    []string
		counts map[string]int64
	}{
		{"event too large", envelopeOf(ev, huge), 413, nil, map[string]int64{"error/refused/too_large": 1}},
		{"declared too large", envelopeOf(`{"type":"event","length":2014}`, huge), 413, nil, map[string]int64{"error/refused/too_large": 1}},
		{"declared too large, cut short", envelopeOf(`{"type":"event","length":9999}`, huge), 400, nil, map[string]int64{"error/refused/bad_framing": 1}},
		{"good, then too large", envelopeOf(ev, good, ev, huge), 200, []string{testID}, map[string]int64{"error/refused/too_large": 1}},
		{"too large, then good", envelopeOf(ev, huge, ev, good), 200, []string{idA}, map[string]int64{"error/refused/too_large": 1}},
		{"bad, then good", envelopeOf(ev, "{", ev, good), 200, []string{idA}, map[string]int64{"error/refused/bad_json": 1}},
		{"empty event", envelopeOf(ev, ""), 400, nil, map[string]int64{"error/refused/bad_json": 1}},
		{"deep", envelopeOf(ev, deep), 413, nil, map[string]int64{"error/refused/too_deep": 1}},
		{"deep and bad", envelopeOf(ev, deep, ev, "x"), 413, nil, map[string]int64{"error/refused/too_deep": 1, "error/refused/bad_json": 1}},
		{"NaN", envelopeOf(ev, `{"extra":{"x":NaN}}`), 200, []string{testID}, map[string]int64{}},
		{"bad with a session", envelopeOf(ev, "x", `{"type":"session"}`, "{}"), 400, nil,
			map[string]int64{"error/refused/bad_json": 1, "session/unstored/unsupported": 1}},
		{"good, then broken framing", envelopeOf(ev, good, "garbage"), 200, []string{testID}, map[string]int64{"error/refused/bad_framing": 1}},
		{"broken framing, then good", envelopeOf("garbage", ev, good), 400, nil, map[string]int64{"error/refused/bad_framing": 1}},
		{"attachment cut short", envelopeOf(ev, good, `{"type":"attachment","length":99}`, "x"), 200, []string{testID}, map[string]int64{"error/refused/bad_framing": 1}},
		{"event after cut attachment", envelopeOf(`{"type":"attachment","length":999}`, "x", ev, good), 400, nil, map[string]int64{"error/refused/bad_framing": 1}},
		{"header line too long", `{"x":"` + strings.Repeat("y", 300) + `"}`, 413, nil, map[string]int64{"error/refused/too_large": 1}},
		{"item line too long", envelopeOf(ev, good, `{"type":"log","x":"`+strings.Repeat("y", 300)+`"}`), 200, []string{testID}, map[string]int64{"error/refused/too_large": 1}},
		{"too many items", envelopeOf(ev, good, ev, good, ev, good, ev, good, ev, good), 200, []string{testID, idA, idA, idA}, map[string]int64{"error/refused/too_many_items": 1}},
		{"too many others", envelopeOf(`{"type":"x"}`, "", `{"type":"x"}`, "", `{"type":"x"}`, "", `{"type":"x"}`, "", `{"type":"x"}`), 413, nil,
			map[string]int64{"error/refused/too_many_items": 1, "default/unstored/unsupported": 4}},
		{"body too large", envelopeOf(`{"type":"attachment"}`, strings.Repeat("x", 6000)), 413, nil, map[string]int64{"error/refused/too_large": 1}},
		{"good, then body too large", envelopeOf(ev, good, `{"type":"attachment"}`, strings.Repeat("x", 6000)), 200, []string{testID}, map[string]int64{"error/refused/too_large": 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newRig(t, func(c *Config) { c.Limits = Limits{Event: 1000, HeaderLine: 200, Items: 4, Body: 6000} })
			// Without Content-Length, so that limits are met while reading.
			r := httptest.NewRequest(http.MethodPost, "/api/9/envelope/", struct{ io.Reader }{strings.NewReader(tt.body)})
			r.Header.Set("X-Sentry-Auth", testAuth)
			w := b.do(r)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if diff := cmp.Diff(append([]string{}, tt.ids...), b.queuedIDs()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if w.Code == http.StatusOK && answeredID(t, w) != tt.ids[0] {
				t.Errorf("answered %s", w.Body)
			}
			if b.queue.calls > 1 {
				t.Errorf("%d sends for one request", b.queue.calls)
			}
			if diff := cmp.Diff(tt.counts, b.flushed()); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLimitsExact checks both sides of limits that hold for whole bodies.
func TestLimitsExact(t *testing.T) {
	payload := eventJSON(testID)
	n := len(payload)
	for _, tt := range []struct {
		name, path string
		limits     Limits
		coding     string
		want       int
	}{
		{"store event fits", "/api/9/store/", Limits{Event: n}, "plain", 200},
		{"store event over", "/api/9/store/", Limits{Event: n - 1}, "plain", 413},
		{"body fits", "/api/9/store/", Limits{Body: int64(n)}, "plain", 200},
		{"body over by its length", "/api/9/store/", Limits{Body: int64(n - 1)}, "plain", 413},
		{"decoded fits", "/api/9/store/", Limits{Decoded: int64(n)}, "gzip", 200},
		{"decoded over", "/api/9/store/", Limits{Decoded: int64(n - 1)}, "gzip", 413},
		{"depth fits", "/api/9/store/", Limits{Depth: 1}, "zstd", 200},
	} {
		b := newRig(t, func(c *Config) { c.Limits = tt.limits })
		name := tt.coding
		if w := b.post(tt.path, string(compress(t, tt.coding, []byte(payload))), "Content-Encoding", name); w.Code != tt.want {
			t.Errorf("%s: status %d, want %d: %s", tt.name, w.Code, tt.want, w.Body)
		}
	}
	// A server in front that caps bodies by itself.
	b := newRig(t, nil)
	r := httptest.NewRequest(http.MethodPost, "/api/9/store/", nil)
	r.Header.Set("X-Sentry-Auth", testAuth)
	r.ContentLength = -1
	r.Body = http.MaxBytesReader(nil, io.NopCloser(strings.NewReader(payload)), 10)
	if w := b.do(r); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("MaxBytesReader: status %d", w.Code)
	}
}

// failingReader gives some bytes, then an error.
type failingReader struct {
	io.Reader
	err error
}

func (r failingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = r.err
	}
	return n, err
}

// TestClientGone checks that a body that breaks off is nobody's bad framing, and that
// events that were complete by then are kept.
func TestClientGone(t *testing.T) {
	reset := errors.New("connection reset")
	send := func(b *rig, path, body, coding string) int {
		r := httptest.NewRequest(http.MethodPost, path, failingReader{strings.NewReader(body), reset})
		r.Header.Set("X-Sentry-Auth", testAuth)
		r.Header.Set("Content-Encoding", coding)
		w := b.do(r)
		if strings.Contains(w.Body.String(), "reset") {
			t.Errorf("the answer tells of the network: %s", w.Body)
		}
		return w.Code
	}
	whole := envelopeOf(`{"type":"event"}`, eventJSON(testID))
	for _, tt := range []struct{ path, body, coding string }{
		{"/api/9/envelope/", "", ""},
		{"/api/9/envelope/", whole[:20], ""},
		{"/api/9/envelope/", whole[:len(whole)-1], ""}, // the event may be cut off
		{"/api/9/envelope/", string(compress(t, "gzip", []byte(whole))[:60]), "gzip"},
		{"/api/9/store/", eventJSON(testID), ""},
		{"/api/9/store/", "eJ", ""},
	} {
		b := newRig(t, nil)
		if status := send(b, tt.path, tt.body, tt.coding); status != http.StatusBadRequest || len(b.queue.got) != 0 {
			t.Errorf("%s %.20q: status %d, %d events", tt.path, tt.body, status, len(b.queue.got))
		}
		if diff := cmp.Diff(map[string]int64{"error/refused/client_gone": 1}, b.flushed()); diff != "" {
			t.Errorf("%s %.20q: counts (-want +got):\n%s", tt.path, tt.body, diff)
		}
	}
	b := newRig(t, nil)
	if status := send(b, "/api/9/envelope/", whole, ""); status != http.StatusOK || len(b.queue.got) != 1 {
		t.Errorf("a complete event was lost with its connection: status %d", status)
	}
}

// TestIDs checks which id an event gets.
func TestIDs(t *testing.T) {
	ev := `{"type":"event"}`
	const made = "made"
	for _, tt := range []struct {
		name, body string
		want       []string
	}{
		{"header wins", envelopeOf(ev, eventJSON(idA)), []string{testID}},
		{"second has its own", envelopeOf(ev, eventJSON(idA), ev, eventJSON(idB)), []string{testID, idB}},
		{"second claims the first's", envelopeOf(ev, eventJSON(testID), ev, eventJSON(testID)), []string{testID, testID}},
		{"second has none", envelopeOf(ev, "{}", ev, "{}"), []string{testID, made}},
		{"payload's", "{}\n" + ev + "\n" + eventJSON(idA), []string{idA}},
		{"payload's, dashed", "{}\n" + ev + "\n" + eventJSON("AAAAAAAA-AAAA-AAAA-AAAA-AAAAAAAAAAAA"), []string{idA}},
		{"bad header id", `{"event_id":"xyz"}` + "\n" + ev + "\n" + eventJSON(idA), []string{idA}},
		{"header id no string", `{"event_id":[7]}` + "\n" + ev + "\n" + eventJSON(idA), []string{idA}},
		{"nil header id", `{"event_id":"` + strings.Repeat("0", 32) + `"}` + "\n" + ev + "\n{}", []string{made}},
		{"none", "{}\n" + ev + "\n{}", []string{made}},
	} {
		b := newRig(t, nil)
		w := b.post("/api/9/envelope/", tt.body)
		got := b.queuedIDs()
		if w.Code != http.StatusOK || len(got) != len(tt.want) || answeredID(t, w) != got[0] {
			t.Errorf("%s: status %d, ids %q, answer %s", tt.name, w.Code, got, w.Body)
			continue
		}
		for i, want := range tt.want {
			id, err := event.ParseID(got[i])
			isNew := err == nil && got[i] != testID && id[6]>>4 == 4 && id[8]>>6 == 2
			if want == made && !isNew || want != made && got[i] != want {
				t.Errorf("%s: event %d has id %s, want %s", tt.name, i, got[i], want)
			}
		}
	}
}

// TestAnswerWithoutEvent checks what is answered when nothing is queued.
func TestAnswerWithoutEvent(t *testing.T) {
	b := newRig(t, nil)
	for body, want := range map[string]string{
		`{"event_id":"` + testID + `"}`:                                      `{"id":"` + testID + `"}`,
		`{"event_id":"` + testID + `"}` + "\n{\"type\":\"transaction\"}\n{}": `{"id":"` + testID + `"}`,
		"{}":                             `{}`,
		"{}\n{\"type\":\"session\"}\n{}": `{}`,
	} {
		if w := b.post("/api/9/envelope/", body); w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%q: status %d, %s", body, w.Code, w.Body)
		}
	}
	w := b.post("/api/9/store/", `{"type":"transaction","event_id":"`+idA+`"}`)
	if w.Code != http.StatusOK || answeredID(t, w) != idA || b.flushed()["transaction/unstored/unsupported"] != 2 {
		t.Errorf("transaction to store: status %d, %s", w.Code, w.Body)
	}
	if b.queue.calls != 1 { // the flush
		t.Errorf("%d sends for nothing", b.queue.calls)
	}
}

// TestMessage checks the fields that do not come from the payload.
func TestMessage(t *testing.T) {
	b := newRig(t, func(c *Config) { c.Region, c.ProxyHops = "eu-west-1", 1 })
	header := `{"sent_at":"2026-11-21T09:29:58.5Z"}`
	b.post("/api/9/envelope/", header+"\n{\"type\":\"event\"}\n{}", "X-Forwarded-For", "198.51.100.7")
	m := b.queue.got[0]
	if m.Region != "eu-west-1" || m.RemoteIP != "198.51.100.7" || m.Client != "test/1.0" ||
		!m.ReceivedAt.Equal(b.now) || !m.SentAt.Equal(b.now.Add(-1500*time.Millisecond)) {
		t.Errorf("message %+v", m)
	}
	for _, bad := range []string{`"yesterday"`, "5", "null", `{"a":[]}`} {
		w := b.post("/api/9/envelope/", `{"sdk":7,"sent_at":`+bad+"}\n{\"type\":\"event\"}\n{}")
		if last := b.queue.got[len(b.queue.got)-1]; w.Code != http.StatusOK || !last.SentAt.IsZero() {
			t.Errorf("sent_at %s: status %d, %v", bad, w.Code, last.SentAt)
		}
	}
}
