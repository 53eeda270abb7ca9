// Package erasure tells what is stored about a person.
//
// It exists because people may ask for their data, and for its removal, and name
// themselves in different ways: by the id or name that an application gives them, by a
// mail address, by the address of their device. Rules: an id or a name means something
// only where it stands for a user, so only there it is compared, as a whole. A mail
// address or an IP address is the person's wherever it is written, so it is looked for
// in every text of an event, as a word of its own: ann@example.com is not in
// joann@example.com. Everything here takes values and returns values.
package erasure

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"unicode"

	"sundew/schema/event"
)

// Kind is what names a person.
type Kind string

// The kinds.
const (
	ByID       Kind = "id"
	ByEmail    Kind = "email"
	ByUsername Kind = "username"
	ByIP       Kind = "ip"
)

// ErrSubject is wrapped by errors that say why nobody can be named so.
var ErrSubject = errors.New("this names nobody")

// maxValue bounds a value, in bytes.
const maxValue = 200

// Subject is a person, as they were named. The zero value is nobody.
type Subject struct {
	Kind  Kind
	Value string
}

// Parse returns the person that a form names. Its error wraps ErrSubject and can be
// shown.
func Parse(kind, value string) (Subject, error) {
	s := Subject{Kind(kind), strings.TrimSpace(value)}
	if s.Value == "" || len(s.Value) > maxValue || strings.ContainsFunc(s.Value, unicode.IsControl) {
		return Subject{}, wrap("it needs 1 to 200 printable characters")
	}
	switch s.Kind {
	case ByID, ByUsername:
	case ByEmail:
		at := strings.LastIndexByte(s.Value, '@')
		if at < 1 || at == len(s.Value)-1 || strings.ContainsFunc(s.Value, unicode.IsSpace) {
			return Subject{}, wrap("a mail address looks like name@example.com")
		}
		s.Value = strings.ToLower(s.Value)
	case ByIP:
		ip, err := netip.ParseAddr(s.Value)
		if err != nil || ip.Zone() != "" {
			return Subject{}, wrap("an IP address looks like 192.0.2.1 or 2001:db8::1")
		}
		s.Value = ip.Unmap().String()
	default:
		return Subject{}, wrap("there is no such kind")
	}
	return s, nil
}

type subjectError struct{ words string }

func wrap(words string) error         { return &subjectError{words} }
func (e *subjectError) Error() string { return e.words }
func (e *subjectError) Unwrap() error { return ErrSubject }

// Hash stands for the person where the value must not be repeated: who knows the value
// can find out whether it was meant.
func (s Subject) Hash() string {
	sum := sha256.Sum256([]byte(string(s.Kind) + ":" + s.Value))
	return "sha256:" + hex.EncodeToString(sum[:8])
}

// Identifier is what an event calls the person if it knows nothing better
// (event.User.Identifier).
func (s Subject) Identifier() string { return string(s.Kind) + ":" + s.Value }

// Anywhere reports whether the value means the person wherever it is written.
func (s Subject) Anywhere() bool { return s.Kind == ByEmail || s.Kind == ByIP }

// IsUser reports whether an event's user is the person.
func (s Subject) IsUser(u event.User) bool {
	switch s.Kind {
	case ByID:
		return u.ID == s.Value
	case ByEmail:
		return s.same(u.Email) || s.same(u.ID) || s.same(u.Username)
	case ByUsername:
		return s.same(u.Username)
	case ByIP:
		return s.same(u.IP)
	}
	return false
}

// same compares a whole value.
func (s Subject) same(value string) bool {
	switch s.Kind {
	case ByID:
		return value == s.Value
	case ByIP:
		ip, err := netip.ParseAddr(value)
		return err == nil && ip.Unmap().String() == s.Value
	}
	return value != "" && strings.EqualFold(value, s.Value)
}

// InEvent reports whether an event is about the person: its user, the address that it
// came from, its JSON.
func (s Subject) InEvent(u event.User, remoteIP string, json []byte) bool {
	if s.IsUser(u) || s.Kind == ByIP && s.same(remoteIP) {
		return true
	}
	return s.Anywhere() && s.InJSON(json)
}

// InTag reports whether a value of a tag is about the person.
func (s Subject) InTag(key, value string) bool {
	if key == "user" && strings.EqualFold(value, s.Identifier()) {
		return true
	}
	if name, ok := strings.CutPrefix(key, "user."); ok && (name == string(s.Kind) || s.Kind == ByUsername && name == "name") && s.same(value) {
		return true
	}
	return s.InText(value)
}

// InText reports whether the value is written in a text; of kinds that mean something
// in their place only it never is.
func (s Subject) InText(text string) bool {
	if !s.Anywhere() || len(text) < len(s.Value) {
		return false
	}
	text = strings.ToLower(text)
	for from := 0; ; {
		i := strings.Index(text[from:], s.Value)
		if i < 0 {
			return false
		}
		begin := from + i
		end := begin + len(s.Value)
		if !s.continues(text[:begin], text[end:]) {
			return true
		}
		from = begin + 1
	}
}

// continues reports whether what stands around a value belongs to it, so that it is
// another one.
func (s Subject) continues(before, after string) bool {
	if before != "" {
		last := before[len(before)-1]
		if isWord(last) || s.Kind == ByEmail && strings.IndexByte("._%+-", last) >= 0 || s.Kind == ByIP && numbered(before, true, s.joint()) {
			return true
		}
	}
	if after == "" {
		return false
	}
	if isWord(after[0]) || s.Kind == ByEmail && after[0] == '-' {
		return true
	}
	if s.Kind == ByIP {
		return numbered(after, false, s.joint())
	}
	return after[0] == '.' && len(after) > 1 && isWord(after[1]) // a longer domain, and not the end of a sentence
}

// joint is what holds the parts of the address together.
func (s Subject) joint() byte {
	if strings.IndexByte(s.Value, ':') >= 0 {
		return ':'
	}
	return '.'
}

// numbered reports whether a text begins, or ends, with a joint and a digit behind it.
func numbered(text string, ends bool, joint byte) bool {
	if len(text) < 2 {
		return false
	}
	if ends {
		return text[len(text)-1] == joint && isWord(text[len(text)-2])
	}
	return text[0] == joint && isWord(text[1])
}

// isWord reports whether a byte is a letter or digit. Beyond ASCII none is: quotation
// marks are more frequent there than letters of a mail address.
func isWord(b byte) bool { return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' }
