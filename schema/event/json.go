package event

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Text returns the text of a JSON string, and any other value as it is written.
func (r RawJSON) Text() string {
	if len(r) == 0 || r[0] != '"' {
		return string(r)
	}
	var s string
	if err := json.Unmarshal(r, &s); err != nil {
		return string(r)
	}
	return s
}

// raw reads any value as JSON of at most max bytes. A longer one becomes a JSON
// string of its first max bytes; null is nil.
func (r *reader) raw(max int) RawJSON {
	k := r.kind()
	v := r.value()
	if k == 'n' || len(v) == 0 {
		return nil
	}
	v = sanitize(v)
	if len(v) <= max {
		return bytes.Clone(v)
	}
	beginning := v
	if k == '"' {
		beginning = unquote(v)
	}
	beginning = wholeRunes(beginning[:min(len(beginning), max)])
	return quote(string(beginning) + "…")
}

// wholeRunes returns b, which began as valid UTF-8, without the part of a
// character it may end in.
func wholeRunes(b []byte) []byte {
	for len(b) > 0 {
		if c, size := utf8.DecodeLastRune(b); c != utf8.RuneError || size > 1 {
			break
		}
		b = b[:len(b)-1]
	}
	return b
}

// quote returns s as a JSON string.
func quote(s string) RawJSON {
	out, _ := jsontext.AppendQuote(nil, s) // its error is that something became U+FFFD
	return out
}

// sanitize returns v without NUL escapes, lone surrogates and invalid UTF-8,
// which every store and language beyond this one would stumble over. It returns
// v itself when there are none.
func sanitize(v []byte) []byte {
	if !utf8.Valid(v) {
		v = bytes.ToValidUTF8(v, []byte("\ufffd"))
	}
	if !bytes.Contains(v, []byte(`\u`)) {
		return v
	}
	out := make([]byte, 0, len(v))
	for i := 0; i < len(v); {
		if v[i] != '\\' {
			out = append(out, v[i])
			i++
			continue
		}
		n, lone := escape(v[i:])
		switch {
		case n == 6 && string(v[i:i+6]) == `\u0000`:
		case lone:
			out = append(out, `\ufffd`...)
		default:
			out = append(out, v[i:i+n]...)
		}
		i += n
	}
	return out
}

// escape returns the length of the escape that valid JSON v begins with, 12 for
// a surrogate pair, and whether it is half of a pair.
func escape(v []byte) (n int, lone bool) {
	if v[1] != 'u' {
		return 2, false
	}
	c := hexRune(v[2:6])
	if !utf16.IsSurrogate(c) {
		return 6, false
	}
	if len(v) >= 12 && v[6] == '\\' && v[7] == 'u' && utf16.DecodeRune(c, hexRune(v[8:12])) != utf8.RuneError {
		return 12, false
	}
	return 6, true
}

// hexRune reads four hex digits, 0 if they are not.
func hexRune(b []byte) rune {
	n, _ := strconv.ParseUint(string(b), 16, 16)
	return rune(n)
}
