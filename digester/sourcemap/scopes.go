package sourcemap

import (
	"cmp"
	"slices"
)

// Bounds of the functions that a map may list.
const (
	maxScopes = 4 << 20
	maxDepth  = 1 << 10 // of functions in functions
)

// Tags of the items of scopes.
const (
	tagEmpty      = 0
	tagScopeStart = 1
	tagScopeEnd   = 2
)

// Flags of an item that begins a scope.
const (
	flagName       = 1
	flagStackFrame = 4
)

// scope is a function of a source: what is a frame of its own in a stack. Its lines
// and columns count from 0; its end is behind it.
type scope struct {
	line, column       int32
	endLine, endColumn int32
	name               int32 // in the map's names, -1: it has none
	around             int32 // the scope that it lies in, -1: none
}

// scopes are the functions of one source by where they begin, those outside before
// those in them; nil: the map does not list them.
type scopes []scope

// at returns the name of the innermost function around a place, and whether that is
// known: -1 says that there is none around it. The name of a function without one may
// still be read from its text.
func (all scopes) at(line, column int32) (name int32, known bool) {
	if all == nil {
		return -1, false
	}
	i, found := slices.BinarySearchFunc(all, [2]int32{line, column}, func(s scope, to [2]int32) int {
		return cmp.Or(cmp.Compare(s.line, to[0]), cmp.Compare(s.column, to[1]))
	})
	if !found {
		i--
	}
	for found && i+1 < len(all) && all[i+1].line == line && all[i+1].column == column {
		i++ // of those that begin at one place the innermost
	}
	for at := int32(i); at >= 0; at = all[at].around {
		if s := &all[at]; s.endLine > line || s.endLine == line && s.endColumn > column {
			return s.name, s.name >= 0
		}
	}
	return -1, true
}

// addScopes adds the functions that a map lists ("scopes", a proposal for ECMA-426 that
// bundlers begin to write, github.com/tc39/ecma426/blob/main/proposals/scopes.md):
// items with a comma between, one tree for each source. What it says about variables
// and about the generated script is passed over. A map whose scopes are damaged is as
// good as one without: all else in it may still be right.
func (m *Map) addScopes(d *document, firstSource, firstName int32) {
	if len(d.scopes) == 0 {
		return
	}
	r := scopeReader{decoder: decoder{text: d.scopes.digits()}, names: int64(len(d.names)), firstName: firstName}
	trees, err := r.trees(len(d.sources))
	if err != nil || m.scopeCount+r.count > maxScopes {
		return
	}
	m.scopeCount += r.count
	for i, tree := range trees {
		m.sources[int(firstSource)+i].scopes = tree
	}
}

// scopeReader reads the scopes of one map. A place is the difference to the one
// before it in the tree, a name to the one before it in the map.
type scopeReader struct {
	decoder   // its line, column and name
	names     int64
	firstName int32
	count     int

	tree scopes
	open []int32 // the scopes around: a function's place in tree, -2-place for a block in it, -1 for one in none
}

// trees reads the trees of so many sources.
func (r *scopeReader) trees(sources int) (trees []scopes, err error) {
	for r.at < len(r.text) && len(trees) < sources {
		tree, whole, err := r.item()
		if err != nil {
			return nil, err
		}
		if whole {
			trees = append(trees, tree)
		}
	}
	if len(r.open) > 0 {
		return nil, r.damaged("a scope without an end")
	}
	return trees, nil
}

// item reads an item with the comma behind it, and returns the tree of a source that is
// whole with it: nil of a source without one, which is an empty item.
func (r *scopeReader) item() (tree scopes, whole bool, err error) {
	defer r.skipItem()
	tag := int64(tagEmpty)
	if !r.ended() {
		if tag, err = r.number(); err != nil {
			return nil, false, err
		}
	}
	switch tag {
	case tagEmpty:
		return nil, len(r.open) == 0, nil
	case tagScopeStart:
		return nil, false, r.start()
	case tagScopeEnd:
		if err := r.end(); err != nil || len(r.open) > 0 {
			return nil, false, err
		}
		r.line, r.srcColumn = 0, 0
		tree = append(make(scopes, 0, len(r.tree)), r.tree...) // there, though it may be empty
		r.count, r.tree = r.count+len(r.tree), r.tree[:0]
		return tree, true, nil
	}
	return nil, false, nil
}

// skipItem goes behind the next comma: numbers that nobody knows yet may be at the end
// of each item.
func (r *scopeReader) skipItem() {
	for r.at < len(r.text) && r.text[r.at] != ',' {
		r.at++
	}
	r.at++
}

// start reads what begins a scope.
func (r *scopeReader) start() error {
	flags, err := r.number()
	if err != nil {
		return err
	}
	if err := r.place(); err != nil {
		return err
	}
	name := int32(-1)
	if flags&flagName != 0 {
		if err := r.add(&r.name); err != nil {
			return err
		}
		if r.name < r.names {
			name = r.firstName + int32(r.name)
		}
	}
	if len(r.open) == maxDepth || r.count+len(r.tree) == maxScopes {
		return r.damaged("too many scopes, or too deep in each other")
	}
	around := r.around()
	if flags&flagStackFrame == 0 {
		r.open = append(r.open, -2-around)
		return nil
	}
	r.open = append(r.open, int32(len(r.tree)))
	r.tree = append(r.tree, scope{line: int32(r.line), column: int32(r.srcColumn), name: name, around: around})
	return nil
}

// around returns the innermost function that is open, -1 where there is none.
func (r *scopeReader) around() int32 {
	if len(r.open) == 0 {
		return -1
	}
	last := r.open[len(r.open)-1]
	if last < 0 {
		return -2 - last
	}
	return last
}

// end reads what ends the innermost scope.
func (r *scopeReader) end() error {
	if len(r.open) == 0 {
		return r.damaged("an end without a scope")
	}
	if err := r.place(); err != nil {
		return err
	}
	last := r.open[len(r.open)-1]
	r.open = r.open[:len(r.open)-1]
	if last >= 0 {
		r.tree[last].endLine, r.tree[last].endColumn = int32(r.line), int32(r.srcColumn)
	}
	return nil
}

// place reads a place behind the one before: lines further, and columns of that line.
func (r *scopeReader) place() error {
	lines, err := r.number()
	if err != nil {
		return err
	}
	column, err := r.number()
	if err != nil {
		return err
	}
	if lines > 0 {
		r.srcColumn = 0
	}
	r.line, r.srcColumn = r.line+lines, r.srcColumn+column
	if err := r.within(r.line); err != nil {
		return err
	}
	return r.within(r.srcColumn)
}
