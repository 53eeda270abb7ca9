package grouping

import (
	"strings"

	"sundew/schema/event"
)

// unnamed is what all the ways of writing "a function without a name" become.
const unnamed = "?"

// describe returns a frame as it is compared: its place and function, and whether
// the function tells one place from another. "" means the frame says nothing.
func describe(f *event.Frame, platform string) (text string, weak bool) {
	js := isJS(platform)
	function := cleanFunction(f.Function, platform)
	if js && minified(function) {
		function = unnamed
	}
	where := place(f, platform)
	switch function {
	case unnamed:
		return where, true
	case "<module>", "<main>", "<top (required)>", "main", "init", "__main__":
		weak = true
	}
	if before, method, ok := strings.Cut(where, "+<"); ok && function == "MoveNext" {
		// The state machine C# makes of an async method carries its name.
		where, function = before, method[:max(strings.IndexByte(method, '>'), 0)]
	}
	if where == "" {
		return function, weak
	}
	return where + " in " + function, weak
}

// isJS reports whether functions of the platform are named as JavaScript names
// them: with whatever they were called on in front, and often minified.
func isJS(platform string) bool { return platform == "javascript" || platform == "node" }

// place returns where a frame's function is defined: its module, else its file,
// else its binary.
func place(f *event.Frame, platform string) string {
	file := f.Filename
	if file == "" {
		file = f.AbsPath
	}
	if isJS(platform) {
		// The module is the file seen from the main script: stable, but absent
		// in browsers and with an extension in old versions.
		if module := cleanModule(f.Module); module != "" {
			return trimScriptExtension(module)
		}
		return cleanFile(file)
	}
	if module := cleanModule(f.Module); module != "" && module != "__main__" {
		return module
	}
	if file := cleanFile(file); file != "" {
		return file
	}
	return base(strings.ReplaceAll(f.Package, `\`, "/"))
}

// minified reports whether a JavaScript function's name was made by a minifier,
// and will be another one in the next build.
func minified(name string) bool {
	if len(name) > 3 {
		return false
	}
	// Of three letters only those that no one would write: "add" is a name.
	return len(name) < 3 || !isLower(name[1]) || !isLower(name[2])
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

// anonymous reports whether a function's name only says that it has none.
func anonymous(name string) bool {
	switch name {
	case "", "?", "<anonymous>", "(anonymous)", "anonymous", "[anonymous]", "<anonymous function>", "anonymous function",
		"{closure}", "{{closure}}", "<lambda>", "<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>", "<unknown>", "(unknown)",
		"eval", "eval code", "global code", "module code", "null", "undefined", "operator()":
		return true
	}
	return strings.HasPrefix(name, "0x") || strings.HasPrefix(name, "{closure:")
}

// cleanFunction returns a function's name without what differs between two calls,
// builds or versions of a language for the same function.
func cleanFunction(name, platform string) string {
	name = strings.TrimSpace(name)
	if anonymous(name) {
		return unnamed
	}
	switch platform {
	case "javascript", "node":
		name = cleanScriptFunction(name)
	case "go":
		name = cleanGoFunction(name)
	case "ruby":
		name = cleanRubyFunction(name)
	default:
		name = cleanOtherFunction(name)
	}
	if anonymous(name) {
		return unnamed
	}
	return name
}

// cleanScriptFunction keeps the last name: engines differ in what they put before
// it ("Object.load", "async load", "new Cart", "load [as onclick]", "load/<").
func cleanScriptFunction(name string) string {
	if i := strings.Index(name, " ["); i > 0 {
		name = name[:i]
	}
	if i := strings.Index(name, " ("); i > 0 {
		name = name[:i]
	}
	if strings.HasSuffix(name, "/<") {
		return unnamed
	}
	name = name[strings.LastIndexByte(name, ' ')+1:]
	return name[strings.LastIndexByte(name, '.')+1:]
}

// cleanGoFunction removes the counters of closures, "init.func26", "Total.func1.2",
// "gowrap1": the function around them names them.
func cleanGoFunction(name string) string {
	for {
		i := strings.LastIndexByte(name, '.')
		segment := name[i+1:]
		trimmed := strings.TrimPrefix(strings.TrimPrefix(segment, "func"), "gowrap")
		if !allDigits(trimmed) && segment != "" && segment != "glob" {
			return name
		}
		if i < 0 {
			return unnamed
		}
		name = name[:i]
	}
}

// cleanRubyFunction keeps the method: "block (2 levels) in charge", "rescue in
// charge" and "Shop#charge" are all in "charge".
func cleanRubyFunction(name string) string {
	if i := strings.LastIndex(name, " in "); i >= 0 {
		name = name[i+len(" in "):]
	}
	if i := strings.LastIndexAny(name, "#."); i >= 0 && i < len(name)-1 {
		name = name[i+1:]
	}
	return name
}

// cleanOtherFunction removes what compilers of the other languages add.
func cleanOtherFunction(name string) string {
	if i := strings.LastIndex(name, " in "); i > 0 && (strings.HasPrefix(name, "closure #") || strings.HasPrefix(name, "anonymous fn")) {
		return name[i+len(" in "):]
	}
	if strings.HasPrefix(name, "<") { // C#: "<Total>b__0", "<Total>d__3"
		if end := strings.IndexByte(name, '>'); end > 1 && strings.Contains(name[end:], "__") {
			return name[1:end]
		}
	}
	if i := strings.Index(name, "{closure"); i >= 0 { // PHP, and Rust
		return strings.TrimRight(name[:i], `{:\`)
	}
	if i := strings.Index(name, "@anonymous"); i >= 0 {
		return name[:i]
	}
	if i := strings.LastIndex(name, "::h"); i > 0 && len(name)-i == len("::h")+16 { // Rust
		return name[:i]
	}
	for _, clone := range [...]string{".cold", ".part.", ".isra.", ".constprop.", ".llvm."} {
		if i := strings.Index(name, clone); i > 0 {
			name = name[:i]
		}
	}
	return withoutCounters(name)
}

// cleanModule returns the name of a module or type without generated parts:
// "Cart$$EnhancerBySpringCGLIB$$a1b2", "Cart$1", "$Proxy12",
// "GeneratedMethodAccessor7", "App.<>c__DisplayClass3_0".
func cleanModule(name string) string {
	if i := strings.Index(name, "$$"); i > 0 {
		name = name[:i]
	}
	if i := strings.Index(name, "<>c"); i > 0 {
		name = strings.TrimRight(name[:i], ".+")
	}
	if strings.Contains(name, "Proxy") || strings.Contains(name, "Generated") {
		name = strings.TrimRight(name, "0123456789")
	}
	return withoutCounters(name)
}

// withoutCounters cuts the numbers compilers append after a dollar sign, as in
// "lambda$main$37", "access$000" and "Cart$1".
func withoutCounters(name string) string {
	if strings.IndexByte(name, '$') < 0 {
		return name
	}
	var out strings.Builder
	for i := 0; i < len(name); i++ {
		end := i + 1
		for name[i] == '$' && end < len(name) && isDigit(name[end]) {
			end++
		}
		if end > i+1 && (end == len(name) || !isLower(name[end]) && !isUpper(name[end])) {
			i = end - 1
			continue
		}
		out.WriteByte(name[i])
	}
	return out.String()
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}
