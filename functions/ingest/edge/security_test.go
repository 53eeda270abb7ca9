package edge

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/wire"
)

func TestSecurity(t *testing.T) {
	csp := `{"csp-report":{"document-uri":"https://example.com/","blocked-uri":"inline"}}`
	violation := `{"type":"csp-violation","age":1,"url":"https://example.com/","body":{"blockedURL":"inline"}}`
	deprecation := `{"type":"deprecation","age":1,"url":"https://example.com/","body":{"id":"x"}}`
	for _, tt := range []struct {
		name, contentType, body string
		status                  int
		want                    []string
		reason                  string
	}{
		{"csp", "application/csp-report", csp, 200, []string{csp}, ""},
		{"csp with charset", "application/csp-report; charset=utf-8", csp, 200, []string{csp}, ""},
		{"csp without type", "", csp, 200, []string{csp}, ""},
		{"csp as a list's type", "application/reports+json", csp, 200, []string{csp}, ""},
		{"csp as json", "application/json", " \n" + csp, 200, []string{" \n" + csp}, ""},
		{"expect-ct", "application/expect-ct-report+json", `{"expect-ct-report":{}}`, 200, []string{`{"expect-ct-report":{}}`}, ""},
		{"list", "application/reports+json", "[" + violation + ",\n " + deprecation + "]", 200, []string{violation, deprecation}, ""},
		{"list as text", "text/plain", " [" + violation + "]", 200, []string{violation}, ""},
		{"one of the list alone", "application/reports+json", violation, 200, []string{violation}, ""},
		{"empty list", "application/reports+json", "[]", 200, []string{}, ""},
		{"list with rubbish", "application/reports+json", "[7," + violation + ",{}]", 200, []string{violation}, "bad_json"},
		{"list broken off", "application/reports+json", "[" + violation + ",{", 200, []string{violation}, "bad_json"},
		{"rubbish", "application/csp-report", "x", 400, []string{}, "bad_json"},
		{"empty", "application/csp-report", "", 400, []string{}, "bad_json"},
		{"no report", "application/csp-report", `{"csp-report":7,"a":{"body":{}}}`, 400, []string{}, "bad_json"},
		{"deep", "application/csp-report", `{"csp-report":` + strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 71), 413, []string{}, "too_deep"},
		{"very deep list", "", strings.Repeat("[", 60000), 400, []string{}, "bad_json"},
		{"too large", "application/csp-report", `{"csp-report":{"x":"` + strings.Repeat("x", 64<<10) + `"}}`, 413, []string{}, "too_large"},
		{"too many", "", "[" + strings.Repeat(violation+",", 101) + "7]", 200, strings.Split(strings.Repeat(violation+"\n", 99)+violation, "\n"), "too_many_items"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newRig(t, nil)
			w := b.post("/api/9/security/?sentry_environment=staging&sentry_release=web%403.2.0", tt.body, "Content-Type", tt.contentType)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			got := []string{}
			ids := map[string]bool{}
			for _, m := range b.queue.got {
				got = append(got, b.plain(m))
				ids[m.EventID.String()] = true
				if m.Kind != wire.KindCSP || m.EventID.IsZero() || m.Environment != "staging" || m.Release != "web@3.2.0" {
					t.Errorf("queued %+v", m)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("reports (-want +got):\n%s", diff)
			}
			if len(ids) != len(got) || len(got) > 0 && answeredID(t, w) != b.queue.got[0].EventID.String() {
				t.Errorf("%d ids for %d reports, answer %s", len(ids), len(got), w.Body)
			}
			counts := b.flushed()
			if tt.reason == "" && len(counts) > 0 || tt.reason != "" && counts["security/refused/"+tt.reason] == 0 {
				t.Errorf("counted %v", counts)
			}
		})
	}
}

// TestSecurityBomb checks that the cap of reports holds after decompression too.
func TestSecurityBomb(t *testing.T) {
	b := newRig(t, nil)
	body := compress(t, "gzip", []byte(`{"csp-report":{"x":"`+strings.Repeat("x", 1<<20)+`"}}`))
	if w := b.post("/api/9/security/", string(body), "Content-Encoding", "gzip"); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

// TestSecurityQuery checks that what a query says is kept within bounds.
func TestSecurityQuery(t *testing.T) {
	b := newRig(t, nil)
	b.post("/api/9/security/?sentry_environment=a%00b"+strings.Repeat("x", 100)+"&sentry_release="+strings.Repeat("%C3%A9", 300), `{"csp-report":{}}`)
	m := b.queue.got[0]
	if m.Environment != "ab"+strings.Repeat("x", 62) || m.Release != strings.Repeat("é", 100) {
		t.Errorf("environment %q, release %q", m.Environment, m.Release)
	}
}
