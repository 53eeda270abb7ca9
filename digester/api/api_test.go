package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestIndex(t *testing.T) {
	r := newRig(t, nil)
	got := r.must(http.StatusOK, "GET", "/", "")
	want := `{"version":"0","auth":{"scopes":["project:read","project:write","project:releases","event:read","event:write","event:admin","org:read","project:admin","org:write","org:admin"]},"user":{"id":`
	if !strings.HasPrefix(got, want) {
		t.Errorf("got %s", got)
	}
	if got := mustStatus(t, r.do("GET", "/api/0/", r.otherToken, ""), http.StatusOK); !strings.Contains(got, `"user":null`) {
		t.Errorf("a project's token is %s", got)
	}
}

// Tools follow no redirects: whatever they make of an address is answered.
func TestPaths(t *testing.T) {
	r := newRig(t, func(c *Config) { c.PublicURL = "http://errors.example.com/sundew/" })
	for path, want := range map[string]int{
		"/api/0/": 200, "/api/0": 200, "//api//0/": 200, "/sundew/api/0/": 200, "/sundew//api/0": 200,
		"/api/0/nowhere/": 404, "/api/0/organizations/x/nowhere": 404,
	} {
		if !r.api.Claims(strings.SplitN(path, "?", 2)[0]) {
			t.Errorf("%s is not claimed", path)
		}
		req := r.do("GET", "http://x"+path, r.ownerToken, "")
		if req.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, req.StatusCode, want)
		}
	}
	for _, path := range []string{"/", "/api/", "/api/1/envelope/", "/sundew/issues", "/api/00/", "/projects/api/0"} {
		if r.api.Claims(path) {
			t.Errorf("%s is claimed", path)
		}
	}
}

func TestMethods(t *testing.T) {
	r := newRig(t, nil)
	answer := r.do("DELETE", "/api/0/", r.ownerToken, "")
	if got := mustStatus(t, answer, http.StatusMethodNotAllowed); answer.Header.Get("Allow") != "GET" || !strings.Contains(got, `"detail":`) {
		t.Errorf("Allow %q: %s", answer.Header.Get("Allow"), got)
	}
	if got := mustStatus(t, r.do("GET", "/api/0/nowhere/", r.ownerToken, ""), http.StatusNotFound); !strings.Contains(got, "is not something Sundew has: what it has is on http://errors.example.com/docs/api") {
		t.Errorf("got %s", got)
	}
}

func TestRate(t *testing.T) {
	r := newRig(t, func(c *Config) { c.PerMin = 2 })
	for _, left := range []string{"1", "0"} {
		answer := r.do("GET", "/api/0/", r.ownerToken, "")
		mustStatus(t, answer, http.StatusOK)
		if h := answer.Header; h.Get("X-Sentry-Rate-Limit-Limit") != "2" || h.Get("X-Sentry-Rate-Limit-Remaining") != left {
			t.Errorf("headers %v", h)
		}
	}
	answer := r.do("GET", "/api/0/", r.ownerToken, "")
	mustStatus(t, answer, http.StatusTooManyRequests)
	if got := answer.Header.Get("Retry-After"); got != "60" {
		t.Errorf("Retry-After %q", got)
	}
	mustStatus(t, r.do("GET", "/api/0/", r.viewerToken, ""), http.StatusOK)
	r.now = r.now.Add(time.Minute)
	mustStatus(t, r.do("GET", "/api/0/", r.ownerToken, ""), http.StatusOK)
}

func TestCursor(t *testing.T) {
	for text, want := range map[string]cursor{"": {}, "0:100:0": {Offset: 100}, "17:3:1": {17, 3, true}, "1700000000.0:0:0": {Value: 1700000000}} {
		if got, err := parseCursor(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"x", "1:2", "1:2:3:4", "-1:0:0", "0:-1:0", "0:0:2", "0:9999999999:0"} {
		if got, err := parseCursor(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
	if diff := cmp.Diff("17:3:1", cursor{17, 3, true}.String()); diff != "" {
		t.Error(diff)
	}
}
