package dashboard

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// sealedFor is how long somebody may take between the two halves of what a browser
// does elsewhere: with a passkey, or at a provider.
const sealedFor = 10 * time.Minute

// maxSpent bounds how many sealed texts are remembered as used.
const maxSpent = 10_000

// sealer has browsers keep for us what they can neither read nor change. Its key is
// this process's own: after a restart whoever is halfway begins again.
type sealer struct {
	aead cipher.AEAD

	mu    sync.Mutex
	spent map[string]time.Time // texts that were used, until they expire; guarded by mu
}

func newSealer() (*sealer, error) {
	var key [32]byte
	rand.Read(key[:]) // never fails
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return &sealer{aead: aead, spent: make(map[string]time.Time)}, nil
}

// sealed is what is in a sealed text.
type sealed struct {
	Until time.Time
	Value json.RawMessage
}

// seal returns a value as text for one purpose.
func (s *sealer) seal(purpose string, value any, now time.Time) (string, error) {
	raw, err := json.Marshal(value)
	if err == nil {
		raw, err = json.Marshal(sealed{Until: now.Add(sealedFor), Value: raw})
	}
	if err != nil {
		return "", fmt.Errorf("sealing: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, raw, []byte(purpose))), nil
}

// open reads what was sealed for a purpose. The error is errUnsealed if it was not,
// has expired or was used.
func (s *sealer) open(purpose, text string, now time.Time, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		raw, err = s.aead.Open(nil, nil, raw, []byte(purpose))
	}
	if err != nil {
		return errUnsealed
	}
	var in sealed
	if err := json.Unmarshal(raw, &in); err != nil {
		return errUnsealed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, used := s.spent[text]; used || now.After(in.Until) {
		return errUnsealed
	}
	return json.Unmarshal(in.Value, into)
}

// spend has a text not be opened again. Only what led to something is remembered, so
// that nobody can fill the memory by asking.
func (s *sealer) spend(text string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, until := range s.spent {
		if now.After(until) || len(s.spent) >= maxSpent {
			delete(s.spent, old)
		}
	}
	s.spent[text] = now.Add(sealedFor)
}
