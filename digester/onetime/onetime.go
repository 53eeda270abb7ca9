// Package onetime makes and checks codes that work once: those that authenticator
// apps show (TOTP, RFC 6238), and recovery codes, which people keep on paper for
// the day on which the app is gone.
//
// It exists so that what counts as the right code is said in one place. Whoever
// calls it knows the time, remembers which code was taken last, and bounds the
// attempts.
package onetime

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"image/png"
	"strings"
	"time"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

const (
	// period is how long an app shows a code.
	period = 30 * time.Second

	// skew is how many codes before and after the current one are taken: clocks of
	// phones are wrong, and typing takes time.
	skew = 1

	// RecoveryCodes is how many there are of a person.
	RecoveryCodes = 10

	// pictureSize is a QR code's width and height in pixels.
	pictureSize = 320
)

// NewSecret returns what an app and we share, 160 bits in base32.
func NewSecret() string {
	var raw [20]byte
	rand.Read(raw[:]) // never fails
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:])
}

// Address returns the otpauth address by which an app learns a secret. issuer and
// account are what the app calls it.
func Address(issuer, account, secret string) (string, error) {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		return "", fmt.Errorf("authenticator's secret: %w", err)
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: account, Secret: raw})
	if err != nil {
		return "", fmt.Errorf("authenticator's address: %w", err)
	}
	return key.URL(), nil
}

// Picture returns an address as a QR code, a PNG.
func Picture(address string) ([]byte, error) {
	code, err := qr.Encode(address, qr.M, qr.Auto)
	if err == nil {
		code, err = barcode.Scale(code, pictureSize, pictureSize)
	}
	if err != nil {
		return nil, fmt.Errorf("QR code: %w", err)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, code); err != nil {
		return nil, fmt.Errorf("QR code: %w", err)
	}
	return out.Bytes(), nil
}

// Match returns the step in time whose code was typed, and whether there is one
// that may be taken: not the last that was, nor one before it.
func Match(secret, typed string, now time.Time, last int64) (step int64, ok bool) {
	typed = strings.Join(strings.Fields(typed), "")
	current := now.Unix() / int64(period.Seconds())
	for step := max(current-skew, last+1); step <= current+skew; step++ {
		code, err := totp.GenerateCodeCustom(secret, time.Unix(step*int64(period.Seconds()), 0), totp.ValidateOpts{
			Period: uint(period.Seconds()), Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1, // all that apps agree on
		})
		if err == nil && subtle.ConstantTimeCompare([]byte(code), []byte(typed)) == 1 {
			return step, true
		}
	}
	return 0, false
}

// NewRecoveryCodes returns codes of 80 bits each: of what is stored of them nobody
// can find the code, though it is a plain hash.
func NewRecoveryCodes() []string {
	codes := make([]string, RecoveryCodes)
	for i := range codes {
		const quarter = 4
		text := strings.ToLower(rand.Text())
		codes[i] = strings.Join([]string{text[:quarter], text[quarter : 2*quarter], text[2*quarter : 3*quarter], text[3*quarter : 4*quarter]}, "-")
	}
	return codes
}

// CleanRecoveryCode returns a code as it was made, however it was typed.
func CleanRecoveryCode(typed string) string {
	var clean strings.Builder
	for _, r := range strings.ToLower(typed) {
		if r >= 'a' && r <= 'z' || r >= '2' && r <= '7' {
			if n := clean.Len(); n == 4 || n == 9 || n == 14 {
				clean.WriteByte('-')
			}
			clean.WriteRune(r)
		}
	}
	return clean.String()
}
