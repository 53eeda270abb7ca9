package scrub

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// What a string has in it, as far as that decides how closely it is looked at.
const (
	hasQuote  = 1 << iota // its end
	hasEscape             // a backslash
	hasAssign             // '=' or ':'
	hasRaw                // what JSON does not allow unescaped
)

// shortest is the length of the shortest text that is looked at for the sake of its
// form alone: thirteen digits are a card number. A shorter one needs a '=' or ':'.
const shortest = minCard

// byteFlags is a table that does not change, which the compiler lays out; a switch
// takes three times as long.
var byteFlags = [256]uint8{
	'"': hasQuote, '\\': hasEscape, '=': hasAssign, ':': hasAssign,
	0: hasRaw, 1: hasRaw, 2: hasRaw, 3: hasRaw, 4: hasRaw, 5: hasRaw, 6: hasRaw, 7: hasRaw, 8: hasRaw, 9: hasRaw, 10: hasRaw,
	11: hasRaw, 12: hasRaw, 13: hasRaw, 14: hasRaw, 15: hasRaw, 16: hasRaw, 17: hasRaw, 18: hasRaw, 19: hasRaw, 20: hasRaw,
	21: hasRaw, 22: hasRaw, 23: hasRaw, 24: hasRaw, 25: hasRaw, 26: hasRaw, 27: hasRaw, 28: hasRaw, 29: hasRaw, 30: hasRaw, 31: hasRaw,
}

// skipString walks over a string and returns what is in it.
func (w *walker) skipString() (flags uint8) {
	src := w.src
	for i := w.pos + 1; i < len(src); i++ {
		f := byteFlags[src[i]]
		if f == 0 {
			continue
		}
		if f == hasQuote {
			w.pos = i + 1
			w.lax = w.lax || flags&hasRaw != 0
			return flags
		}
		if f == hasEscape {
			i++
			w.lax = w.lax || !escapes(src[i:])
		}
		flags |= f
	}
	w.broken, w.pos = true, len(src)
	return flags
}

// escapes reports whether what follows a backslash makes it an escape of JSON, other than
// one half of a pair.
func escapes(s []byte) bool {
	if len(s) == 0 {
		return false
	}
	switch s[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		r, ok := hex4(s[1:])
		return ok && !utf16.IsSurrogate(r)
	}
	return false
}

// stringValue walks a string that is a value.
func (w *walker) stringValue(at place) {
	if at == placeAddresses {
		if w.addressText() {
			return
		}
		at = placeData
	}
	from := w.pos
	if at <= placeCode && w.s.patterns == nil {
		if end, look := w.glance(from+1, at); !look {
			w.pos = end + 1
			return
		}
	}
	flags := w.skipString()
	if w.broken {
		return
	}
	inner := w.src[from+1 : w.pos-1]
	switch {
	case at == placeFixed || w.s.off:
		return
	case at == placeHidden || at == placeTexts:
		if string(inner) != Filtered && len(inner) > 0 {
			w.explain.found(whyName)
			w.replace(from, []byte(`"`+Filtered+`"`))
		}
		return
	case len(inner) < shortest && flags&(hasAssign|hasEscape) == 0 && at != placeCookies && w.s.patterns == nil:
		return
	}
	if flags&hasEscape != 0 {
		w.plain = unquote(w.plain[:0], inner)
		inner = w.plain
	}
	if clean, changed := w.textAt(inner, at); changed {
		w.replace(from, quote(clean))
	}
}

// textAt scrubs a text by where it is.
func (w *walker) textAt(text []byte, at place) ([]byte, bool) {
	switch at {
	case placeCookies:
		return w.cookies(text)
	case placeSource:
		return w.free(text, inSource)
	case placeCode, placeFrame:
		return w.free(text, inCode)
	}
	return w.text(text, inText)
}

// scrubKey takes secrets out of a member's name.
func (w *walker) scrubKey(key []byte, quoted int) {
	if clean, changed := w.keyText(bytes.Clone(key)); changed {
		w.replaceKey(quoted, quote(clean))
	}
}

// keyText scrubs a name: it may be JSON that somebody took for a form, but a colon in it,
// as in "session:duration", gives nothing to anybody.
func (w *walker) keyText(key []byte) ([]byte, bool) {
	if mayBeJSON(key) {
		return w.text(key, inText)
	}
	return w.free(key, inCode)
}

// replaceKey is replace for what ends at the last quote before w.pos.
func (w *walker) replaceKey(from int, with []byte) {
	colon := w.pos
	for w.pos > from && w.src[w.pos-1] != '"' {
		w.pos--
	}
	w.replace(from, with)
	w.pos = colon
}

// unquote appends what the inside of a JSON string says to dst. What escapes nothing is
// a backslash; half of a pair is U+FFFD.
func unquote(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' || i+1 == len(s) {
			dst = append(dst, c)
			i++
			continue
		}
		i += 2
		switch s[i-1] {
		case '"', '\\', '/':
			dst = append(dst, s[i-1])
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, ok := hex4(s[i:])
			if !ok {
				dst = append(dst, '\\', 'u')
				continue
			}
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(0)
				if i+2 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
					low, _ = hex4(s[i+2:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, '\\', s[i-1])
		}
	}
	return dst
}

// hex4 reads four hex digits.
func hex4(s []byte) (r rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	for _, c := range s[:4] {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// quote returns a text as a JSON string.
func quote(text []byte) []byte {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, len(text)+len(text)/8+2)
	out = append(out, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c == '\n':
			out = append(out, '\\', 'n')
		case c == '\t':
			out = append(out, '\\', 't')
		case c == '\r':
			out = append(out, '\\', 'r')
		case c < ' ':
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
