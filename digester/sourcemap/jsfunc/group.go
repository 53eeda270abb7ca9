package jsfunc

import "strings"

// groupKind is what a pair of brackets holds.
type groupKind uint8

const (
	block groupKind = iota
	body            // of a function
	class
	object // or a pattern, or a type
	types  // of what a function returns
	paren
	bracket
	templateValue
	elementTag  // "<div …>"
	elementText // between a tag and its end
	elementValue
)

// group is a pair of brackets that is open, and how far the statement or member
// is read that stands directly in it.
type group struct {
	kind  groupKind
	start int
	fn    int  // the function that ends with it, -1 when none does
	head  head // of parentheses: the function whose parameters they may hold
	flow  bool // of parentheses: they belong to an if, for, while, …
	inFn  bool // a named function is around it
	owner span // of a class body: the class's name

	name     span // what a function that stands here is assigned to
	inherit  span // what the value around the brackets is assigned to
	decl     span // the name that is being declared, or the member's
	declares bool // "const" was read
	value    bool // in a member: its name was read
	ternary  int  // question marks without their colon
	inCase   bool // "case" or a label was read: no value follows its colon

	classHead, classNamed bool
	class                 span

	pending   head // parameters were read: a body makes it a function
	returns   bool // between pending's parameters and its body, in the type
	lastParen int  // where the last parentheses began
	arrowFrom int  // where the parentheses began that a type follows, -1 when none
	block     bool // "=>" was just read: a brace begins a body
	arrows    []openArrow
}

// openArrow is a function without braces.
type openArrow struct{ fn, ternary int }

// isKey reports whether a member's name stands here.
func (g *group) isKey() bool { return (g.kind == class || g.kind == object) && !g.value }

// push begins a group within the one that is being read.
func (s *scanner) push(g group) {
	outer := s.top()
	g.inFn = g.inFn || outer.inFn || len(outer.arrows) > 0
	g.arrowFrom = -1
	s.groups = append(s.groups, g)
}

// open reads an opening bracket.
func (s *scanner) open(c byte) {
	g, i := s.top(), s.at
	switch c {
	case '(':
		s.openParen(g)
	case '[':
		if s.broken && g.kind == class {
			s.lineBreak()
		}
		inherit := g.name
		if inherit == (span{}) {
			inherit = g.inherit
		}
		s.push(group{kind: bracket, fn: -1, start: i, inherit: inherit})
	default:
		s.openBrace(g)
	}
	s.set(other, c, i, i+1)
}

// openParen begins parentheses: of parameters, of a condition, of a call.
func (s *scanner) openParen(g *group) {
	n := group{kind: paren, fn: -1, start: s.at, inherit: g.name}
	if n.inherit == (span{}) {
		n.inherit = g.inherit
	}
	switch named := s.prev.kind == word || s.prev.kind == operand || s.prev.sign == ']'; {
	case s.fn.set:
		n.head, s.fn = s.fn, head{}
	case g.isKey() && named && g.decl != (span{}):
		n.head = head{start: g.decl.from, name: g.decl, method: true, set: true}
	case s.prev.kind == keyword:
		switch s.said() {
		case "if", "for", "while", "switch", "catch", "with", "await":
			n.flow = true
		}
	case !s.afterValue():
		n.name = g.name // "a = (() => {…})": no call
	}
	if !g.returns {
		g.pending = head{}
	}
	s.push(n)
}

// openBrace begins what braces may hold.
func (s *scanner) openBrace(g *group) {
	i := s.at
	n := group{kind: block, fn: -1, start: i}
	switch {
	case g.kind == types:
		n.kind = types
	case g.pending.set && !(g.returns && s.typeFollows()):
		n.kind, n.fn = body, s.begin(g, g.pending)
		s.cancel(g)
	case g.returns:
		n.kind = types
	case g.block:
		n.kind, n.fn = body, s.begin(g, head{start: g.lastParen, set: true})
	case g.classHead && !(s.prev.kind == keyword && s.prev.to-s.prev.from == len("extends")):
		n.kind, n.owner = class, g.class
		if n.owner == (span{}) {
			n.owner = g.name
		}
		g.classHead, g.classNamed = false, false
	case s.valueFollows(g):
		n.kind = object
	}
	n.inFn = n.fn >= 0
	g.block = false
	s.push(n)
}

