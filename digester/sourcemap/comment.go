package sourcemap

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
)

// Comment is what the comments at the end of a script say of its map.
type Comment struct {
	URL     string // of "//# sourceMappingURL=": may be relative, or hold the map itself (Inline); "" if absent
	DebugID string // of "//# debugId=", as 32 lower-case hex digits; "" if absent
}

// FromComment finds the comments of a script. The last of each kind counts, and
// only one that nothing follows in its line.
func FromComment(script []byte) Comment {
	var c Comment
	if url, ok := lastComment(script, "sourceMappingURL="); ok {
		c.URL = url
	}
	if id, ok := lastComment(script, "debugId="); ok {
		c.DebugID = DebugID(id)
	}
	return c
}

// lastComment returns what the last comment of a kind says: "//# name=…", or with
// the "@" of old tools, or in "/*# name=… */".
func lastComment(script []byte, name string) (string, bool) {
	for end := len(script); ; {
		i := bytes.LastIndex(script[:end], []byte(name))
		if i < 0 {
			return "", false
		}
		end = i
		if !opensComment(script[max(0, i-8):i]) {
			continue
		}
		value := script[i+len(name):]
		// A space ends it, or what a program would go on with that writes such comments.
		if j := bytes.IndexAny(value, " \t\r\n\"'`"); j >= 0 {
			rest := bytes.TrimLeft(value[j:min(len(value), j+8)], " \t")
			if len(rest) > 0 && rest[0] != '\r' && rest[0] != '\n' && !bytes.HasPrefix(rest, []byte("*/")) {
				continue
			}
			value = value[:j]
		}
		value = bytes.TrimSuffix(value, []byte("*/"))
		return clean(value), true
	}
}

// opensComment reports whether a script's bytes end with the beginning of a comment.
func opensComment(before []byte) bool {
	before = bytes.TrimRight(before, " \t")
	for _, mark := range [...]string{"//#", "//@", "/*#", "/*@"} {
		if bytes.HasSuffix(before, []byte(mark)) {
			return true
		}
	}
	return false
}

// Inline returns the bytes of the map that an address holds
// ("data:application/json;base64,…"). ErrNotInline: it is another address.
func Inline(address string) ([]byte, error) {
	rest, ok := strings.CutPrefix(address, "data:")
	if !ok {
		return nil, ErrNotInline
	}
	kind, body, ok := strings.Cut(rest, ",")
	if !ok {
		return nil, fmt.Errorf("%w: it has no comma", ErrNotInline)
	}
	if strings.HasSuffix(kind, ";base64") {
		data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(body, "="))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotInline, err)
		}
		return data, nil
	}
	text, err := url.PathUnescape(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotInline, err)
	}
	return []byte(text), nil
}

// DebugID returns a debug id as it is compared: 32 lower-case hex digits. It
// takes any case, with dashes or without; "" is what is none.
func DebugID(text string) string {
	text = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(text), "-", ""))
	if _, err := hex.DecodeString(text); err != nil || len(text) != 32 || strings.Trim(text, "0") == "" {
		return ""
	}
	return text
}
