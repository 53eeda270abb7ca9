package dashboard

import (
	"bytes"
	"encoding/json"

	"sundew/schema/event"
)

const (
	// layOutDepth is down to which level JSON gets a line for each value. What
	// is deeper stays on one line, or a megabyte of brackets would become a
	// gigabyte of spaces.
	layOutDepth = 8

	// oneLine is the length up to which JSON is left on one line.
	oneLine = 80
)

// layOut returns valid JSON with line breaks and spaces, at most limit bytes of
// it, and whether that was too little.
func layOut(src []byte, limit int) (laid []byte, cut bool) {
	if len(src) <= oneLine {
		return src[:min(len(src), limit):min(len(src), limit)], len(src) > limit
	}
	out := make([]byte, 0, min(limit, 2*len(src)))
	depth, inString := 0, false
	newline := func(depth int) {
		if depth < layOutDepth {
			out = append(out, '\n')
			for range depth {
				out = append(out, "  "...)
			}
		}
	}
	for i := 0; i < len(src); i++ {
		if len(out) > limit {
			return bytes.ToValidUTF8(out[:limit], nil), true
		}
		c := src[i]
		switch {
		case inString:
			out = append(out, c)
			if c == '\\' && i+1 < len(src) {
				i++
				out = append(out, src[i])
			}
			inString = c != '"'
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		case c == '"':
			inString = true
			out = append(out, c)
		case c == '{' || c == '[':
			out = append(out, c)
			depth++
			if closing := nextToken(src[i+1:]); closing != '}' && closing != ']' {
				newline(depth)
			}
		case c == '}' || c == ']':
			depth--
			if last := out[len(out)-1]; last != '{' && last != '[' {
				newline(depth)
			}
			out = append(out, c)
		case c == ',':
			out = append(out, c)
			newline(depth)
		case c == ':':
			out = append(out, ": "...)
		default:
			out = append(out, c)
		}
	}
	if len(out) > limit {
		return bytes.ToValidUTF8(out[:limit], nil), true
	}
	return out, false
}

// nextToken returns the first byte that is not a space.
func nextToken(src []byte) byte {
	for _, c := range src {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
	}
	return 0
}

// ReadableJSON returns a payload as valid, laid out JSON: NaN and the like, which
// some clients send, become null. What is still not JSON then becomes a string in
// an object that says so.
func ReadableJSON(payload []byte) []byte {
	payload = bytes.ToValidUTF8(payload, []byte("\uFFFD"))
	if mended, ok := event.Repair(payload); !json.Valid(payload) && ok {
		payload = mended
	} else if !json.Valid(payload) {
		wrapped, err := json.Marshal(struct {
			NotJSON string `json:"not_json"`
		}{string(payload)})
		if err != nil {
			return []byte("{}\n") // a struct with a string always has JSON
		}
		payload = wrapped
	}
	laid, _ := layOut(payload, len(payload)*(2*layOutDepth+4))
	return append(laid, '\n')
}