// typeFollows reports whether the last token wants a type: a brace begins one then.
func (s *scanner) typeFollows() bool {
	switch s.prev.kind {
	case operator:
		return s.prev.sign != '>' || s.src[s.prev.from] == '='
	case keyword:
		return s.said() != "void"
	case word:
		return s.said() == "is"
	case other:
		return s.prev.sign == ':' || s.prev.sign == ',' || s.prev.sign == '('
	}
	return false
}

// valueFollows reports whether the last token wants a value: a brace begins an
// object then, else a block.
func (s *scanner) valueFollows(g *group) bool {
	switch s.prev.kind {
	case operator:
		return s.prev.sign != ')'
	case keyword:
		switch s.said() {
		case "else", "do", "try", "finally", "catch":
			return false
		}
		return true
	case other:
		switch s.prev.sign {
		case '(', '[', ',':
			return true
		case ':':
			return !g.inCase
		case '{':
			return g.kind == elementValue || g.kind == templateValue
		}
	}
	return false
}

// close reads a closing bracket. One that closes nothing is passed over; one that
// closes an outer group closes what is open within, whose functions are lost.
func (s *scanner) close(c byte) {
	i := s.at
	at := len(s.groups) - 1
	for ; at > 0 && s.groups[at].closing() != c; at-- {
	}
	if at == 0 {
		s.set(other, c, i, i+1)
		return
	}
	lost := at < len(s.groups)-1
	s.groups = s.groups[:at+1]
	g := *s.top()
	if !lost {
		s.endArrows(&g, i, 0)
	}
	if g.fn >= 0 {
		s.found[g.fn].end = int32(i + 1)
	}
	s.groups = s.groups[:at]
	outer := s.top()
	switch g.kind {
	case paren:
		s.closeParen(outer, g)
	case bracket:
		if outer.isKey() {
			outer.decl = span{g.start, i + 1}
		}
	case templateValue:
		s.at = i + 1
		s.template()
		return
	case elementValue:
		s.at = i + 1
		return
	}
	s.set(other, c, i, i+1)
	if g.kind == object {
		s.prev.kind = operand
	}
	if g.flow {
		s.prev.kind = operator // what follows a condition is no part of it
	}
}

// closing returns the bracket that closes a group, 0 for elements.
func (g *group) closing() byte {
	switch g.kind {
	case paren:
		return ')'
	case bracket:
		return ']'
	case elementTag, elementText:
		return 0
	}
	return '}'
}

// closeParen notes what parentheses may have been, by what follows them.
func (s *scanner) closeParen(g *group, closed group) {
	if g.returns {
		return
	}
	g.lastParen = closed.start
	g.arrowFrom = -1
	after := s.at + 1
	for after < len(s.src) && s.src[after] <= ' ' {
		after++
	}
	next := s.byteAt(after)
	switch {
	case closed.head.set && next == '{':
		g.pending = closed.head
	case closed.head.set && next == ':' && (!closed.head.method || g.isKey()):
		g.pending, g.returns = closed.head, true
	case next == ':':
		g.arrowFrom = closed.start
	}
}

// cancel forgets a function whose body did not come.
func (s *scanner) cancel(g *group) {
	g.pending, g.returns, g.block = head{}, false, false
}

// begin notes a function and returns its place, -1 when nothing names it.
func (s *scanner) begin(g *group, h head) int {
	name := h.name
	if name == (span{}) {
		name = g.name
	}
	if name == (span{}) && !g.inFn && len(g.arrows) == 0 {
		name = g.inherit
	}
	text := s.text(name)
	if text == "" || text == "exports" {
		return -1
	}
	if g.kind == class {
		text = method(s.text(g.owner), text)
	}
	s.found = append(s.found, function{start: int32(h.start), name: text})
	return len(s.found) - 1
}

// method returns the name of a class's method as engines write it.
func method(class, name string) string {
	switch {
	case class == "":
		return name
	case name == "constructor":
		return "new " + class
	}
	return class + "." + name
}

// text returns a name, "" when it is too long for one.
func (s *scanner) text(name span) string {
	if name.to-name.from > maxName || name.to <= name.from {
		return ""
	}
	return strings.ToValidUTF8(strings.ReplaceAll(string(s.src[name.from:name.to]), "\x00", ""), "\ufffd")
}
