// Package jsfunc tells which function a place in a script's source lies in.
//
// It exists because source maps name identifiers, not functions: a stack of a
// minified script says "k", and the map only that something called "percent" was
// read there. The source itself knows that this was in applyCoupon.
//
// It is no parser: it reads tokens of JavaScript, TypeScript and JSX, follows
// brackets, and recognises the heads of functions, methods, arrows and classes by
// what stands before their bodies. Rules: it takes any bytes, in time and memory
// in proportion to them; where it loses track it forgets a name rather than
// giving a wrong one. A function without a name goes by what it is assigned to,
// else by the function around it.
package jsfunc

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// Syntax says what may be in a source.
type Syntax uint8

// The kinds of source.
const (
	Script Syntax = iota // JavaScript or TSX: elements may stand in it
	Typed                // TypeScript, where "<" in front of a value is a type's
	Page                 // a component file with scripts between <script> and </script>
)

// SyntaxOf returns what a source with that name is written in.
func SyntaxOf(file string) Syntax {
	file, _, _ = strings.Cut(file, "?")
	switch file[strings.LastIndexByte(file, '.')+1:] {
	case "ts", "mts", "cts":
		return Typed
	case "vue", "svelte", "astro", "html":
		return Page
	}
	return Script
}

// Functions are the named functions of a source.
type Functions struct {
	list []function // by where they start, the outer one first
}

// function is a named function with its parameters.
type function struct {
	start, end int32
	outer      int32 // place of the function around it, -1 when there is none
	name       string
}

// Scan finds the functions of a source.
func Scan(src []byte, syntax Syntax) Functions {
	var f Functions
	if len(src) > maxSource {
		return f
	}
	if syntax != Page {
		s := newScanner(src, syntax)
		s.scan()
		f.list = s.found
	} else {
		f.list = scanPage(src)
	}
	f.list = slices.DeleteFunc(f.list, func(f function) bool { return f.end == 0 })
	slices.SortFunc(f.list, func(a, b function) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	})
	around := int32(-1)
	for i := range f.list {
		for around >= 0 && f.list[around].end <= f.list[i].start {
			around = f.list[around].outer
		}
		f.list[i].outer = around
		around = int32(i)
	}
	return f
}

// scanPage scans the scripts of a component file, as TypeScript.
func scanPage(src []byte) []function {
	var found []function
	for at := 0; ; {
		i := bytes.Index(src[at:], []byte("<script"))
		if i < 0 {
			return found
		}
		at += i
		i = bytes.IndexByte(src[at:], '>')
		if i < 0 {
			return found
		}
		at += i + 1
		end := bytes.Index(src[at:], []byte("</script"))
		if end < 0 {
			return found
		}
		s := newScanner(src[at:at+end], Typed)
		s.scan()
		for _, f := range s.found {
			if f.end > 0 {
				f.start, f.end = f.start+int32(at), f.end+int32(at)
				found = append(found, f)
			}
		}
		at += end
	}
}

// At returns the name of the innermost named function that a place of the source,
// counted in bytes, lies in; "" when it lies in none.
func (f Functions) At(offset int) string {
	i, found := slices.BinarySearchFunc(f.list, offset, func(f function, offset int) int { return cmp.Compare(int(f.start), offset) })
	if !found {
		i--
	}
	for ; found && i+1 < len(f.list) && int(f.list[i+1].start) == offset; i++ {
	}
	for i >= 0 && int(f.list[i].end) <= offset {
		i = int(f.list[i].outer)
	}
	if i < 0 {
		return ""
	}
	return f.list[i].name
}

// Size returns about how many bytes the functions take in memory.
func (f Functions) Size() int {
	size := 0
	for i := range f.list {
		size += 32 + len(f.list[i].name)
	}
	return size
}

const (
	maxSource     = 64 << 20 // a longer source is no person's
	maxDepth      = 256      // of brackets; what is nested deeper is not looked at
	maxArrows     = 8        // "a => b => c": of functions that begin at one depth
	maxName       = 128      // bytes of a name
	maxRegexp     = 1000     // bytes of a regular expression: to look for its end costs
	maxTypes      = 2000     // bytes of type parameters, and how deep they are nested
	maxTypesDepth = 16
)
