package sourcemap

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
)

// maxSections is how deep sections may lie in sections. The specification allows
// none in them; tools that put maps together write two.
const maxSections = 4

// Bounds of what a map may bring, with its sections: several times what one of the
// largest size that is in use has. A few bytes of text each are tens of bytes in memory.
const (
	maxMappings = 8 << 20
	maxNames    = 4 << 20
	maxSources  = 1 << 20
	maxRoots    = 64 << 20 // bytes of sourceRoot, as often as it is before a source's name
)

// document is a map as it is written, not yet decoded.
type document struct {
	version  string
	root     string
	debugID  string
	mapped   bool // there are mappings
	mappings text
	sources  []string
	contents []text // of the sources, nil for those without; may be shorter or longer
	names    []string
	ignored  []int64
	scopes   text

	indexed  bool // there are sections
	sections []section
}

// section is a part of an indexed map: the map of what begins at a place of the
// generated script.
type section struct {
	line, column int64
	document     document
}

// Parse reads a source map of any valid form. Its error wraps one of this
// package's and says what is wrong and where. The map keeps no reference to data.
//
// Where the time goes, of a map of 5.4 MB with 325 sources: two thirds into the
// mappings, a fifth into taking the sources' texts out of their JSON, next to
// nothing into finding strings. To find the lines and functions of all sources
// takes longer than all of that: it waits until a source is asked for.
func Parse(data []byte) (*Map, error) {
	if len(data) > math.MaxInt32 {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooMany, len(data))
	}
	r := reader{data: withoutGuard(data)}
	doc, err := r.document(0)
	if err != nil {
		return nil, err
	}
	if r.peek() != 0 {
		return nil, fmt.Errorf("%w: byte %d is beyond its end", ErrNotMap, r.at)
	}
	m := &Map{debugID: doc.debugID}
	if err := m.reserve(&doc); err != nil {
		return nil, err
	}
	if err := m.add(&doc, 0, 0); err != nil {
		return nil, err
	}
	m.finish()
	return m, nil
}

// withoutGuard cuts the line that keeps a map from being run as a script, ")]}'",
// and a byte order mark.
func withoutGuard(data []byte) []byte {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(data, []byte(")]}")) {
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			return data[i+1:]
		}
	}
	return data
}

// document reads a map, which lies in so many others.
func (r *reader) document(depth int) (document, error) {
	var d document
	if depth > maxSections {
		return d, fmt.Errorf("%w: nested more than %d deep", ErrSections, maxSections)
	}
	err := r.object(func(key string) error { return r.member(&d, key, depth) })
	switch {
	case err != nil && !known(err):
		return d, fmt.Errorf("%w: %w", ErrNotMap, err)
	case err != nil:
		return d, err
	case d.version != "3":
		return d, fmt.Errorf("%w: %.20q", ErrVersion, d.version)
	case !d.mapped && !d.indexed:
		return d, fmt.Errorf("%w: it has neither mappings nor sections", ErrNotMap)
	}
	return d, nil
}

// member reads one member of a map.
func (r *reader) member(d *document, key string, depth int) (err error) {
	switch key {
	case "version":
		r.peek()
		start := r.at
		err = r.skip()
		d.version = strings.Trim(string(r.data[start:r.at]), `"`)
	case "sourceRoot":
		d.root, err = r.name()
	case "debugId", "debug_id", "debugID":
		var id string
		if id, err = r.name(); DebugID(id) != "" {
			d.debugID = DebugID(id)
		}
	case "mappings":
		d.mappings, d.mapped, err = r.strOrNull()
	case "sources":
		err = r.list(func() error { return r.appendName(&d.sources) })
	case "names":
		err = r.list(func() error { return r.appendName(&d.names) })
	case "sourcesContent":
		err = r.list(func() error {
			content, _, err := r.strOrNull()
			if len(d.contents) < maxSources {
				d.contents = append(d.contents, content)
			}
			return err
		})
	case "ignoreList", "x_google_ignoreList":
		err = r.list(func() error {
			n, ok, err := r.integer()
			if ok && len(d.ignored) < maxSources {
				d.ignored = append(d.ignored, n)
			}
			return err
		})
	case "scopes":
		d.scopes, _, err = r.strOrNull()
	case "sections":
		d.indexed = true
		err = r.list(func() error { return r.section(d, depth) })
	default:
		err = r.skip()
	}
	return err
}

// name reads a string that is kept; "" for null.
func (r *reader) name() (string, error) {
	t, _, err := r.strOrNull()
	return t.String(), err
}

func (r *reader) appendName(list *[]string) error {
	name, err := r.name()
	if len(*list) >= maxNames {
		return fmt.Errorf("%w: more than %d", ErrTooMany, maxNames)
	}
	*list = append(*list, name)
	return err
}

