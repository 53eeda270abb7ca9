// Package password hashes passwords and checks them.
//
// It exists to keep one promise in one place: a password costs whoever guesses 64
// MiB and some milliseconds a try (argon2id, RFC 9106), and costs this program no
// more than a few such tries at once, however many ask.
package password

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
)

// Bounds of a password, in characters and bytes (NIST SP 800-63B: at least 8, every
// character allowed, nothing prescribed about kinds).
const (
	MinLength = 10
	maxBytes  = 1024
)

// ErrUnfit is wrapped by errors about a password that will not do.
var ErrUnfit = errors.New("unfit password")

// Cost is what a try at a password costs.
type Cost struct {
	KiB    uint32 // of memory
	Passes uint32 // over it
}

// Recommended is RFC 9106's second recommendation.
func Recommended() Cost { return Cost{KiB: 64 << 10, Passes: 3} }

func (c Cost) params() *argon2id.Params {
	return &argon2id.Params{Memory: c.KiB, Iterations: c.Passes, Parallelism: 2, SaltLength: 16, KeyLength: 32}
}

// Hasher hashes a few passwords at a time; others wait. It is safe for concurrent
// use.
type Hasher struct {
	turns chan struct{}
	cost  Cost
	dummy func() (string, error) // what a password is compared with where there is no account
}

// NewHasher returns a hasher that takes so many passwords at once, each at a cost:
// what is hashed with it costs as much to check for ever.
func NewHasher(atOnce int, cost Cost) *Hasher {
	return &Hasher{
		turns: make(chan struct{}, atOnce),
		cost:  cost,
		dummy: sync.OnceValues(func() (string, error) { return argon2id.CreateHash("nobody's", cost.params()) }),
	}
}

// Check returns why a password will not do, wrapping ErrUnfit; nil: it will.
func Check(plain string) error {
	switch {
	case utf8.RuneCountInString(plain) < MinLength:
		return fmt.Errorf("%w: it needs at least %d characters", ErrUnfit, MinLength)
	case len(plain) > maxBytes:
		return fmt.Errorf("%w: it is longer than %d bytes", ErrUnfit, maxBytes)
	}
	return nil
}

// Hash returns what is stored of a password; the error wraps ErrUnfit if it will
// not do.
func (h *Hasher) Hash(ctx context.Context, plain string) (string, error) {
	if err := Check(plain); err != nil {
		return "", err
	}
	leave, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return argon2id.CreateHash(plain, h.cost.params())
}

// Matches reports whether a password is the one that was hashed. An empty hash
// matches nothing, after as long as any other takes: how long the answer takes does
// not say whether there is an account.
func (h *Hasher) Matches(ctx context.Context, plain, hash string) (bool, error) {
	if len(plain) > maxBytes {
		return false, nil
	}
	leave, err := h.turn(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if hash == "" {
		dummy, err := h.dummy()
		if err == nil {
			_, err = argon2id.ComparePasswordAndHash(plain, dummy)
		}
		return false, err
	}
	return argon2id.ComparePasswordAndHash(plain, hash)
}

// turn waits for one.
func (h *Hasher) turn(ctx context.Context) (leave func(), err error) {
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
