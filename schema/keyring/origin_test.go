package keyring

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseOrigins(t *testing.T) {
	got, err := ParseOrigins(" Example.com \n\n*.example.org\r\nhttps://example.net:8443\n*:3000\n*\nhttp://[::1]:80\n")
	want := []string{"example.com", "*.example.org", "https://example.net:8443", "*:3000", "*", "http://[::1]:80"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{
		"https://", "ftp://example.com", "example.com/path", "https://example.com/", "ex*mple.com", "*.*.com", "a b", ".example.com",
		"example.com:http", "example.com:123456", "user@example.com", "a,b", "<script>", strings.Repeat("a", 256), "[zz]",
	} {
		if got, err := ParseOrigins("example.com\n" + bad); !errors.Is(err, ErrOrigin) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v, %v", bad, got, err)
		}
	}
	if _, err := ParseOrigins(strings.Repeat("example.com\n", 101)); !errors.Is(err, ErrOrigin) {
		t.Errorf("101 origins: %v", err)
	}
}

func TestAllows(t *testing.T) {
	for _, tt := range []struct {
		allowed, page string
		want          bool
	}{
		{"example.com", "https://example.com", true},
		{"example.com", "http://EXAMPLE.com:8080", true},
		{"example.com", "https://www.example.com", false},
		{"*.example.com", "https://a.b.example.com/path?q", true},
		{"*.example.com", "https://example.com", true},
		{"*.example.com", "https://badexample.com", false},
		{"*.example.com", "https://example.com.evil.example", false},
		{"https://example.com", "https://example.com:443", true},
		{"https://example.com", "https://example.com:8443", false},
		{"https://example.com", "http://example.com", false},
		{"https://*.example.com", "https://x.example.com", true},
		{"*:3000", "http://localhost:3000", true},
		{"*:3000", "http://localhost:3001", false},
		{"*", "https://anything.example", true},
		{"example.com", "https://example.com@evil.example", false},
		{"[::1]", "http://[::1]:5000", true},
		{"example.com", "%", false},
	} {
		r := NewRing(&Snapshot{Origins: []Origins{{Project: 1, Allowed: []string{"nothing.example", tt.allowed}}}})
		if got := r.Allows(1, tt.page); got != tt.want {
			t.Errorf("%s at %s: %v", tt.page, tt.allowed, got)
		}
		if !r.Allows(2, tt.page) {
			t.Errorf("a project without a list does not allow %s", tt.page)
		}
	}
}

// What a list takes never allows a page of another host.
func FuzzOrigin(f *testing.F) {
	f.Add("*.example.com", "https://example.com")
	f.Add("https://[::1]:3000", "http://a:b@c/%zz")
	f.Fuzz(func(t *testing.T, allowed, page string) {
		list, err := ParseOrigins(allowed)
		if err != nil {
			if !errors.Is(err, ErrOrigin) {
				t.Fatal(err)
			}
			return
		}
		again, err := ParseOrigins(strings.Join(list, "\n"))
		if err != nil || !cmp.Equal(list, again) {
			t.Fatalf("%q reads as %q, that as %q, %v", allowed, list, again, err)
		}
		NewRing(&Snapshot{Origins: []Origins{{Project: 1, Allowed: list}}}).Allows(1, page)
	})
}
