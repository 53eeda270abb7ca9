package edge

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/corpus"
	"sundew/schema/keyring"
)

// withOrigins is an edge that knows from where browsers may report to project 9.
func withOrigins(cfg *Config) {
	cfg.Keys = testKeys{quotas: keyring.NewRing(&keyring.Snapshot{
		Origins: []keyring.Origins{{Project: 9, Allowed: []string{"*.example.com", "https://example.org"}}},
	})}
}

// TestOrigins: a page of a domain that is not allowed gets the protocol's refusal,
// in a form that its script may read, and is counted. What is no web page is not
// asked where it comes from.
func TestOrigins(t *testing.T) {
	for _, tt := range []struct {
		name, project   string
		origin, referer string
		refused         bool
	}{
		{name: "a server", project: "9"},
		{name: "an allowed page", project: "9", origin: "https://shop.example.com"},
		{name: "an allowed page on a port", project: "9", origin: "http://example.com:3000"},
		{name: "an allowed scheme", project: "9", origin: "https://example.org"},
		{name: "another scheme", project: "9", origin: "http://example.org", refused: true},
		{name: "a foreign page", project: "9", origin: "https://example.net", refused: true},
		{name: "upper case does not help", project: "9", origin: "HTTPS://EXAMPLE.NET", refused: true},
		{name: "a name that only ends alike", project: "9", origin: "https://notexample.com", refused: true},
		{name: "a referer alone", project: "9", referer: "https://example.net/checkout?x=1", refused: true},
		{name: "an allowed referer", project: "9", referer: "https://www.example.com/checkout"},
		{name: "the origin counts", project: "9", origin: "https://www.example.com", referer: "https://example.net/"},
		{name: "a sandboxed frame", project: "9", origin: "null"},
		{name: "a sandboxed frame with a referer", project: "9", origin: "null", referer: "https://example.net/", refused: true},
		{name: "an extension", project: "9", origin: "chrome-extension://abcdef"},
		{name: "no host", project: "9", origin: "https://", refused: true},
		{name: "another project", project: "8", origin: "https://example.net"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newRig(t, withOrigins)
			w := b.post("/api/"+tt.project+"/envelope/?sentry_key="+corpus.Key, string(envelopeOf(`{"type":"event"}`, eventJSON(idA))),
				"Origin", tt.origin, "Referer", tt.referer)
			want, status := map[string]int64{}, http.StatusOK
			if tt.refused {
				want, status = map[string]int64{"error/refused/cors": 1}, http.StatusForbidden
				if h := w.Header(); h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("X-Sentry-Error"), "domain") {
					t.Errorf("the refusal's headers: %v", h)
				}
			}
			if w.Code != status || (len(b.queue.got) == 0) != tt.refused {
				t.Errorf("status %d, want %d, with %d events: %s", w.Code, status, len(b.queue.got), w.Body)
			}
			if diff := cmp.Diff(want, b.flushed()); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOriginsElsewhere: the key may be in the envelope's header only, undecided, or
// belong to a browser's security report; a disabled one is refused as that.
func TestOriginsElsewhere(t *testing.T) {
	dsn := `{"dsn":"https://` + corpus.Key + `@example.com/9"}` + "\n{\"type\":\"event\"}\n" + eventJSON(idA)
	for _, tt := range []struct{ path, body, want string }{
		{"/api/9/envelope/", dsn, "error/refused/cors"},
		{"/api/9/envelope/?sentry_key=" + undecidedKey, dsn, "error/refused/cors"},
		{"/api/9/envelope/?sentry_key=" + disabledKey, dsn, "error/refused/auth_disabled"},
		{"/api/9/security/?sentry_key=" + corpus.Key, `{"csp-report":{"blocked-uri":"inline"}}`, "security/refused/cors"},
	} {
		b := newRig(t, withOrigins)
		w := b.post(tt.path, tt.body, "Origin", "https://example.net", "X-Sentry-Auth", "")
		if w.Code != http.StatusForbidden || b.flushed()[tt.want] != 1 {
			t.Errorf("%s: status %d, want 403 for %s", tt.path, w.Code, tt.want)
		}
	}
}
