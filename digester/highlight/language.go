package highlight

import (
	"path"
	"strings"
)

// Language is what the scanner has to know of a programming language.
type Language struct {
	keywords  map[string]bool
	constants map[string]bool // true, false, null, by their names here
	comments  []string        // what begins a comment to the end of the line
	block     [2]string       // what a longer comment is between
	long      []string        // marks around texts of several lines
	quotes    string          // marks around texts of one line
	chars     bool            // ' is around characters, not texts
	slashes   bool            // / is around regular expressions
	anyCase   bool            // of keywords
}

// Languages knows which language a file is in. Make one and keep it: it is never
// written again and may be used by several goroutines.
type Languages struct {
	byExtension map[string]*Language
	byPlatform  map[string]*Language
}

// NewLanguages returns the known languages.
func NewLanguages() *Languages {
	l := &Languages{byExtension: map[string]*Language{}, byPlatform: map[string]*Language{}}
	for _, known := range []struct {
		language              *Language
		extensions, platforms string
	}{
		{python(), "py pyi pyx", "python"},
		{javaScript(), "js mjs cjs jsx ts mts cts tsx", "javascript node"},
		{golang(), "go", "go"},
		{ruby(), "rb rake ru gemspec", "ruby"},
		{php(), "php phtml", "php"},
		{java(), "java groovy", "java"},
		{kotlin(), "kt kts", ""},
		{scala(), "scala", ""},
		{csharp(), "cs", "csharp"},
		{rust(), "rs", ""},
		{swift(), "swift", ""},
		{c(), "c h cc cpp cxx hh hpp m mm ino", "c cocoa objc"},
		{dart(), "dart", "dart"},
		{elixir(), "ex exs", "elixir"},
		{perl(), "pl pm", "perl"},
	} {
		for _, e := range strings.Fields(known.extensions) {
			l.byExtension[e] = known.language
		}
		for _, p := range strings.Fields(known.platforms) {
			l.byPlatform[p] = known.language
		}
	}
	return l
}

// Find returns the language of a file of an event, by the extension of its name
// and without one by the event's platform; nil: it is not known.
func (l *Languages) Find(file, platform string) *Language {
	if end := strings.IndexAny(file, "?#"); end >= 0 {
		file = file[:end]
	}
	extension := strings.ToLower(strings.TrimPrefix(path.Ext(file), "."))
	if found := l.byExtension[extension]; found != nil || isName(extension) {
		return found
	}
	return l.byPlatform[platform]
}

// isName reports whether a text is one that file names end with.
func isName(extension string) bool {
	for i := range len(extension) {
		if !isWord(extension[i]) {
			return false
		}
	}
	return extension != ""
}

func words(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(text) {
		set[w] = true
	}
	return set
}

// slashed returns a language whose comments are C's.
func slashed(keywords, constants string) *Language {
	return &Language{
		keywords: words(keywords), constants: words(constants),
		comments: []string{"//"}, block: [2]string{"/*", "*/"}, quotes: `"`, chars: true,
	}
}

func python() *Language {
	return &Language{
		keywords: words(`and as assert async await break case class continue def del elif else except finally for from global
			if import in is lambda match nonlocal not or pass raise return try while with yield`),
		constants: words("True False None"),
		comments:  []string{"#"}, long: []string{`"""`, "'''"}, quotes: `"'`,
	}
}

func javaScript() *Language {
	l := slashed(`abstract as async await break case catch class const continue debugger declare default delete do else enum
		export extends finally for from function get if implements import in instanceof interface let namespace new of
		private protected public readonly return satisfies set static super switch this throw try type typeof var void
		while with yield`, "true false null undefined NaN Infinity")
	l.long, l.quotes, l.chars, l.slashes = []string{"`"}, `"'`, false, true
	return l
}

func golang() *Language {
	l := slashed(`break case chan const continue default defer else fallthrough for func go goto if import interface map
		package range return select struct switch type var`, "true false nil iota")
	l.long = []string{"`"}
	return l
}

func ruby() *Language {
	return &Language{
		keywords: words(`alias and begin break case class def defined do else elsif end ensure extend for if in include
			module next not or private protected public raise redo require require_relative rescue retry return self super
			then undef unless until when while yield attr_accessor attr_reader attr_writer`),
		constants: words("true false nil"),
		comments:  []string{"#"}, quotes: "\"'`", slashes: true,
	}
}

