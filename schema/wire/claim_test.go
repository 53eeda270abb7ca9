package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestClaim(t *testing.T) {
	object := []byte("an encoded message")
	claim := ClaimOf("sundew-claims", "claims/2026/11/21/00112233", object)
	encoded := claim.Encode([]byte("before"))[len("before"):]
	text := Text(encoded)
	if len(text) != TextLen(len(encoded)) {
		t.Errorf("TextLen = %d, the text has %d", TextLen(len(encoded)), len(text))
	}
	back, err := FromText(text)
	if err != nil || !IsClaim(back) {
		t.Fatalf("FromText: %v, claim %v", err, IsClaim(back))
	}
	got, err := DecodeClaim(back)
	if err != nil || got != claim {
		t.Fatalf("DecodeClaim = %+v, %v", got, err)
	}
	if err := got.Verify(object); err != nil {
		t.Error(err)
	}
	for _, other := range []string{"", "an encoded messagf", "an encoded message "} {
		if err := got.Verify([]byte(other)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("Verify(%q) = %v", other, err)
		}
	}
}

// TestClaimMark makes sure that a message and a claim cannot be taken for each
// other, not by a program that knows no claims either.
func TestClaimMark(t *testing.T) {
	message := (&Message{Kind: KindEvent}).Encode(nil)
	if IsClaim(message) || IsClaim(nil) {
		t.Error("a message is taken for a claim")
	}
	if _, err := Decode(ClaimOf("b", "k", nil).Encode(nil)); !errors.Is(err, ErrVersion) {
		t.Errorf("Decode of a claim: %v; it must stay in the queue", err)
	}
}

func TestClaimDamage(t *testing.T) {
	good := ClaimOf("bucket", "key", []byte("x")).Encode(nil)
	for n := range good {
		if _, err := DecodeClaim(good[:n]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d of %d bytes: %v", n, len(good), err)
		}
	}
	for _, bad := range []Claim{{Key: "k"}, {Bucket: "b"}, {Bucket: "a/b", Key: "k"}, {Bucket: "b", Key: strings.Repeat("k", MaxClaimName+1)}} {
		if _, err := DecodeClaim(bad.Encode(nil)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := DecodeClaim(append(bytes.Clone(good), 0)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("with a byte more: %v", err)
	}
	if _, err := FromText("not base64!"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("FromText: %v", err)
	}
}
