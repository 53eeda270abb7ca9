package event

import (
	"bytes"
	"encoding/json"
)

// trimBOM removes the byte order mark that some hand-written clients send.
func trimBOM(payload []byte) []byte {
	return bytes.TrimPrefix(payload, []byte("\xef\xbb\xbf"))
}

// notNumbers are what old Python clients write for floats JSON cannot express.
var notNumbers = [...]string{"NaN", "-Infinity", "Infinity", "-NaN"}

// repair returns a copy of payload in which the mistakes real clients make are
// undone, and whether there were any: NaN and infinities become null, control
// characters in strings are escaped (NUL is dropped), a backslash that escapes
// nothing becomes a plain backslash. It runs only after a syntax error, so it is
// not fast.
func repair(payload []byte) (mended []byte, ok bool) {
	out := make([]byte, 0, len(payload)+len(payload)/16)
	inString := false
	for i := 0; i < len(payload); i++ {
		c := payload[i]
		switch {
		case c == 0:
			ok = true
		case c == '"':
			inString = !inString
			out = append(out, c)
		case inString && c < ' ':
			ok = true
			out = appendControl(out, c)
		case inString && c == '\\':
			if n := escapeLength(payload[i:]); n > 0 {
				out = append(out, payload[i:i+n]...)
				i += n - 1
			} else {
				ok = true
				out = append(out, `\\`...)
			}
		case inString:
			out = append(out, c)
		default:
			if word := notNumber(payload[i:]); word != "" {
				ok = true
				out = append(out, "null"...)
				i += len(word) - 1
			} else {
				out = append(out, c)
			}
		}
	}
	return out, ok
}

// Repair returns payload as JSON that any program reads, with the mistakes that
// Parse tolerates undone; ok is false if it cannot be made such.
func Repair(payload []byte) (mended []byte, ok bool) {
	mended, _ = repair(trimBOM(payload))
	mended = bytes.ToValidUTF8(mended, []byte("\uFFFD"))
	return mended, json.Valid(mended)
}

// appendControl appends the escape of a control character other than NUL.
func appendControl(out []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	return append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// escapeLength returns the length of the JSON escape that b begins with, 0 if it
// is none.
func escapeLength(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	if bytes.IndexByte([]byte(`"\/bfnrt`), b[1]) >= 0 {
		return 2
	}
	if b[1] == 'u' && len(b) >= 6 && isHex(b[2]) && isHex(b[3]) && isHex(b[4]) && isHex(b[5]) {
		return 6
	}
	return 0
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// notNumber returns the word of notNumbers that b begins with, or "".
func notNumber(b []byte) string {
	for _, word := range notNumbers {
		if bytes.HasPrefix(b, []byte(word)) {
			return word
		}
	}
	return ""
}
