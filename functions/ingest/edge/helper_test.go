package edge

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sundew/schema/corpus"
	"sundew/schema/event"
	"sundew/schema/keyring"
	"sundew/schema/wire"
)

const (
	testID   = "9ec79c33ec9942ab8353589fcb2e04dc"
	testAuth = "Sentry sentry_version=7, sentry_client=test/1.0, sentry_key=" + corpus.Key
)

var errQueueDown = errors.New("queue is down")

// memorySender is a queue in memory. A failure is injected by fail: the error to
// return, and whether the messages arrive all the same.
type memorySender struct {
	mu    sync.Mutex
	fail  func() (applied bool, err error)
	calls int
	got   []*wire.Message
}

func (s *memorySender) Send(ctx context.Context, msgs []*wire.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if err := ctx.Err(); err != nil {
		return err
	}
	applied, err := true, error(nil)
	if s.fail != nil {
		applied, err = s.fail()
	}
	if applied {
		for _, m := range msgs {
			// As a real queue does: what the edge holds on to must not matter.
			decoded, err := wire.Decode(m.Encode(nil))
			if err != nil {
				return err
			}
			s.got = append(s.got, decoded)
		}
	}
	return err
}

// testKeys knows corpus.Key for every project, and the quotas of a ring.
type testKeys struct{ quotas *keyring.Ring }

func (k testKeys) Allows(project event.ProjectID, page string) bool {
	return k.quotas == nil || k.quotas.Allows(project, page)
}

func (k testKeys) Limited(project event.ProjectID, category string, now time.Time) (keyring.Limit, bool) {
	if k.quotas == nil {
		return keyring.Limit{}, false
	}
	return k.quotas.Limited(project, category, now)
}

const disabledKey = "dddddddddddddddddddddddddddddddd"

func (testKeys) Lookup(_ context.Context, _ event.ProjectID, key string) KeyStatus {
	switch key {
	case corpus.Key:
		return KeyActive
	case disabledKey:
		return KeyDisabled
	case undecidedKey:
		return KeyUndecided
	}
	return KeyUnknown
}

const undecidedKey = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"

// rig is a handler with its queue in memory and its clock standing still.
type rig struct {
	t       testing.TB
	handler *Handler
	queue   *memorySender
	codec   *wire.Codec
	now     time.Time
}

func newRig(t testing.TB, change func(*Config)) *rig {
	t.Helper()
	b := &rig{t: t, queue: &memorySender{}, codec: wire.NewCodec(), now: time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)}
	cfg := Config{Keys: testKeys{}, Sender: b.queue, Codec: b.codec, Now: func() time.Time { return b.now }}
	if change != nil {
		change(&cfg)
	}
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.handler = h
	return b
}

// do sends one request and checks what holds for every answer.
func (b *rig) do(r *http.Request) *httptest.ResponseRecorder {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	checkAnswer(b.t, w)
	return w
}

// post sends body to path, with the usual authorization unless headers, which come in
// pairs, have an X-Sentry-Auth.
func (b *rig) post(path, body string, headers ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("X-Sentry-Auth", testAuth)
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	return b.do(r)
}

// events returns the events among what was queued.
func (b *rig) events() (events []*wire.Message) {
	for _, m := range b.queue.got {
		if m.Kind == wire.KindEvent {
			events = append(events, m)
		}
	}
	return events
}

// plain returns the body of a message as it was before compression.
func (b *rig) plain(m *wire.Message) string {
	b.t.Helper()
	plain, err := b.codec.Decompress(m.Body, m.Encoding)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(plain)
}

// flushed returns the counts of a flush, by category/outcome/reason; those of project
// 0 begin with "-".
func (b *rig) flushed() map[string]int64 {
	b.t.Helper()
	before := len(b.queue.got)
	if err := b.handler.FlushCounts(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	counts := map[string]int64{}
	for _, m := range b.queue.got[before:] {
		if m.Kind != wire.KindCounts || m.Project != 0 {
			b.t.Fatalf("flush sent a message of kind %d for project %d", m.Kind, m.Project)
		}
		list, err := wire.DecodeCounts([]byte(b.plain(m)))
		if err != nil {
			b.t.Fatal(err)
		}
		for _, c := range list {
			name := c.Category + "/" + string(c.Outcome) + "/" + c.Reason
			if c.Project == 0 {
				name = "-" + name
			}
			counts[name] += c.Quantity
		}
	}
	b.queue.got = b.queue.got[:before]
	return counts
}

// checkAnswer checks the promises that every answer keeps, whatever was asked.
func checkAnswer(t testing.TB, w *httptest.ResponseRecorder) {
	t.Helper()
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":   "*",
		"Access-Control-Allow-Methods":  "POST, OPTIONS",
		"Access-Control-Expose-Headers": "x-sentry-error, x-sentry-rate-limits, retry-after",
		"Access-Control-Max-Age":        "3600",
		"Cross-Origin-Resource-Policy":  "cross-origin",
		"X-Content-Type-Options":        "nosniff",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("header %s is %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "x-sentry-auth") {
		t.Error("x-sentry-auth is not an allowed header")
	}
	if w.Code >= 300 && w.Code < 400 {
		t.Errorf("status %d: intake never redirects", w.Code)
	}
	if w.Code < 400 {
		return
	}
	var body struct {
		Detail string
		Causes []string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Detail == "" || len(body.Causes) == 0 {
		t.Errorf("status %d has body %q", w.Code, w.Body)
	}
	if text := w.Header().Get("X-Sentry-Error"); text == "" || strings.ContainsAny(text, "\r\n") {
		t.Errorf("status %d has X-Sentry-Error %q", w.Code, text)
	}
	if strings.Contains(w.Body.String(), corpus.Key) {
		t.Errorf("the answer quotes the key: %s", w.Body)
	}
}

// answeredID returns the id in an answer of 200.
func answeredID(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var body struct{ ID string }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("answer %q: %v", w.Body, err)
	}
	return body.ID
}

// replay returns the HTTP request of a corpus case.
func replay(c corpus.Request) *http.Request {
	target := c.Path
	if c.Query != "" {
		target += "?" + c.Query
	}
	r := httptest.NewRequest(c.Method, target, strings.NewReader(string(c.Body)))
	r.Header = c.Header.Clone()
	return r
}

// eventJSON returns the payload of an event with that id.
func eventJSON(id string) string {
	return `{"event_id":"` + id + `","message":"hi","platform":"other"}`
}

// envelopeOf joins lines to an envelope whose header names testID.
func envelopeOf(lines ...string) string {
	return `{"event_id":"` + testID + `"}` + "\n" + strings.Join(lines, "\n") + "\n"
}
