package password

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestHasher(t *testing.T) {
	h := NewHasher(1, Recommended())
	hash, err := h.Hash(t.Context(), "correct horse battery")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=65536,t=3,p=2$") {
		t.Fatalf("hash %q, %v", hash, err)
	}
	for _, c := range []struct {
		plain, hash string
		want        bool
	}{
		{"correct horse battery", hash, true},
		{"correct horse batterx", hash, false},
		{"", hash, false},
		{"nobody's", "", false}, // what the stand-in is made of opens nothing
	} {
		got, err := h.Matches(t.Context(), c.plain, c.hash)
		if err != nil || got != c.want {
			t.Errorf("%q: %v, %v", c.plain, got, err)
		}
	}
	for _, unfit := range []string{"", "short", "ninechars", strings.Repeat("x", maxBytes+1)} {
		if _, err := h.Hash(t.Context(), unfit); !errors.Is(err, ErrUnfit) {
			t.Errorf("%d characters: %v", len(unfit), err)
		}
	}
}

// Who waits for a turn can leave.
func TestTurns(t *testing.T) {
	h := NewHasher(1, Recommended())
	leave, err := h.turn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Matches(ctx, "correct horse battery", ""); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	leave()
	if _, err := h.Matches(t.Context(), "correct horse battery", ""); err != nil {
		t.Fatal(err)
	}
}
