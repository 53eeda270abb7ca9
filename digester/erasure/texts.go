package erasure

import (
	"bytes"
	"encoding/json"
)

// InJSON reports whether the value is written in one of a document's texts. It does not
// have to be proper JSON: what is between quotation marks is a text, with escapes or
// without.
func (s Subject) InJSON(document []byte) bool {
	for len(document) > 0 {
		begin := bytes.IndexByte(document, '"')
		if begin < 0 {
			return s.InText(string(document))
		}
		text, escaped, rest := cutText(document[begin+1:])
		if len(text) >= len(s.Value) && s.InText(plain(text, escaped)) {
			return true
		}
		document = rest
	}
	return false
}

// cutText returns what stands before the next quotation mark that is not escaped, and
// what follows behind it.
func cutText(b []byte) (text []byte, escaped bool, rest []byte) {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			return b[:i], escaped, b[i+1:]
		}
	}
	return b, escaped, nil
}

// plain returns a text without its escapes, as it is where they are wrong.
func plain(text []byte, escaped bool) string {
	if !escaped {
		return string(text)
	}
	quoted := make([]byte, 0, len(text)+2)
	quoted = append(append(append(quoted, '"'), text...), '"')
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return string(text)
	}
	return s
}
