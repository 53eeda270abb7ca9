package artifact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// Comments is what a script says about itself at its end.
type Comments struct {
	DebugID   string // clean; empty: nothing
	SourceMap string // the reference to its map; empty: none, or it is inline
	Inline    []byte // the map itself, of a data: URL
}

// ReadComments reads the comments of a script, or of a style sheet: the last of each.
func ReadComments(script []byte) Comments {
	c := Comments{DebugID: CleanDebugID(lastComment(script, "debugId="))}
	reference := lastComment(script, "sourceMappingURL=")
	if strings.HasPrefix(reference, "data:") {
		c.Inline = inline(reference)
		return c
	}
	if printable(reference) {
		c.SourceMap = reference
	}
	return c
}

// lastComment returns what stands behind the last comment with a name, to the end of
// the word. Code that writes such comments has a quote there.
func lastComment(script []byte, name string) string {
	for end := len(script); ; {
		at := bytes.LastIndex(script[:end], []byte(name))
		if at < 0 {
			return ""
		}
		end = at
		before := bytes.TrimRight(script[:at], " \t")
		if len(before) < 3 || !bytes.ContainsAny(before[len(before)-1:], "#@") {
			continue
		}
		if opening := before[len(before)-3 : len(before)-1]; !bytes.Equal(opening, []byte("//")) && !bytes.Equal(opening, []byte("/*")) {
			continue
		}
		value := script[at+len(name):]
		if stop := bytes.IndexAny(value, " \t\r\n'\"`*\\"); stop >= 0 {
			value = value[:stop]
		}
		if len(value) > 0 {
			return string(value)
		}
	}
}

// inline returns what a data: URL holds if it is JSON, else nil.
func inline(reference string) []byte {
	head, body, ok := strings.Cut(reference, ",")
	if !ok {
		return nil
	}
	var content []byte
	if strings.HasSuffix(head, ";base64") {
		// What is no base64 ends it.
		decoded, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(body, "="))
		if err != nil {
			return nil
		}
		content = decoded
	} else {
		plain, err := url.PathUnescape(body)
		if err != nil {
			return nil
		}
		content = []byte(plain)
	}
	if !json.Valid(content) {
		return nil
	}
	return content
}

// MapDebugID returns the debug id that a source map names itself, clean; empty: none.
func MapDebugID(sourceMap []byte) string {
	var m struct {
		New text `json:"debugId"`
		Old text `json:"debug_id"`
	}
	if json.Unmarshal(sourceMap, &m) != nil {
		return ""
	}
	if id := CleanDebugID(string(m.New)); id != "" {
		return id
	}
	return CleanDebugID(string(m.Old))
}
