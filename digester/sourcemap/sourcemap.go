// Package sourcemap reads source maps and answers where a place in a generated
// script comes from.
//
// It exists because a stack of a minified script names nothing that a person
// wrote: the map that the bundler made leads back to the source. The package is
// pure: bytes in, values out.
//
// Rules: whatever a bundler in use writes is accepted (version 3, indexed maps,
// missing names and contents, the prefix against inclusion); a map is hostile
// input, so that every number is checked, nothing panics, and what a Map takes in
// memory is in proportion to the bytes it was read from. What a map says does not
// change once it is read: any number of goroutines may ask it.
package sourcemap

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
)

// What can be wrong with a map. Errors of Parse wrap one of them and say more.
var (
	ErrNotMap    = errors.New("not a source map")                    // not JSON, or JSON of something else
	ErrVersion   = errors.New("unknown version of source map")       // only version 3 is in use
	ErrMappings  = errors.New("damaged mappings of source map")      // what is no VLQ, or points nowhere
	ErrSections  = errors.New("damaged sections of source map")      // nested too deep, or without their map
	ErrTooMany   = errors.New("source map with too many parts")      // more than can be counted in 31 bits
	ErrNotInline = errors.New("not an address with a source map in") // see Inline
)

// known reports whether an error says already what is wrong with a map.
func known(err error) bool {
	for _, e := range []error{ErrNotMap, ErrVersion, ErrMappings, ErrSections, ErrTooMany} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Position is a place in a source.
type Position struct {
	Source   string // as the map names it, below its sourceRoot
	Line     int    // from 1
	Column   int    // from 0, in UTF-16 units
	Name     string // the identifier that stood there, "" when the map names none
	Function string // the function around it, "" when there is none, or neither scopes nor the text are in the map
	Ignored  bool   // the map lists the source as nobody's own code
}

// Map is a source map, ready to be asked.
type Map struct {
	debugID  string
	mappings []mapping // by line and column of the script, one for each place
	names    []string
	sources  []source
	byName   []int32                  // places in sources, by name
	content  []byte                   // the texts of all sources
	opened   []atomic.Pointer[opened] // by source

	scopeCount int // of all sources
}

// Lookup returns what stands at a place of the generated script, its line
// counted from 1 and its column from 0, and whether it has an origin. A mapping
// holds from where it stands to the next one, and not beyond its line.
func (m *Map) Lookup(line, column int) (Position, bool) {
	i, found := slices.BinarySearchFunc(m.mappings, [2]int{line - 1, column}, func(at mapping, to [2]int) int {
		return cmp.Or(cmp.Compare(int(at.line), to[0]), cmp.Compare(int(at.column), to[1]))
	})
	if !found {
		i--
	}
	if i < 0 || int(m.mappings[i].line) != line-1 || m.mappings[i].source < 0 {
		return Position{}, false
	}
	at := m.mappings[i]
	s := &m.sources[at.source]
	p := Position{Source: s.name, Line: int(at.srcLine) + 1, Column: int(at.srcColumn), Ignored: s.ignored}
	if at.name >= 0 {
		p.Name = m.names[at.name]
	}
	p.Function = m.functionAt(at)
	return p, true
}

// functionAt returns the function around the origin of a mapping: by what the map says,
// else by what the text looks like.
func (m *Map) functionAt(at mapping) string {
	if name, known := m.sources[at.source].scopes.at(at.srcLine, at.srcColumn); known && name < 0 {
		return ""
	} else if known {
		return m.names[name]
	}
	if t := m.text(at.source); t != nil {
		return t.functionAt(int(at.srcLine), int(at.srcColumn))
	}
	return ""
}

// Context returns a line of a source, counted from 1, with up to around lines
// before and after it; ok is false when the map does not bring that line. Long
// lines are cut.
func (m *Map) Context(source string, line, around int) (pre []string, at string, post []string, ok bool) {
	i := m.named(source)
	if i < 0 {
		return nil, "", nil, false
	}
	t := m.text(i)
	if t == nil || line < 1 || line > t.lines() {
		return nil, "", nil, false
	}
	around = max(around, 0)
	for i := max(line-around, 1); i < line; i++ {
		pre = append(pre, t.line(i))
	}
	for i := line + 1; i <= min(line+min(around, t.lines()), t.lines()); i++ {
		post = append(post, t.line(i))
	}
	return pre, t.line(line), post, true
}

// HasContent reports whether the map brings the text of a source.
func (m *Map) HasContent(source string) bool {
	i := m.named(source)
	return i >= 0 && m.sources[i].has
}

// named returns the place of the source of a name, -1 when there is none.
func (m *Map) named(name string) int32 {
	i, found := slices.BinarySearchFunc(m.byName, name, func(i int32, name string) int {
		return strings.Compare(m.sources[i].name, name)
	})
	if !found {
		return -1
	}
	return m.byName[i]
}

// DebugID returns the id that `sourcemaps inject` or the bundler put into the
// map, as 32 lower-case hex digits, "" when there is none.
func (m *Map) DebugID() string { return m.debugID }

// Size returns about how many bytes the map takes in memory once all its sources
// were looked at.
func (m *Map) Size() int {
	const forMapping, forSource, forName, forScope, perLine = 24, 72, 16, 24, 40
	size := len(m.mappings)*forMapping + len(m.sources)*forSource + len(m.names)*forName + m.scopeCount*forScope
	for _, name := range m.names {
		size += len(name)
	}
	for i := range m.sources {
		size += len(m.sources[i].name)
	}
	// A line takes four bytes for its place and its share of the functions' names.
	return size + len(m.content) + len(m.content)/perLine*12
}

// Lines returns the last line of the generated script that the map says
// something of, counted from 1; 0 when it says nothing.
func (m *Map) Lines() int {
	if len(m.mappings) == 0 {
		return 0
	}
	return int(m.mappings[len(m.mappings)-1].line) + 1
}
