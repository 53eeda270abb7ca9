package sourcemap

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"sundew/digester/sourcemap/jsfunc"
)

// maxLine is how many characters of a line of source are given away: as many as
// an event may bring of one. A minified line is megabytes.
const maxLine = 512

// source is one of the files that a script was made of.
type source struct {
	name       string
	start, end int32 // of its text in Map.content
	has        bool  // it has a text
	ignored    bool

	scopes scopes // the functions of the text, as the map lists them
}

// opened is the text of a source, ready to be asked.
type opened struct {
	text      []byte
	starts    []int32 // where the lines begin
	ascii     bool
	functions jsfunc.Functions
}

// text returns the text of a source, nil when the map does not bring it. It is
// opened when it is first asked for: a stack touches a handful of the hundreds of
// files in a bundle, and to look at them all would make reading a map several
// times as slow. Of goroutines that come at once each finds the same.
func (m *Map) text(at int32) *opened {
	s := &m.sources[at]
	if !s.has {
		return nil
	}
	if t := m.opened[at].Load(); t != nil {
		return t
	}
	t := open(m.content[s.start:s.end], s.name)
	m.opened[at].Store(t)
	return t
}

// open finds the lines and functions of a text.
func open(text []byte, name string) *opened {
	t := &opened{text: text, ascii: true, functions: jsfunc.Scan(text, jsfunc.SyntaxOf(name))}
	t.starts = make([]int32, 1, 1+bytes.Count(text, []byte{'\n'}))
	for i, c := range text {
		if c == '\n' {
			t.starts = append(t.starts, int32(i+1))
		} else if c >= utf8.RuneSelf {
			t.ascii = false
		}
	}
	return t
}

// lines returns how many lines there are.
func (t *opened) lines() int { return len(t.starts) }

// bounds returns where a line, counted from 0, begins and ends.
func (t *opened) bounds(line int) (start, end int) {
	start, end = int(t.starts[line]), len(t.text)
	if line+1 < len(t.starts) {
		end = int(t.starts[line+1]) - 1
	}
	if end > start && t.text[end-1] == '\r' {
		end--
	}
	return start, end
}

// line returns a line, counted from 1, cut to a sensible length.
func (t *opened) line(n int) string {
	start, end := t.bounds(n - 1)
	line := t.text[start:end]
	if len(line) > maxLine*utf8.UTFMax {
		line = line[:maxLine*utf8.UTFMax]
	}
	s := clean(line)
	if len(s) <= maxLine {
		return s
	}
	count := 0
	for i := range s {
		if count++; count > maxLine {
			return s[:i]
		}
	}
	return s
}

// functionAt returns the name of the function around a place, counted from 0.
func (t *opened) functionAt(line, column int) string {
	if line >= t.lines() {
		return ""
	}
	start, end := t.bounds(line)
	if t.ascii {
		return t.functions.At(min(start+column, end))
	}
	return t.functions.At(start + units(t.text[start:end], column))
}

// units returns how many bytes of a line its first n UTF-16 units take. Beyond
// what a person writes in a line bytes are taken for units: one event may ask
// for thousands of places in the same long line.
func units(line []byte, n int) int {
	const long = 1 << 14
	i := 0
	for ; n > 0 && i < len(line); n-- {
		if i > long {
			return min(i+n, len(line))
		}
		c, size := utf8.DecodeRune(line[i:])
		if c > 0xffff {
			n--
		}
		i += size
	}
	return i
}

// clean returns text as it may be stored: valid UTF-8 without NULs.
func clean(text []byte) string {
	if utf8.Valid(text) && bytes.IndexByte(text, 0) < 0 {
		return string(text)
	}
	return strings.ReplaceAll(strings.ToValidUTF8(string(text), "\ufffd"), "\x00", "\ufffd")
}
