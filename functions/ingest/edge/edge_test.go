package edge

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"sundew/schema/corpus"
)

func TestNew(t *testing.T) {
	good := Config{Keys: testKeys{}, Sender: &memorySender{}}
	h, err := New(good)
	if err != nil {
		t.Fatal(err)
	}
	if h.cfg.Limits != DefaultLimits() || h.cfg.Limits.Event != 1<<20 || h.cfg.Codec == nil || h.cfg.Now == nil || h.cfg.SendTimeout == 0 {
		t.Errorf("defaults: %+v", h.cfg)
	}
	for name, change := range map[string]func(*Config){
		"no keys":          func(c *Config) { c.Keys = nil },
		"no sender":        func(c *Config) { c.Sender = nil },
		"negative rate":    func(c *Config) { c.KeyRate = -1 },
		"negative burst":   func(c *Config) { c.KeyBurst = -1 },
		"negative hops":    func(c *Config) { c.ProxyHops = -1 },
		"negative timeout": func(c *Config) { c.SendTimeout = -1 },
	} {
		cfg := good
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestLog checks that a refused request leaves one line and an accepted one none, and
// that no line holds a key or anything of a payload.
func TestLog(t *testing.T) {
	const secret = "hunter2"
	var log bytes.Buffer
	b := newRig(t, func(c *Config) { c.Log = zerolog.New(&log) })
	b.post("/api/9/envelope/", envelopeOf(`{"type":"event"}`, `{"message":"`+secret+`"}`))
	if log.Len() != 0 {
		t.Errorf("an accepted request is logged: %s", &log)
	}
	otherKey := strings.Repeat("f", 32)
	for _, tt := range []struct {
		path, body, auth, level, reason string
		status                          float64
	}{
		{"/api/9/store/", `{"` + secret, testAuth, "info", "bad_json", 400},
		{"/api/9/envelope/", secret, testAuth, "info", "bad_framing", 400},
		{"/api/9/envelope/", `{"` + secret + `":x}`, testAuth, "info", "bad_framing", 400},
		{"/api/9/envelope/", "{}\n{\"type\":7,\"" + secret + "\":1}", testAuth, "info", "bad_framing", 400},
		{"/api/9/envelope/", `{"dsn":"https://` + secret + `@example.com/9"}`, "", "info", "auth_malformed", 400},
		{"/api/9/store/", secret, "Sentry sentry_key=" + secret, "info", "auth_malformed", 400},
		{"/api/9/store/", secret, "Sentry sentry_key=" + otherKey, "debug", "auth_unknown", 403},
		{"/api/9/security/", `{"` + secret + `":1}`, testAuth, "info", "bad_json", 400},
		{"/api/9/" + secret, "", testAuth, "debug", "not_found", 404},
	} {
		log.Reset()
		w := b.post(tt.path, tt.body, "X-Sentry-Auth", tt.auth)
		var line struct {
			Level, Reason string
			Status        float64
		}
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Errorf("%s %s: not one line: %q", tt.path, tt.reason, &log)
			continue
		}
		if line.Level != tt.level || line.Reason != tt.reason || line.Status != tt.status {
			t.Errorf("%s: %s", tt.path, &log)
		}
		for _, text := range []string{log.String(), w.Body.String(), w.Header().Get("X-Sentry-Error")} {
			if strings.Contains(text, secret) || strings.Contains(text, corpus.Key) || strings.Contains(text, otherKey) {
				t.Errorf("%s %s: quotes what it must not: %s", tt.path, tt.reason, text)
			}
		}
	}
	log.Reset()
	b.queue.fail = func() (bool, error) { return false, errQueueDown }
	b.post("/api/9/store/", "{}")
	if !strings.Contains(log.String(), errQueueDown.Error()) || !strings.Contains(log.String(), `"level":"error"`) {
		t.Errorf("a failing queue is logged as %s", &log)
	}
}

// TestRefusal checks one refusal to the letter.
func TestRefusal(t *testing.T) {
	b := newRig(t, nil)
	w := b.post("/api/9/envelope/", envelopeOf(`{"type":"event","length":9}`, "{}"))
	const cause = "the envelope is malformed: item 1: the envelope ends 6 bytes before the payload's length"
	if got, want := w.Body.String(), `{"detail":"the envelope is malformed","causes":["`+cause+`"]}`; got != want {
		t.Errorf("body %s, want %s", got, want)
	}
	if got := w.Header().Get("X-Sentry-Error"); got != cause {
		t.Errorf("X-Sentry-Error %q", got)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
}

// TestUnknownError checks that an error nobody planned for is a 500 that tells nothing.
func TestUnknownError(t *testing.T) {
	status, reason, text := refusalOf(errors.New("surprise"))
	if status != http.StatusInternalServerError || reason != "internal" || text != "internal error" {
		t.Errorf("%d %s %q", status, reason, text)
	}
	if got := publicText(errors.New("surprise")); got != "internal error" {
		t.Errorf("public text %q", got)
	}
	if got := headerText("a\r\nB: c\x00é" + strings.Repeat("x", 500)); strings.ContainsAny(got, "\r\n\x00é") || len(got) > maxErrorHeader {
		t.Errorf("header text %q", got)
	}
}

// TestParallel sends everything at once, so that the race detector sees what requests
// share, and so that no request's payload ends up in another's message.
func TestParallel(t *testing.T) {
	b := newRig(t, func(c *Config) { c.KeyRate, c.KeyBurst = 1e6, 1e6 })
	ids := []string{idA, idB, testID}
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			id := ids[i%len(ids)]
			plain := []byte("{}\n{\"type\":\"event\"}\n" + eventJSON(id) + "\n{\"type\":\"log\",\"item_count\":2}\n[]")
			coding := []string{"gzip", "br", "zstd", "deflate"}[i%4]
			w := b.post("/api/9/envelope/", string(compress(t, coding, plain)), "Content-Encoding", coding)
			if w.Code != http.StatusOK || answeredID(t, w) != id {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		})
	}
	for range 5 {
		wg.Go(func() {
			if err := b.handler.FlushCounts(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	events := 0
	for _, m := range b.queue.got {
		if m.Project != 0 {
			events++
			if got := b.plain(m); got != eventJSON(m.EventID.String()) {
				t.Errorf("event %s has body %s", m.EventID, got)
			}
		}
	}
	if events != 60 {
		t.Errorf("%d events", events)
	}
}
