package edge

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/corpus"
)

// TestAuth is the matrix of where a key can stand and what can be wrong with it.
func TestAuth(t *testing.T) {
	const (
		key   = corpus.Key
		other = "ffffffffffffffffffffffffffffffff"
	)
	upper := strings.ToUpper(key)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	basic := func(user, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	both := func(a, b func(*http.Request)) func(*http.Request) {
		return func(r *http.Request) { a(r); b(r) }
	}
	for _, tt := range []struct {
		name   string
		query  string
		set    func(*http.Request)
		dsn    string
		status int
		reason string
	}{
		{name: "query", query: "sentry_key=" + key, status: 200},
		{name: "query with all", query: "sentry_version=7&sentry_client=x%2F1&sentry_key=" + key, status: 200},
		{name: "query upper case", query: "sentry_key=" + upper, status: 200},
		{name: "header", set: header("X-Sentry-Auth", "Sentry sentry_key="+key+", sentry_version=7"), status: 200},
		{name: "header other case", set: header("X-Sentry-Auth", "sEnTrY sentry_version=7,sentry_key="+key), status: 200},
		{name: "header spaces", set: header("X-Sentry-Auth", "  Sentry   sentry_version = 7 ,\tsentry_key = "+key+" , "), status: 200},
		{name: "header quotes", set: header("X-Sentry-Auth", `Sentry sentry_key="`+key+`"`), status: 200},
		{name: "header without scheme", set: header("X-Sentry-Auth", "sentry_key="+key), status: 200},
		{name: "header secret", set: header("X-Sentry-Auth", "Sentry sentry_version=5, sentry_timestamp=1795, sentry_key="+key+", sentry_secret=x"), status: 200},
		{name: "old version", set: header("X-Sentry-Auth", "Sentry sentry_version=2.0, sentry_key="+key), status: 200},
		{name: "authorization", set: header("Authorization", "Sentry sentry_key="+key), status: 200},
		{name: "basic", set: basic(key, ""), status: 200},
		{name: "basic of a proxy", query: "sentry_key=" + key, set: basic("user", "word"), status: 200},
		{name: "bearer of a proxy", query: "sentry_key=" + key, set: header("Authorization", "Bearer abc"), status: 200},
		{name: "same key twice", query: "sentry_key=" + key, set: header("X-Sentry-Auth", "Sentry sentry_key="+upper), status: 200},
		{name: "empty header, dsn", set: header("X-Sentry-Auth", ""), dsn: "https://" + key + "@example.com/9", status: 200},
		{name: "dsn with secret and prefix", dsn: "https://" + key + ":secret@example.com/a/b/9", status: 200},
		{name: "dsn trailing slash", dsn: "https://" + key + "@example.com:8080/9/", status: 200},
		{name: "dsn of another project loses", query: "sentry_key=" + key, dsn: "https://" + other + "@example.com/8", status: 200},
		{name: "broken dsn loses", query: "sentry_key=" + key, dsn: "::", status: 200},
		{name: "undecided", query: "sentry_key=" + undecidedKey, status: 200},

		{name: "nothing", status: 401, reason: "-error/refused/auth_missing"},
		{name: "empty key", query: "sentry_key=", status: 401, reason: "-error/refused/auth_missing"},
		{name: "empty header", set: header("X-Sentry-Auth", ""), status: 401, reason: "-error/refused/auth_missing"},
		{name: "header without key", set: header("X-Sentry-Auth", "Sentry sentry_version=7"), status: 401, reason: "-error/refused/auth_missing"},
		{name: "foreign basic", set: basic("user", "word"), status: 401, reason: "-error/refused/auth_missing"},
		{name: "short key", query: "sentry_key=" + key[:31], status: 400, reason: "-error/refused/auth_malformed"},
		{name: "key not hex", query: "sentry_key=g" + key[1:], status: 400, reason: "-error/refused/auth_malformed"},
		{name: "two keys", query: "sentry_key=" + key, set: header("X-Sentry-Auth", "Sentry sentry_key="+other), status: 400, reason: "-error/refused/auth_malformed"},
		{name: "version 8", query: "sentry_version=8&sentry_key=" + key, status: 400, reason: "-error/refused/auth_malformed"},
		{name: "version text", set: header("X-Sentry-Auth", "Sentry sentry_version=x, sentry_key="+key), status: 400, reason: "-error/refused/auth_malformed"},
		{name: "version negative", query: "sentry_version=-1&sentry_key=" + key, status: 400, reason: "-error/refused/auth_malformed"},
		{name: "dsn of another project", dsn: "https://" + key + "@example.com/8", status: 400, reason: "-error/refused/auth_malformed"},
		{name: "dsn without key", dsn: "https://example.com/9", status: 400, reason: "-error/refused/auth_malformed"},
		{name: "dsn without project", dsn: "https://" + key + "@example.com/", status: 400, reason: "-error/refused/auth_malformed"},
		{name: "dsn no URL", dsn: "%zz", status: 400, reason: "-error/refused/auth_malformed"},
		{name: "unknown key", query: "sentry_key=" + other, status: 403, reason: "-error/refused/auth_unknown"},
		{name: "unknown key in dsn", dsn: "https://" + other + "@example.com/9", status: 403, reason: "-error/refused/auth_unknown"},
		{name: "disabled", query: "sentry_key=" + disabledKey, status: 403, reason: "error/refused/auth_disabled"},
		{name: "both wrong", query: "sentry_key=zz", set: both(header("X-Sentry-Auth", "x"), basic("a", "b")), status: 400, reason: "-error/refused/auth_malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newRig(t, nil)
			body := `{"event_id":"` + testID + `"}`
			if tt.dsn != "" {
				body = `{"event_id":"` + testID + `","dsn":"` + tt.dsn + `"}`
			}
			body += "\n{\"type\":\"event\"}\n" + eventJSON(testID)
			r := httptest.NewRequest(http.MethodPost, "/api/9/envelope/?"+tt.query, strings.NewReader(body))
			if tt.set != nil {
				tt.set(r)
			}
			w := b.do(r)
			if w.Code != tt.status || (len(b.queue.got) == 1) != (tt.status == http.StatusOK) {
				t.Errorf("status %d, want %d, with %d events: %s", w.Code, tt.status, len(b.queue.got), w.Body)
			}
			want := map[string]int64{}
			if tt.reason != "" {
				want[tt.reason] = 1
			}
			if diff := cmp.Diff(want, b.flushed()); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAuthElsewhere checks that only envelopes can do without query and headers, and
// that the others are refused before their body is read.
func TestAuthElsewhere(t *testing.T) {
	for path, want := range map[string]string{
		"/api/9/store/":    "-error/refused/auth_missing",
		"/api/9/security/": "-security/refused/auth_missing",
	} {
		b := newRig(t, nil)
		w := b.post(path, `{"dsn":"https://`+corpus.Key+`@example.com/9"}`, "X-Sentry-Auth", "")
		if w.Code != http.StatusUnauthorized || b.flushed()[want] != 1 {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
}

// TestUndecidedKeyTravels: a message has its key exactly if it is not decided yet, from
// wherever the key came.
func TestUndecidedKeyTravels(t *testing.T) {
	b := newRig(t, nil)
	two := envelopeOf(`{"type":"event"}`, eventJSON(idA), `{"type":"event"}`, eventJSON(idB))
	for _, key := range []string{undecidedKey, corpus.Key} {
		want := ""
		if key == undecidedKey {
			want = key
		}
		auth := "Sentry sentry_key=" + strings.ToUpper(key)
		b.post("/api/9/envelope/", two, "X-Sentry-Auth", auth)
		b.post("/api/9/store/", eventJSON(testID), "X-Sentry-Auth", auth)
		b.post("/api/9/security/", `{"csp-report":{}}`, "X-Sentry-Auth", auth)
		b.post("/api/9/envelope/", `{"dsn":"https://`+key+`@example.com/9"}`+"\n{\"type\":\"event\"}\n{}", "X-Sentry-Auth", "")
		if len(b.queue.got) != 5 {
			t.Errorf("%d messages, want 5", len(b.queue.got))
		}
		for i, m := range b.queue.got {
			if m.Key != want {
				t.Errorf("message %d has the key %q, want %q", i, m.Key, want)
			}
		}
		b.queue.got = nil
	}
}

func TestClient(t *testing.T) {
	b := newRig(t, nil)
	for _, tt := range []struct{ auth, agent, want string }{
		{"Sentry sentry_client=sentry.java/8.53.0,sentry_key=" + corpus.Key, "Java/21", "sentry.java/8.53.0"},
		{"Sentry sentry_key=" + corpus.Key, "raven/1 (x)", "raven/1 (x)"},
		{"Sentry sentry_key=" + corpus.Key, "", ""},
		{"Sentry sentry_key=" + corpus.Key, "a\x00b\xffc\u2028", "abc"},
		{"Sentry sentry_key=" + corpus.Key, strings.Repeat("é", 180) + "\xff", strings.Repeat("é", maxClient/2)},
		{"Sentry sentry_key=" + corpus.Key, "x" + strings.Repeat("é", 180), "x" + strings.Repeat("é", maxClient/2-1)},
	} {
		b.queue.got = nil
		b.post("/api/9/store/", eventJSON(testID), "X-Sentry-Auth", tt.auth, "User-Agent", tt.agent)
		if len(b.queue.got) != 1 || b.queue.got[0].Client != tt.want {
			t.Errorf("%q, %q: client %q, want %q", tt.auth, tt.agent, b.queue.got[0].Client, tt.want)
		}
	}
}

func TestClientAddress(t *testing.T) {
	for _, tt := range []struct {
		hops      int
		remote    string
		forwarded []string
		want      string
	}{
		{0, "192.0.2.1:1234", []string{"198.51.100.7"}, "192.0.2.1"},
		{0, "[2001:db8::1]:1234", nil, "2001:db8::1"},
		{0, "[::ffff:192.0.2.1]:1", nil, "192.0.2.1"},
		{0, "@", nil, ""},
		{1, "10.0.0.1:1", nil, "10.0.0.1"},
		{1, "10.0.0.1:1", []string{"198.51.100.7"}, "198.51.100.7"},
		{1, "10.0.0.1:1", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
		{2, "10.0.0.1:1", []string{"203.0.113.9, 198.51.100.7", "10.0.0.2"}, "198.51.100.7"},
		{3, "10.0.0.1:1", []string{"198.51.100.7"}, "198.51.100.7"},
		{1, "10.0.0.1:1", []string{"198.51.100.7:4711"}, "198.51.100.7"},
		{1, "10.0.0.1:1", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{1, "10.0.0.1:1", []string{"2001:db8::1%eth0"}, "2001:db8::1"},
		{1, "10.0.0.1:1", []string{"<script>"}, ""},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.RemoteAddr = tt.remote
		r.Header["X-Forwarded-For"] = tt.forwarded
		if got := ClientAddress(r, tt.hops); got != tt.want {
			t.Errorf("%d hops, %s, %q: %q, want %q", tt.hops, tt.remote, tt.forwarded, got, tt.want)
		}
	}
}
