package symbolicate

import (
	"strings"

	"sundew/digester/sourcemap"
)

const (
	maxFile     = 512 // bytes of a file's name
	maxFunction = 256
)

// sourceName is a source as people read it.
type sourceName struct {
	file    string
	library bool // nobody's own code: a package, or the bundler's
}

// nameSource makes a name of a source readable. Relative names stay as bundlers
// write them, "../../src/main.tsx"; what webpack and others put in front goes.
func nameSource(source string) sourceName {
	file, library := source, strings.HasPrefix(source, "\ufffd")
	scheme, rest, ok := strings.Cut(source, "://")
	switch {
	case ok && (scheme == "webpack" || scheme == "webpack-internal" || scheme == "turbopack" || scheme == "rsc" || scheme == "ng"):
		file = afterNamespace(rest)
		library = isBundlers(file)
	case ok && scheme == "file":
		file = rest
	case strings.HasPrefix(source, "/__parcel_source_root/"):
		file = source[len("/__parcel_source_root/"):]
	}
	file = strings.TrimPrefix(file, "\ufffd") // of Rollup's virtual modules: a NUL
	file = limit(file, maxFile)
	return sourceName{file: file, library: library || isLibrary(file)}
}

// afterNamespace returns the path in an address of webpack's: "/./src/a.js",
// "shop/./src/a.js?1f2e", "/(ssr)/./src/a.js", "/~/react/index.js", and of
// Turbopack's: "/[project]/src/a.js".
func afterNamespace(rest string) string {
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		rest = rest[i+1:]
	}
	if i := strings.IndexByte(rest, '?'); i > 0 {
		rest = rest[:i]
	}
	if strings.HasPrefix(rest, "(") {
		if i := strings.Index(rest, ")/"); i > 0 {
			rest = rest[i+2:]
		}
	}
	if i := strings.Index(rest, "/~/"); i >= 0 {
		rest = rest[i+1:]
	}
	for _, prefix := range [...]string{"./", "[project]/"} {
		rest = strings.TrimPrefix(rest, prefix)
	}
	return rest
}

// isBundlers reports whether a source is code that a bundler wrote itself, or what
// webpack found in its own folders: "~/" was its name of them.
func isBundlers(file string) bool {
	for _, prefix := range [...]string{"~/", "webpack/", "(webpack)", "external ", "[turbopack]", "[next]"} {
		if strings.HasPrefix(file, prefix) {
			return true
		}
	}
	return false
}

// isLibrary reports whether a source is a package's, or Metro's own.
func isLibrary(file string) bool {
	for _, dir := range [...]string{"/node_modules/", "/.pnpm/", "/.yarn/"} {
		if strings.Contains(file, dir) {
			return true
		}
	}
	for _, prefix := range [...]string{"node_modules/", "__prelude__", "__require__"} {
		if strings.HasPrefix(file, prefix) {
			return true
		}
	}
	return false
}

// functionName chooses the name of a frame's function: the one around the place
// in the source; without a source, what the frame before calls, which is this
// function unless it was called in a roundabout way; else the name that was sent,
// when no minifier made it.
func functionName(sent string, p sourcemap.Position, called string, hasContent bool) string {
	switch {
	case p.Function != "":
		return limit(p.Function, maxFunction)
	case !hasContent && called != "" && !unnamed(sent):
		return limit(called, maxFunction)
	case minified(sent):
		return "?"
	}
	return sent
}

// unnamed reports whether a function was sent without a name.
func unnamed(function string) bool {
	switch function {
	case "", "?", "<anonymous>", "anonymous":
		return true
	}
	return false
}

// minified reports whether a minifier made a function's name: of its parts the
// one that is the function's own is as short as only they write.
func minified(function string) bool {
	if unnamed(function) {
		return true
	}
	if _, alias, ok := strings.Cut(function, " [as "); ok {
		function = strings.TrimSuffix(alias, "]") // the name of the property it was called by
	}
	function = function[strings.LastIndexAny(function, " .#")+1:]
	return len(function) < 4
}
