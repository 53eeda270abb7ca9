package scrub

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Bounds of a project's settings.
const (
	MaxNames       = 100 // of either list
	MaxNameSize    = 100 // bytes
	MaxPatterns    = 20
	MaxPatternSize = 200 // bytes
)

// ErrSettings is wrapped by errors that say which setting cannot be used, and why.
var ErrSettings = errors.New("not usable")

// AddressPolicy says what becomes of IP addresses.
type AddressPolicy string

// The policies. The zero value stores them: an address is reported only where an
// application asks its SDK for it, and "users affected" counts by it where there is
// no other identity.
const (
	StoreAddresses    AddressPolicy = ""
	TruncateAddresses AddressPolicy = "truncate" // the last 8 bits of IPv4 and 80 of IPv6 become zero
	DropAddresses     AddressPolicy = "drop"
)

// Settings is what people set about a project's privacy. The zero value is what holds
// for projects where nobody did.
type Settings struct {
	// Off switches scrubbing off; addresses are treated as Addresses says all the same.
	Off bool `json:"off,omitempty"`
	// Names are names of members, headers and fields that are secret beside the usual
	// ones. A name counts in any spelling: "tax id" is taxId, TAX_ID and x-tax-id-old.
	Names []string `json:"names,omitempty"`
	// Safe are names that are not secret though their spelling says so.
	Safe []string `json:"safe,omitempty"`
	// Patterns are regular expressions (RE2) whose matches are taken out of any text.
	Patterns []string `json:"patterns,omitempty"`
	// Addresses says what becomes of IP addresses.
	Addresses AddressPolicy `json:"addresses,omitempty"`
	// RefuseFiles makes the edge leave attachments out.
	RefuseFiles bool `json:"refuse_files,omitempty"`
}

// IsZero reports whether the settings are those of a project that has set nothing.
func (s Settings) IsZero() bool { return s.Equal(Settings{}) }

// Equal reports whether two settings say the same.
func (s Settings) Equal(other Settings) bool {
	return s.Off == other.Off && s.Addresses == other.Addresses && s.RefuseFiles == other.RefuseFiles &&
		slices.Equal(s.Names, other.Names) && slices.Equal(s.Safe, other.Safe) && slices.Equal(s.Patterns, other.Patterns)
}

// check returns the first thing that is wrong.
func (s Settings) check() error {
	switch s.Addresses {
	case StoreAddresses, TruncateAddresses, DropAddresses:
	default:
		return fmt.Errorf("the treatment of addresses is %w: %q", ErrSettings, s.Addresses)
	}
	for _, list := range [][]string{s.Names, s.Safe} {
		if len(list) > MaxNames {
			return fmt.Errorf("a list of %d names is %w: at most %d are possible", len(list), ErrSettings, MaxNames)
		}
		for i, text := range list {
			if err := checkName(text); err != nil {
				return fmt.Errorf("line %d: %w", i+1, err)
			}
		}
	}
	if len(s.Patterns) > MaxPatterns {
		return fmt.Errorf("a list of %d patterns is %w: at most %d are possible", len(s.Patterns), ErrSettings, MaxPatterns)
	}
	for i, text := range s.Patterns {
		if err := checkPattern(text); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return nil
}

func checkName(text string) error {
	if len(text) > MaxNameSize {
		return fmt.Errorf("a name of %d bytes is %w: at most %d are possible", len(text), ErrSettings, MaxNameSize)
	}
	if parsed := parseName(text); len(parsed.joined) < 2 {
		return fmt.Errorf("the name %q is %w: it needs two letters or digits of the Latin alphabet at least", text, ErrSettings)
	}
	return nil
}

// checkPattern refuses what would take out everything, too: a pattern that matches
// what stands for a filtered value would filter that again and again.
func checkPattern(text string) error {
	if len(text) > MaxPatternSize {
		return fmt.Errorf("a pattern of %d bytes is %w: at most %d are possible", len(text), ErrSettings, MaxPatternSize)
	}
	pattern, err := regexp.Compile(text)
	switch {
	case err != nil:
		return fmt.Errorf("the pattern %q is %w: %s", text, ErrSettings, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	case pattern.MatchString(""):
		return fmt.Errorf("the pattern %q is %w: it matches nothing at all, so it is found everywhere", text, ErrSettings)
	case pattern.MatchString(Filtered):
		return fmt.Errorf("the pattern %q is %w: it matches %s too", text, ErrSettings, Filtered)
	}
	return nil
}

// Lines returns what a form's text field with one entry a line says, without empty
// lines and repetitions.
func Lines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}
