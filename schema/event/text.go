package event

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// text reads any value as text of at most max characters: a string is what it
// says, null is "", numbers are as written, booleans are "True" and "False" as
// Sentry has them in tags, and lists and objects are their JSON.
func (r *reader) text(max int) string {
	k := r.kind()
	v := r.value()
	switch k {
	case 0, 'n':
		return ""
	case '"':
		return cut(unquote(v), max)
	case 't':
		return "True"
	case 'f':
		return "False"
	case '0':
		return cut(v, max)
	}
	return compact(v, max)
}

// line reads any value as text of one line.
func (r *reader) line(max int) string { return oneLine(r.text(max)) }

// stringOnly reads a string of at most max characters; any other kind is "".
func (r *reader) stringOnly(max int) string {
	if r.kind() != '"' {
		r.skip()
		return ""
	}
	return r.text(max)
}

// boolean reads true and false, and what stands for them; nil if it is neither.
func (r *reader) boolean() *bool {
	var b bool
	switch strings.ToLower(r.text(maxShort)) {
	case "true", "yes", "1":
		b = true
	case "false", "no", "0":
	default:
		return nil
	}
	return &b
}

// number reads a number, or a string of one, as an integer; ok is false if it is
// none.
func (r *reader) number() (n int, ok bool) {
	s := r.text(maxShort)
	if n, err := strconv.Atoi(s); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > math.MaxInt32 {
		return 0, false
	}
	return int(f), true
}

// position reads a 1-based line or column; 0 if it is none.
func (r *reader) position() int {
	n, _ := r.number()
	return min(max(n, 0), math.MaxInt32)
}

// unquote returns what a JSON string says: valid UTF-8 without NUL. It aliases v
// when there is nothing to replace.
func unquote(v jsontext.Value) []byte {
	if len(v) < 2 {
		return nil
	}
	if b := v[1 : len(v)-1]; bytes.IndexByte(b, '\\') < 0 && utf8.Valid(b) {
		return b
	}
	b, _ := jsontext.AppendUnquote(nil, v) // its error is that something became U+FFFD
	if bytes.IndexByte(b, 0) >= 0 {
		b = bytes.ReplaceAll(b, []byte{0}, nil)
	}
	return b
}

// compact returns a list or object as text without the space between its tokens.
func compact(v jsontext.Value, max int) string {
	clean := jsontext.Value(bytes.Clone(sanitize(v)))
	if err := clean.Compact(jsontext.AllowDuplicateNames(true)); err != nil {
		return "" // what sanitize returns is JSON: v was
	}
	return cut(clean, max)
}

// cut returns b as a string of at most max characters; the last of them is an
// ellipsis when something is missing.
func cut(b []byte, max int) string {
	if len(b) > max {
		if end, over := limit(b, max); over {
			return string(b[:end]) + "…"
		}
	}
	return string(b)
}

// limit reports whether b has more than max characters, and where the first
// max-1 of them end.
func limit(b []byte, max int) (end int, over bool) {
	for i, n := 0, 0; i < len(b); n++ {
		if n == max-1 {
			end = i
		}
		if n == max {
			return end, true
		}
		_, size := utf8.DecodeRune(b[i:])
		i += size
	}
	return 0, false
}

// oneLine returns s without the newlines and control characters that would break
// a list or a log line, and without space around it.
func oneLine(s string) string {
	if strings.IndexFunc(s, isControl) < 0 {
		return strings.TrimSpace(s)
	}
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if isControl(c) {
			return ' '
		}
		return c
	}, s))
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f }
