package search

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lexeme is a word of a query: a term without its key, or with it.
type lexeme struct {
	not    bool
	key    string // "": there is none
	tagged bool   // the key was written as tags[key]
	at     int
	end    int
	values []literal // one, or those of a list
	list   bool
}

// literal is a value as it was typed.
type literal struct {
	pieces Pattern // split at wildcards
	quoted bool
	at     int
	end    int
}

// plain returns the value with its wildcards as they were typed.
func (l literal) plain() string { return strings.Join(l.pieces, "*") }

// lexer splits a query into words.
type lexer struct {
	text string
	at   int
}

// skip passes blanks.
func (l *lexer) skip() {
	for l.at < len(l.text) {
		r, size := utf8.DecodeRuneInString(l.text[l.at:])
		if !unicode.IsSpace(r) {
			return
		}
		l.at += size
	}
}

func (l *lexer) fail(at, end int, format string, args ...any) error {
	return NewError(l.text, at, end, format, args...)
}

// next returns the next word; false: there is none.
func (l *lexer) next() (lexeme, bool, error) {
	l.skip()
	if l.at == len(l.text) {
		return lexeme{}, false, nil
	}
	w := lexeme{at: l.at}
	if l.text[l.at] == '!' {
		w.not = true
		l.at++
		if l.skip(); l.at == len(l.text) {
			return w, false, l.fail(w.at, l.at, "`!` has to be followed by what is not to be there")
		}
	}
	var err error
	if err = l.key(&w); err != nil {
		return w, false, err
	}
	switch {
	case w.key != "" && l.peek() == '[':
		w.list = true
		w.values, err = l.listed(w)
	default:
		var v literal
		v, err = l.literal("")
		w.values = []literal{v}
	}
	w.end = l.at
	return w, true, err
}

// peek returns the next byte, 0 at the end.
func (l *lexer) peek() byte {
	if l.at < len(l.text) {
		return l.text[l.at]
	}
	return 0
}

// key reads a key with its colon, if the word has one. What only looks like one is
// text: Foo::bar, https://example.com.
func (l *lexer) key(w *lexeme) error {
	rest := l.text[l.at:]
	if tag, ok := strings.CutPrefix(rest, "tags["); ok {
		name, _, closed := strings.Cut(tag, "]:")
		if !closed || name == "" || strings.ContainsAny(name, "\"[") {
			return l.fail(l.at, l.at+len("tags["), "a tag is written as `tags[key]:value`")
		}
		w.key, w.tagged = name, true
		l.at += len("tags[") + len(name) + len("]:")
		return nil
	}
	n := 0
	for n < len(rest) && isKeyByte(rest[n], n == 0) {
		n++
	}
	if n == 0 || n == len(rest) || rest[n] != ':' {
		return nil
	}
	if after := rest[n+1:]; strings.HasPrefix(after, ":") || strings.HasPrefix(after, "//") || strings.HasPrefix(after, "\\") {
		return nil
	}
	w.key = rest[:n]
	l.at += n + 1
	return nil
}

func isKeyByte(c byte, first bool) bool {
	letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
	return letter || !first && (c >= '0' && c <= '9' || c == '.' || c == '-')
}

// listed reads [a, "b c"].
func (l *lexer) listed(w lexeme) ([]literal, error) {
	open := l.at
	l.at++
	var values []literal
	for {
		l.skip()
		switch {
		case l.at == len(l.text):
			return nil, l.fail(open, l.at, "the list of `%s:` is not closed: a `]` is missing", w.key)
		case l.peek() == ']' && len(values) == 0:
			l.at++
			return nil, l.fail(open, l.at, "the list of `%s:` is empty", w.key)
		case len(values) == maxValues:
			return nil, l.fail(open, l.at, "the list of `%s:` has more than %d values", w.key, maxValues)
		}
		v, err := l.literal(",]")
		if err != nil {
			return nil, err
		}
		if len(v.pieces) == 1 && v.pieces[0] == "" {
			return nil, l.fail(v.at, v.end, "a value of the list of `%s:` is empty", w.key)
		}
		values = append(values, v)
		l.skip()
		switch c := l.peek(); c {
		case ',':
			l.at++
		case ']':
			l.at++
			return values, nil
		case 0: // said above
		default:
			return nil, l.fail(l.at, l.at+1, "values of the list of `%s:` are separated by commas; one that has blanks is quoted", w.key)
		}
	}
}

// literal reads a value up to a blank or one of the bytes of until.
func (l *lexer) literal(until string) (literal, error) {
	v := literal{at: l.at, pieces: Pattern{""}}
	if l.peek() == '"' {
		v.quoted = true
		l.at++
	}
	var piece strings.Builder
	flush := func() { v.pieces[len(v.pieces)-1] = piece.String(); piece.Reset() }
	for l.at < len(l.text) {
		r, size := utf8.DecodeRuneInString(l.text[l.at:])
		switch {
		case v.quoted && r == '"':
			l.at++
			flush()
			v.end = l.at
			return v, l.afterQuote(until)
		case !v.quoted && (unicode.IsSpace(r) || strings.ContainsRune(until, r)):
			flush()
			v.end = l.at
			return v, nil
		case r == '*':
			flush()
			if len(v.pieces) == 1 || v.pieces[len(v.pieces)-1] != "" { // ** is *
				v.pieces = append(v.pieces, "")
			}
		case r == '\\' && l.at+1 < len(l.text) && strings.ContainsRune(`"*\`, rune(l.text[l.at+1])):
			l.at++
			piece.WriteByte(l.text[l.at])
		default:
			piece.WriteRune(r)
		}
		l.at += size
	}
	flush()
	v.end = l.at
	if v.quoted {
		return v, l.fail(v.at, v.end, "the quotation mark is not closed")
	}
	return v, nil
}

// afterQuote makes sure that a quoted value is not followed by more of it.
func (l *lexer) afterQuote(until string) error {
	r, size := utf8.DecodeRuneInString(l.text[l.at:])
	if size == 0 || unicode.IsSpace(r) || strings.ContainsRune(until, r) {
		return nil
	}
	return l.fail(l.at, l.at+size, "a blank is missing after the quotation mark; inside of quotation marks write \\\" for one")
}