// section reads a section of an indexed map.
func (r *reader) section(d *document, depth int) error {
	var s section
	found := false
	err := r.object(func(key string) (err error) {
		switch key {
		case "offset":
			return r.object(func(key string) error {
				n, ok, err := r.integer()
				if err == nil && (!ok || n < 0 || n > math.MaxInt32) {
					err = fmt.Errorf("%w: section %d begins at no place", ErrSections, len(d.sections)+1)
				}
				switch key {
				case "line":
					s.line = n
				case "column":
					s.column = n
				}
				return err
			})
		case "map":
			found = true
			s.document, err = r.document(depth + 1)
			return err
		}
		return r.skip()
	})
	if err == nil && !found {
		err = fmt.Errorf("%w: section %d has no map in it", ErrSections, len(d.sections)+1)
	}
	d.sections = append(d.sections, s)
	return err
}

// reserve makes room for all that a map brings, once: growing step by step
// would take twice the memory for a moment.
func (m *Map) reserve(d *document) error {
	var n extent
	n.count(d)
	if n.mappings > maxMappings || n.names > maxNames || n.sources > maxSources || n.roots > maxRoots {
		return fmt.Errorf("%w: %d mappings, %d names, %d sources", ErrTooMany, n.mappings, n.names, n.sources)
	}
	m.sources = make([]source, 0, n.sources)
	m.names = make([]string, 0, n.names)
	m.mappings = make([]mapping, 0, n.mappings)
	m.content = make([]byte, 0, n.content)
	return nil
}

// extent is how much a map brings with its sections.
type extent struct{ sources, names, mappings, content, roots int }

func (n *extent) count(d *document) {
	n.sources += len(d.sources)
	n.names += len(d.names)
	n.mappings += segments(d.mappings)
	n.roots += len(d.root) * len(d.sources)
	for _, c := range d.contents {
		n.content += len(c)
	}
	for i := range d.sections {
		n.count(&d.sections[i].document)
	}
}

// add adds a map of what begins at a place of the generated script.
func (m *Map) add(d *document, line, column int64) error {
	firstSource, firstName := int32(len(m.sources)), int32(len(m.names))
	m.names = append(m.names, d.names...)
	m.addSources(d)
	m.addScopes(d, firstSource, firstName)
	mappings := d.mappings.digits()
	dec := decoder{text: mappings}
	for dec.at < len(mappings) {
		switch mappings[dec.at] {
		case ';':
			dec.at++
			dec.column, column = 0, 0
			line++
			continue
		case ',':
			dec.at++
			continue
		}
		to, err := dec.next(len(d.sources), len(d.names))
		if err != nil {
			return err
		}
		if line > math.MaxInt32 || column+dec.column > math.MaxInt32 {
			return dec.damaged("a place beyond 31 bits")
		}
		to.line, to.column = int32(line), int32(column+dec.column)
		if to.source >= 0 {
			to.source += firstSource
		}
		if to.name >= 0 {
			to.name += firstName
		}
		m.mappings = append(m.mappings, to)
	}
	for i := range d.sections {
		s := &d.sections[i]
		if s.line == 0 {
			s.column += column
		}
		if err := m.add(&s.document, line+s.line, s.column); err != nil {
			return fmt.Errorf("section %d: %w", i+1, err)
		}
	}
	return nil
}

// digits is a text of VLQs.
func (t text) digits() []byte {
	if bytes.IndexByte(t, '\\') >= 0 {
		return t.appendTo(nil) // "\/" is how some write a slash
	}
	return t
}

// addSources adds the sources of a map with their texts.
func (m *Map) addSources(d *document) {
	first := len(m.sources)
	for i, name := range d.sources {
		s := source{name: join(d.root, name)}
		if i < len(d.contents) && d.contents[i] != nil {
			start := len(m.content)
			m.content = d.contents[i].appendTo(m.content)
			s.start, s.end, s.has = int32(start), int32(len(m.content)), true
		}
		m.sources = append(m.sources, s)
	}
	for _, i := range d.ignored {
		if i >= 0 && i < int64(len(d.sources)) {
			m.sources[first+int(i)].ignored = true
		}
	}
}

// join returns the name of a source below a map's sourceRoot.
func join(root, name string) string {
	if root == "" || strings.HasPrefix(name, "/") || strings.Contains(name, "://") || strings.HasPrefix(name, "data:") {
		return name
	}
	return strings.TrimSuffix(root, "/") + "/" + name
}

// finish puts what was added in the order in which it is looked up.
func (m *Map) finish() {
	byPlace := func(a, b mapping) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	}
	if !slices.IsSortedFunc(m.mappings, byPlace) {
		slices.SortStableFunc(m.mappings, byPlace)
	}
	// Of several mappings of one place the last counts.
	kept := m.mappings[:0]
	for i, to := range m.mappings {
		if i+1 == len(m.mappings) || byPlace(to, m.mappings[i+1]) != 0 {
			kept = append(kept, to)
		}
	}
	m.mappings = kept
	m.opened = make([]atomic.Pointer[opened], len(m.sources))
	m.byName = make([]int32, len(m.sources))
	for i := range m.byName {
		m.byName[i] = int32(i)
	}
	// Of two sources of one name the first with a text counts.
	slices.SortStableFunc(m.byName, func(a, b int32) int {
		x, y := &m.sources[a], &m.sources[b]
		return cmp.Or(cmp.Compare(x.name, y.name), -cmp.Compare(btoi(x.has), btoi(y.has)))
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
