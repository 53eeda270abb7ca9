// Package artifact reads what build tools upload so that minified stacks can be read:
// artifact bundles, which are a zip with a manifest, sometimes with eight bytes before
// it, of scripts, source maps and the names by which stacks know them.
//
// It exists apart because a bundle is hostile input: whoever has a token may send one.
// It takes values and returns values; where the bytes are, on disk or in memory, is the
// caller's business. Rules: nothing is believed that a file says about itself; every
// number is bounded before memory is taken for it (Limits); names of files are names and
// never paths of a disk; one bad file is left out with a reason, a bad bundle is an
// error with words for whoever uploaded it. The same bundle always gives the same.
package artifact

// Type is what a file of a bundle is.
type Type string

// The types. Files of others are left out.
const (
	TypeMinified  Type = "minified_source"
	TypeSourceMap Type = "source_map"
	TypeSource    Type = "source"
	TypeRAMBundle Type = "indexed_ram_bundle"
	TypeDebugFile Type = "debug_file" // alone, never in a manifest
)
