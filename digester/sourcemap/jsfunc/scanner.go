package jsfunc

// kind is what a token is, as far as it matters for what may follow it.
type kind uint8

const (
	nothing  kind = iota // before the first token
	word                 // a name, or any word after a dot
	keyword              // a word of the language that a value or statement follows
	operand              // a literal, or the end of a value
	operator             // a value follows
	other                // brackets, commas, dots: told apart by their byte
)

// span is a part of the source. The zero span is no part.
type span struct{ from, to int }

// token is one token: for brackets and signs, sign is its (last) byte.
type token struct {
	kind kind
	sign byte
	span
}

// head is the beginning of a function: what comes before its body.
type head struct {
	start  int // where the function begins
	name   span
	method bool
	set    bool
}

// scanner reads a source token by token.
type scanner struct {
	src    []byte
	syntax Syntax
	at     int
	prev   token
	broken bool // a line ended between prev and the token being read
	fn     head // "function" was read, its parameters were not
	groups []group
	found  []function
}

func newScanner(src []byte, syntax Syntax) *scanner {
	return &scanner{src: src, syntax: syntax, groups: []group{{kind: block, fn: -1, arrowFrom: -1}}}
}

// top returns the group that is being read.
func (s *scanner) top() *group { return &s.groups[len(s.groups)-1] }

// scan reads the source to its end, or to where it is nested too deep.
func (s *scanner) scan() {
	if len(s.src) > 1 && s.src[0] == '#' && s.src[1] == '!' {
		s.toLineEnd()
	}
	for s.at < len(s.src) && len(s.groups) <= maxDepth {
		switch s.top().kind {
		case elementTag:
			s.tag()
		case elementText:
			s.elementContent()
		default:
			s.next()
		}
	}
	if len(s.groups) == 1 {
		s.endArrows(s.top(), len(s.src), 0)
	}
}

// next reads one token of code.
func (s *scanner) next() {
	c := s.src[s.at]
	switch {
	case c == '\n':
		s.broken = true
		s.at++
	case c <= ' ':
		s.at++
	case c == '/':
		s.slash()
	case isWordByte(c) && (c < '0' || c > '9'), c == '#', c == '\\':
		s.word()
	case c >= '0' && c <= '9':
		s.number()
	case c == '\'' || c == '"':
		s.quoted(c)
	case c == '`':
		s.lineBreak()
		s.at++
		s.template()
	case c == '(' || c == '[' || c == '{':
		s.open(c)
	case c == ')' || c == ']' || c == '}':
		s.close(c)
	default:
		s.sign(c)
	}
}

// is reports whether the source goes on with text at an offset.
func (s *scanner) is(at int, text string) bool {
	return len(s.src)-at >= len(text) && string(s.src[at:at+len(text)]) == text
}

// byteAt returns a byte of the source, 0 beyond its end.
func (s *scanner) byteAt(i int) byte {
	if i < 0 || i >= len(s.src) {
		return 0
	}
	return s.src[i]
}

// set makes a token the last one read.
func (s *scanner) set(k kind, sign byte, from, to int) {
	s.prev = token{k, sign, span{from, to}}
	s.at = to
	s.broken = false
}

// said returns the text of the last token.
func (s *scanner) said() string { return string(s.src[s.prev.from:s.prev.to]) }

// afterValue reports whether the last token ends a value: a slash divides then,
// and "<" compares.
func (s *scanner) afterValue() bool {
	switch s.prev.kind {
	case word, operand:
		return true
	case other:
		return s.prev.sign == ')' || s.prev.sign == ']' || s.prev.sign == '}'
	}
	return false
}

// lineBreak ends the statement when a line ended before the token being read,
// which begins a value, and the last one ended a value or a type: such a line
// needs no semicolon.
func (s *scanner) lineBreak() {
	if s.broken && (s.afterValue() || s.afterType()) {
		s.endStatement(s.top())
	}
}

// afterType reports whether the last token ends a type: "void", or the ">" of its
// parameters.
func (s *scanner) afterType() bool {
	p := s.prev
	switch s.top().kind {
	case block, body, class:
		return p.kind == operator && p.sign == '>' && s.src[p.from] == '>' ||
			p.kind == keyword && s.said() == "void"
	}
	return false
}

func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$' || '0' <= c && c <= '9' || c >= 0x80
}
