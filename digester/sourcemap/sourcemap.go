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
// memory is in proportion to the bytes it was read from. A Map does not change
// once it is read: any number of goroutines may ask it.
package sourcemap

import "errors"

// What can be wrong with a map. Errors of Parse wrap one of them and say more.
var (
	ErrNotMap    = errors.New("not a source map")                    // not JSON, or JSON of something else
	ErrVersion   = errors.New("unknown version of source map")       // only version 3 is in use
	ErrMappings  = errors.New("damaged mappings of source map")      // what is no VLQ, or points nowhere
	ErrSections  = errors.New("damaged sections of source map")      // nested, out of order, or by address
	ErrTooMany   = errors.New("source map with too many parts")      // more than can be counted in 32 bits
	ErrNotInline = errors.New("not an address with a source map in") // see Inline
)

// Position is a place in a source.
type Position struct {
	Source   string // as the map names it, below its sourceRoot
	Line     int    // from 1
	Column   int    // from 0
	Name     string // the identifier that stood there, "" when the map names none
	Function string // the function around it, "" when nothing tells
	Ignored  bool   // the map lists the source as nobody's own code
}

// Map is a source map, ready to be asked.
type Map struct{}

// Parse reads a source map of any valid form. Its error wraps one of this
// package's and says what is wrong and where. The map keeps no reference to data.
func Parse(data []byte) (*Map, error) { return nil, ErrNotMap }

// Lookup returns what stands at a place of the generated script, its line
// counted from 1 and its column from 0, and whether it has an origin.
func (m *Map) Lookup(line, column int) (Position, bool) { return Position{}, false }

// Context returns a line of a source, counted from 1, with up to around lines
// before and after it; ok is false when the map does not bring that line. Long
// lines are cut.
func (m *Map) Context(source string, line, around int) (pre []string, at string, post []string, ok bool) {
	return nil, "", nil, false
}

// HasContent reports whether the map brings the text of a source.
func (m *Map) HasContent(source string) bool { return false }

// DebugID returns the id that `sourcemaps inject` or the bundler put into the
// map, as 32 lower-case hex digits, "" when there is none.
func (m *Map) DebugID() string { return "" }

// Size returns about how many bytes the map takes in memory.
func (m *Map) Size() int { return 0 }
