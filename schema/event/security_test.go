package event

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// securitySeeds are one report of each kind, as the specifications print them.
var securitySeeds = []string{
	`{"csp-report":{"document-uri":"https://shop.example.com/cart?id=1","effective-directive":"script-src-elem","violated-directive":"script-src 'self'","blocked-uri":"https://evil.example.com:8443/x.js?y","disposition":"enforce"}}`,
	`{"csp-report":{"document-uri":"https://shop.example.com/","violated-directive":"style-src 'self'","blocked-uri":""}}`,
	`{"type":"csp-violation","age":1,"url":"https://shop.example.com/cart#x","user_agent":"Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0","body":{"documentURL":"https://shop.example.com/cart","effectiveDirective":"img-src","blockedURL":"data","disposition":"report"}}`,
	`{"type":"deprecation","url":"https://shop.example.com/a","body":{"id":"WebSQL","message":"WebSQL is gone","lineNumber":3}}`,
	`{"type":"intervention","url":"https://shop.example.com/a","body":{"id":"Audio","message":"A sound was blocked"}}`,
	`{"type":"crash","url":"https://shop.example.com/a","body":{"reason":"oom"}}`,
	`{"type":"network-error","url":"https://shop.example.com/a","body":{"type":"dns.name_not_resolved","phase":"dns"}}`,
	`{"type":"coep","url":"https://shop.example.com/a","body":{"type":"corp","blockedURL":"https://cdn.example.com/y"}}`,
	`{"expect-ct-report":{"hostname":"www.example.com","port":443}}`,
	`{"expect-staple-report":{"hostname":"www.example.com"}}`,
	`{"hostname":"www.example.com","noted-hostname":"example.com","known-pins":["x"]}`,
	`{}`,
}

func TestParseSecurity(t *testing.T) {
	type summary struct {
		Message, Kind, Directive, Blocked, Document, URL string
		Level                                            Level
		Tags                                             []Pair
	}
	want := []summary{
		{"Blocked 'script-src-elem' from 'evil.example.com:8443'", "csp", "script-src-elem", "evil.example.com:8443", "https://shop.example.com/cart", "https://shop.example.com/cart?id=1", LevelWarning, []Pair{{"effective-directive", "script-src-elem"}, {"blocked-uri", "evil.example.com:8443"}}},
		{"Blocked inline 'style-src'", "csp", "style-src", "inline", "https://shop.example.com/", "https://shop.example.com/", LevelWarning, []Pair{{"effective-directive", "style-src"}, {"blocked-uri", "inline"}}},
		{"Blocked 'img-src' from 'data'", "csp", "img-src", "data", "https://shop.example.com/cart", "https://shop.example.com/cart", LevelWarning, []Pair{{"effective-directive", "img-src"}, {"blocked-uri", "data"}}},
		{"deprecation: WebSQL is gone", "deprecation", "WebSQL", "", "https://shop.example.com/a", "https://shop.example.com/a", LevelWarning, []Pair{{"report-type", "deprecation"}}},
		{"intervention: A sound was blocked", "intervention", "Audio", "", "https://shop.example.com/a", "https://shop.example.com/a", LevelWarning, []Pair{{"report-type", "intervention"}}},
		{"Page crashed: oom", "crash", "oom", "", "https://shop.example.com/a", "https://shop.example.com/a", LevelError, []Pair{{"report-type", "crash"}}},
		{"Network error: dns.name_not_resolved", "network-error", "dns.name_not_resolved", "", "https://shop.example.com/a", "https://shop.example.com/a", LevelWarning, []Pair{{"report-type", "network-error"}}},
		{"coep: corp", "coep", "corp", "cdn.example.com", "https://shop.example.com/a", "https://shop.example.com/a", LevelWarning, []Pair{{"report-type", "coep"}, {"blocked-uri", "cdn.example.com"}}},
		{"Expect-CT failed for 'www.example.com'", "expect-ct", "", "", "", "", LevelWarning, []Pair{{"report-type", "expect-ct"}}},
		{"Expect-Staple failed for 'www.example.com'", "expect-staple", "", "", "", "", LevelWarning, []Pair{{"report-type", "expect-staple"}}},
		{"Public key pinning failed for 'www.example.com'", "hpkp", "", "", "", "", LevelWarning, []Pair{{"report-type", "hpkp"}}},
		{"report", "report", "", "", "", "", LevelWarning, []Pair{{"report-type", "report"}}},
	}
	for i, report := range securitySeeds {
		e, err := ParseSecurity([]byte(report), "staging", "web@1")
		if err != nil {
			t.Errorf("%s: %v", report, err)
			continue
		}
		if e.Environment != "staging" || e.Release != "web@1" || e.Platform != "javascript" {
			t.Errorf("%s: environment %q, release %q, platform %q", report, e.Environment, e.Release, e.Platform)
		}
		s := e.Security
		got := summary{e.Message.Text(), s.Kind, s.Directive, s.Blocked, s.Document, e.Request.URL, e.Level, e.Tags}
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", report, diff)
		}
	}
}
