package grouping

import "strings"

// cleanFile reduces the name of a file to what is the same on every host and in
// every release: its last directory that names something, and its own name
// without a content hash. "" means there is no file.
func cleanFile(path string) string {
	path = strings.TrimSpace(path)
	if strings.HasPrefix(path, "<") || strings.HasPrefix(path, "[") {
		return cleanPseudoFile(path)
	}
	if strings.IndexByte(path, '\\') >= 0 {
		path = strings.ReplaceAll(path, `\`, "/")
	}
	path, web := withoutOrigin(path)
	dir, name := "", base(path)
	for rest := path[:len(path)-len(name)]; rest != ""; {
		rest = strings.TrimRight(rest, "/")
		last := base(rest)
		rest = rest[:len(rest)-len(last)]
		if last = cleanDir(last); last != "" {
			dir = last
			break
		}
	}
	if web && strings.IndexByte(name, '.') < 0 {
		name = parameterized(name) // a page, not a file
	}
	name = withoutHash(name)
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// cleanPseudoFile keeps names like "<string>", without the counters of notebooks.
func cleanPseudoFile(name string) string {
	switch {
	case name == "<anonymous>", name == "[native code]", name == "<unknown>":
		return ""
	case strings.HasPrefix(name, "<ipython-input-"):
		return "<ipython-input>"
	}
	return name
}

// withoutOrigin cuts scheme, host and query of an address and reports whether it
// was one.
func withoutOrigin(path string) (rest string, web bool) {
	scheme, after, ok := strings.Cut(path, "://")
	if !ok || len(scheme) > 32 || strings.IndexByte(scheme, '/') >= 0 {
		if blob, ok := strings.CutPrefix(path, "blob:"); ok && blob != "" {
			return "blob", false
		}
		return strings.TrimPrefix(path, "node:"), false
	}
	if strings.HasPrefix(path, "blob:") {
		return "blob", false
	}
	if i := strings.IndexAny(after, "?#"); i >= 0 {
		after = after[:i]
	}
	if i := strings.IndexByte(after, '/'); i >= 0 {
		return after[i:], true
	}
	return "/", true
}

// base returns what follows the last slash.
func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// cleanDir returns a directory's name without a version, "" if it is nothing
// else, or names no directory.
func cleanDir(dir string) string {
	switch dir {
	case "", ".", "..", "~", "current", "releases", "release":
		return ""
	}
	if i := strings.LastIndexByte(dir, '@'); i > 0 { // react@18.2.0
		dir = dir[:i]
	}
	if i := strings.LastIndexByte(dir, '-'); i > 0 && versionish(dir[i+1:]) { // rack-2.2.7
		dir = dir[:i]
	}
	if versionish(dir) || generated(dir) {
		return ""
	}
	return dir
}

// generated reports whether a directory is named after a commit or a build: it is
// an id as messages have them, or a short commit.
func generated(dir string) bool {
	short := len(dir) == 7 && onlyHex(dir) && strings.ContainsAny(dir, "0123456789")
	return short || number(dir) != "" || isUUID(dir)
}

// versionish reports whether s is a version, a build number or a date: digits and
// separators, with a "v" or "r" before them perhaps.
func versionish(s string) bool {
	if len(s) > 1 && (s[0] == 'v' || s[0] == 'r') {
		s = s[1:]
	}
	if s == "" || !isDigit(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && c != '.' && c != '-' && c != '_' && c != 'T' && c != 'Z' && c != ':' {
			return false
		}
	}
	return true
}

// bundled are the extensions of files that bundlers name after their content.
var bundled = [...]string{".js", ".mjs", ".cjs", ".css", ".wasm"}

// withoutHash removes content hashes and chunk numbers from the name of a
// bundle's file: "app-2Y6DPYNI.js", "main.3f2a1b9c.chunk.js".
func withoutHash(name string) string {
	extension := ""
	for _, e := range bundled {
		if strings.HasSuffix(name, e) {
			extension = e
		}
	}
	if extension == "" {
		return name
	}
	stem := name[:len(name)-len(extension)]
	if i := len(stem) - hashLen; i > 1 && stem[i-1] == '-' && mixed(stem[i:]) {
		stem = stem[:i-1] // its alphabet may include the separators
	}
	var kept strings.Builder
	for stem != "" {
		end := strings.IndexAny(stem[1:], "-.") + 1
		if end == 0 {
			end = len(stem)
		}
		part := strings.TrimLeft(stem[:end], "-.")
		if !isHash(part) && !allDigits(part) {
			kept.WriteString(stem[:end])
		}
		stem = stem[end:]
	}
	if kept.Len() == 0 {
		return "chunk" + extension
	}
	return strings.TrimLeft(kept.String(), "-.") + extension
}

// hashLen is the length of the hashes of esbuild, Vite and Rollup, which are not
// hexadecimal as those of the others.
const hashLen = 8

// isHash reports whether a part of a bundle's name looks like the hash of its
// content.
func isHash(s string) bool {
	if len(s) > hashLen-2 && onlyHex(s) {
		return strings.ContainsAny(s, "0123456789")
	}
	return len(s) == hashLen && mixed(s)
}

// mixed reports whether s mixes digits and letters, or cases, as no name does.
func mixed(s string) bool {
	var digits, lower, upper, rises int
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
			digits++
		case isUpper(c):
			upper++
			if i > 0 && isLower(s[i-1]) {
				rises++
			}
		case isLower(c):
			lower++
		case c != '-' && c != '_':
			return false
		}
	}
	return lower == 0 || digits >= 2 || digits == 1 && upper > 0 || rises >= 2
}

// trimScriptExtension removes the extension of a script's name.
func trimScriptExtension(name string) string {
	for _, e := range [...]string{".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx", ".jsx"} {
		if strings.HasSuffix(name, e) {
			return name[:len(name)-len(e)]
		}
	}
	return name
}
