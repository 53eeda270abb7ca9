package sourcemap

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// reader walks over JSON. A map is megabytes of a few long strings, most of
// them never asked for: the reader finds their ends at the speed of memory and
// decodes what is wanted, which is several times as fast as encoding/json.
//
// It checks what it reads, not what it passes over.
type reader struct {
	data []byte
	at   int
}

// text is a JSON string as it is written, between its quotes.
type text []byte

var (
	errEnd   = errors.New("it ends too early")
	errDepth = errors.New("it is nested too deep")
)

// maxJSONDepth bounds how deep values may be nested that are passed over.
const maxJSONDepth = 1000

// peek returns the first byte of the next value or mark, 0 at the end.
func (r *reader) peek() byte {
	for r.at < len(r.data) {
		switch c := r.data[r.at]; c {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return c
		}
	}
	return 0
}

// expect passes over a mark.
func (r *reader) expect(c byte) error {
	got := r.peek()
	if got == c {
		r.at++
		return nil
	}
	if got == 0 {
		return errEnd
	}
	return fmt.Errorf("byte %d is %q where %q should be", r.at, got, c)
}

// object calls field for each member of an object; field reads or skips its value.
func (r *reader) object(field func(key string) error) error {
	if err := r.expect('{'); err != nil {
		return err
	}
	if r.peek() == '}' {
		r.at++
		return nil
	}
	for {
		key, err := r.str()
		if err != nil {
			return err
		}
		if err := r.expect(':'); err != nil {
			return err
		}
		if err := field(string(key)); err != nil {
			return err
		}
		if r.peek() == '}' {
			r.at++
			return nil
		}
		if err := r.expect(','); err != nil {
			return err
		}
	}
}

// list calls item for each item of a list; item reads or skips it. Null is an
// empty list.
func (r *reader) list(item func() error) error {
	if r.peek() == 'n' {
		return r.skip()
	}
	if err := r.expect('['); err != nil {
		return err
	}
	if r.peek() == ']' {
		r.at++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if r.peek() == ']' {
			r.at++
			return nil
		}
		if err := r.expect(','); err != nil {
			return err
		}
	}
}

// str reads a string as it is written.
func (r *reader) str() (text, error) {
	if err := r.expect('"'); err != nil {
		return nil, err
	}
	start := r.at
	for {
		i := bytes.IndexByte(r.data[r.at:], '"')
		if i < 0 {
			return nil, errEnd
		}
		r.at += i + 1
		escapes := 0
		for j := r.at - 2; j >= start && r.data[j] == '\\'; j-- {
			escapes++
		}
		if escapes%2 == 0 {
			return text(r.data[start : r.at-1]), nil
		}
	}
}

// strOrNull reads a string; ok is false for any other value, which is skipped:
// names and sources may be null.
func (r *reader) strOrNull() (t text, ok bool, err error) {
	if r.peek() != '"' {
		return nil, false, r.skip()
	}
	t, err = r.str()
	return t, err == nil, err
}

// integer reads a number without fraction; ok is false for any other value.
func (r *reader) integer() (n int64, ok bool, err error) {
	r.peek()
	start := r.at
	if err := r.skip(); err != nil {
		return 0, false, err
	}
	n, err = strconv.ParseInt(string(r.data[start:min(r.at, start+32)]), 10, 64)
	return n, err == nil, nil
}

// skip passes over a value without looking into it.
func (r *reader) skip() error {
	for depth := 0; ; {
		switch c := r.peek(); c {
		case 0:
			return errEnd
		case '"':
			if _, err := r.str(); err != nil {
				return err
			}
		case '{', '[':
			r.at++
			if depth++; depth > maxJSONDepth {
				return errDepth
			}
			continue
		case '}', ']':
			if depth == 0 {
				return r.expect('"')
			}
			r.at++
			depth--
		case ',', ':':
			if depth == 0 {
				return r.expect('"')
			}
			r.at++
			continue
		default:
			for r.at < len(r.data) && bytes.IndexByte(scalarEnds, r.data[r.at]) < 0 {
				r.at++
			}
		}
		if depth == 0 {
			return nil
		}
	}
}

// scalarEnds are the bytes that end a number, true, false or null.
var scalarEnds = []byte(" \t\r\n,:\"{}[]")

// appendTo appends the string's characters to b. Escapes that are none stay as
// they are, lone surrogates become U+FFFD.
func (t text) appendTo(b []byte) []byte {
	for {
		i := bytes.IndexByte(t, '\\')
		if i < 0 || i+1 >= len(t) {
			return append(b, t...)
		}
		b = append(b, t[:i]...)
		switch c := t[i+1]; c {
		case 'n':
			b = append(b, '\n')
		case 't':
			b = append(b, '\t')
		case 'r':
			b = append(b, '\r')
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'u':
			c, n := escaped(t[i:])
			b = utf8.AppendRune(b, c)
			t = t[i+n:]
			continue
		default:
			b = append(b, c)
		}
		t = t[i+2:]
	}
}

// escaped returns the character of an escape like \u00e9, or of two that belong
// together, and how many bytes it takes.
func escaped(t text) (c rune, n int) {
	first, ok := hex4(t)
	if !ok {
		return utf8.RuneError, 2
	}
	if !utf16.IsSurrogate(first) {
		return first, 6
	}
	if second, ok := hex4(t[6:]); ok {
		if c := utf16.DecodeRune(first, second); c != utf8.RuneError {
			return c, 12
		}
	}
	return utf8.RuneError, 6
}

func hex4(t text) (rune, bool) {
	if len(t) < 6 || t[0] != '\\' || t[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(t[2:6]), 16, 32)
	return rune(n), err == nil
}

// String returns the string, valid UTF-8 without NULs: it will be stored.
func (t text) String() string { return clean(t.appendTo(nil)) }
