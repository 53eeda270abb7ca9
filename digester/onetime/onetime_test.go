package onetime

import (
	"bytes"
	"image/png"
	"strings"
	"testing"
	"time"
)

// The key of RFC 6238's appendix B, whose codes of eight digits end in ours.
const rfcSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name  string
		typed string
		at    int64
		last  int64
		step  int64
		ok    bool
	}{
		{"the RFC's first", "287082", 59, 0, 1, true},
		{"the RFC's second", "081804", 1111111109, 0, 37037036, true},
		{"with blanks", " 081 804 ", 1111111109, 0, 37037036, true},
		{"a step late", "081804", 1111111109 + 30, 0, 37037036, true},
		{"a step early", "081804", 1111111109 - 30, 0, 37037036, true},
		{"two steps late", "081804", 1111111109 + 61, 0, 0, false},
		{"taken already", "081804", 1111111109, 37037036, 0, false},
		{"older than the one taken", "081804", 1111111109 + 30, 37037037, 0, false},
		{"wrong", "081805", 1111111109, 0, 0, false},
		{"nothing", "", 1111111109, 0, 0, false},
	} {
		step, ok := Match(rfcSecret, c.typed, time.Unix(c.at, 0), c.last)
		if step != c.step || ok != c.ok {
			t.Errorf("%s: step %d, %v; want %d, %v", c.name, step, ok, c.step, c.ok)
		}
	}
}

func TestAddress(t *testing.T) {
	secret := NewSecret()
	if len(secret) != 32 || secret == NewSecret() {
		t.Errorf("secret %q", secret)
	}
	address, err := Address("Sundew", "ada@example.com", secret)
	if err != nil || !strings.HasPrefix(address, "otpauth://totp/Sundew:ada@example.com?") || !strings.Contains(address, "secret="+secret) {
		t.Errorf("address %q, %v", address, err)
	}
	picture, err := Picture(address)
	if err != nil {
		t.Fatal(err)
	}
	if config, err := png.DecodeConfig(bytes.NewReader(picture)); err != nil || config.Width != pictureSize {
		t.Errorf("picture %+v, %v", config, err)
	}
	if _, err := Address("Sundew", "ada@example.com", "not base32!"); err == nil {
		t.Error("an address of no secret")
	}
}

func TestRecoveryCodes(t *testing.T) {
	codes := NewRecoveryCodes()
	seen := make(map[string]bool)
	for _, code := range codes {
		seen[code] = true
		if len(code) != 19 {
			t.Errorf("code %q", code)
		}
		for _, typed := range []string{code, strings.ToUpper(code), strings.ReplaceAll(code, "-", ""), " " + strings.ReplaceAll(code, "-", " ")} {
			if got := CleanRecoveryCode(typed); got != code {
				t.Errorf("%q is %q, want %q", typed, got, code)
			}
		}
	}
	if len(seen) != RecoveryCodes {
		t.Errorf("%d different codes", len(seen))
	}
}