func php() *Language {
	l := slashed(`abstract and array as break callable case catch class clone const continue declare default do echo else
		elseif empty enum extends final finally fn for foreach function global goto if implements include include_once
		instanceof insteadof interface isset list match namespace new or print private protected public readonly require
		require_once return static switch throw trait try unset use var while xor yield int string bool float void mixed
		self parent`, "true false null")
	l.comments, l.quotes, l.chars, l.anyCase = []string{"//", "# ", "##"}, `"'`, false, true
	return l
}

func java() *Language {
	l := slashed(`abstract assert boolean break byte case catch char class const continue default def do double else enum
		extends final finally float for goto if implements import instanceof int interface long native new package private
		protected public record return sealed short static strictfp super switch synchronized this throw throws transient
		try var void volatile while yield`, "true false null")
	l.long = []string{`"""`}
	return l
}

func kotlin() *Language {
	l := slashed(`abstract as break by catch class companion const constructor continue data do else enum external final
		finally for fun if import in infix init inline inner interface internal is lateinit object open operator out
		override package private protected public reified return sealed super suspend this throw try typealias val var
		vararg when where while`, "true false null")
	l.long = []string{`"""`}
	return l
}

func scala() *Language {
	l := slashed(`abstract case catch class def do else enum export extends final finally for given if implicit import lazy
		match new object override package private protected return sealed super then this throw trait try type using val
		var while with yield`, "true false null")
	l.long = []string{`"""`}
	return l
}

func csharp() *Language {
	l := slashed(`abstract as async await base bool break byte case catch char checked class const continue decimal default
		delegate do double else enum event explicit extern finally fixed float for foreach get goto if implicit in int
		interface internal is lock long namespace new object operator out override params private protected public readonly
		record ref required return sbyte sealed set short sizeof stackalloc static string struct switch this throw try
		typeof uint ulong unchecked unsafe ushort using var virtual void volatile when where while yield`, "true false null")
	l.long = []string{`"""`}
	return l
}

func rust() *Language {
	return slashed(`as async await break const continue crate dyn else enum extern fn for if impl in let loop match mod move
		mut pub ref return self Self static struct super trait type unsafe use where while yield`, "true false None")
}

func swift() *Language {
	l := slashed(`actor any as associatedtype async await break case catch class continue default defer deinit do else enum
		extension fallthrough fileprivate final for func guard if import in init inout internal is lazy let mutating open
		operator override private protocol public repeat required rethrows return self Self some static struct subscript
		super switch throw throws try typealias unowned var weak where while`, "true false nil")
	l.long, l.chars = []string{`"""`}, false
	return l
}

func c() *Language {
	l := slashed(`alignas auto bool break case catch char class const consteval constexpr continue co_await co_return
		co_yield decltype default delete do double else enum explicit export extern final float for friend goto id if inline
		int long mutable namespace new noexcept operator override private protected public register return self short signed
		sizeof static struct super switch template this throw try typedef typename union unsigned using virtual void volatile
		while @autoreleasepool @catch @class @end @implementation @import @interface @property @protocol @selector
		@synthesize @try`, "true false nullptr NULL nil YES NO")
	return l
}

func dart() *Language {
	l := slashed(`abstract as assert async await base break case catch class const continue covariant default deferred do
		dynamic else enum export extends extension external factory final finally for get hide if implements import in
		interface is late library mixin new of on operator part required rethrow return sealed set show static super switch
		sync this throw try typedef var void when while with yield`, "true false null")
	l.long, l.quotes, l.chars = []string{`"""`, "'''"}, `"'`, false
	return l
}

func elixir() *Language {
	return &Language{
		keywords: words(`after alias and case catch cond def defdelegate defexception defimpl defmacro defmodule defp
			defprotocol defstruct do else end fn for if import in not or quote raise receive require rescue try unless unquote
			use when with`),
		constants: words("true false nil"),
		comments:  []string{"#"}, long: []string{`"""`, "'''"}, quotes: `"'`,
	}
}

func perl() *Language {
	return &Language{
		keywords: words(`and die do else elsif eval foreach for if last local my next no not or our package print redo ref
			require return sub unless until use wantarray while`),
		constants: words("undef"),
		comments:  []string{"# ", "##"}, quotes: `"'`,
	}
}
