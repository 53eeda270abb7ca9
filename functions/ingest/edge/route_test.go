package edge

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPaths(t *testing.T) {
	b := newRig(t, nil)
	body := envelopeOf(`{"type":"event"}`, eventJSON(testID))
	for _, tt := range []struct {
		path    string
		handles bool
		status  int
	}{
		{"/api/42/envelope/", true, 200},
		{"/api/42/envelope", true, 200},
		{"//api//42//envelope//", true, 200},
		{"/sentry/api/42/envelope/", true, 200},
		{"/a/b/api/42/envelope", true, 200},
		{"/api/api/42/envelope", true, 200},
		{"/api/9223372036854775807/envelope/", true, 200},
		{"/api/0/envelope/", true, 400},
		{"/api/-1/envelope/", true, 400},
		{"/api/+1/envelope/", true, 400},
		{"/api/x/envelope/", true, 400},
		{"/api/9223372036854775808/envelope/", true, 400},
		{"/api/", true, 404},
		{"/api/42/", true, 404},
		{"/api/store/", true, 404},
		{"/api/42/minidump/", true, 404},
		{"/api/42/envelope/more", true, 404},
		{"/api/0/organizations/acme/", false, 404},
		{"//api//0/", false, 404},
		{"/api/0/envelope/", true, 400},
		{"/api/00/", true, 404},
		{"/api/embed/error-page/", true, 404},
		{"/", false, 404},
		{"/issues/", false, 404},
		{"/projects/api/settings", false, 404},
		{"/apis/42/envelope/", false, 404},
	} {
		if got := Handles(tt.path); got != tt.handles {
			t.Errorf("Handles(%q) = %v", tt.path, got)
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.URL.Path = tt.path
		r.Header.Set("X-Sentry-Auth", testAuth)
		if w := b.do(r); w.Code != tt.status {
			t.Errorf("POST %s: status %d, want %d", tt.path, w.Code, tt.status)
		}
	}
	if got := b.flushed()["-error/refused/bad_project"]; got != 6 {
		t.Errorf("counted %d bad projects", got)
	}
}

func TestMethods(t *testing.T) {
	b := newRig(t, nil)
	for _, path := range []string{"/api/9/envelope/", "/api/9/store", "/api/9/security/"} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, "BREW"} {
			w := b.do(httptest.NewRequest(method, path, nil))
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST, OPTIONS" {
				t.Errorf("%s %s: status %d, Allow %q", method, path, w.Code, w.Header().Get("Allow"))
			}
		}
	}
}

func TestPreflight(t *testing.T) {
	b := newRig(t, nil)
	usual := allowedHeaders
	for requested, want := range map[string]string{
		"":                                    usual,
		"x-custom-header,x-sentry-auth":       usual + ", x-custom-header",
		"X-Custom, x-custom , Content-Type":   usual + ", x-custom",
		"x-a\r\nSet-Cookie: b, <b>, x b,, ok": usual + ", ok",
		strings.Repeat("x", 65):               usual,
	} {
		r := httptest.NewRequest(http.MethodOptions, "/api/9/envelope/", nil)
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", requested)
		w := b.do(r)
		if got := w.Header().Get("Access-Control-Allow-Headers"); w.Code != http.StatusOK || got != want {
			t.Errorf("preflight for %q: status %d, allows %q", requested, w.Code, got)
		}
		if w.Body.Len() != 0 {
			t.Errorf("preflight has a body: %s", w.Body)
		}
	}
	names := make([]string, 0, 1000)
	for i := range 1000 {
		names = append(names, "x-"+strings.Repeat("y", i%60))
	}
	if got := len(allowHeaders(strings.Join(names, ","))); got > 3000 {
		t.Errorf("a preflight is answered with %d bytes", got)
	}
}
